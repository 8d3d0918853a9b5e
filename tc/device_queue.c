/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "netlink/foreign.h"
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

/* --------------------------------------------------------------- root */

int device_ensure_root(const struct device *device, bool takeover,
		       struct err *err)
{
	struct conn *conn = device->view->conn;
	char path[PATH_MAX];
	int r;

	r = mark_set(device, 0, err);
	if (r == 0)
		r = qdisc_ensure_htb(conn, &device->link, DEVICE_MAJOR, false,
				     err);
	if (r != -EEXIST)
		return r;
	if (!takeover)
		return -EBUSY;
	mark_saved_path(device->state_dir, device->view->id,
			device->link.ifindex, path);
	r = foreign_save(conn, &device->link, path, DEVICE_IFB_GROUP, err);
	crash_point();
	if (r == 0)
		r = mark_set(device, MARK_SAVED, err);
	crash_point();
	if (r < 0)
		return r;
	return qdisc_ensure_htb(conn, &device->link, DEVICE_MAJOR, true, err);
}

static int remove_classes(const struct device *device, int side,
			  struct err *err)
{
	int r;

	r = device_remove_class(device, side, 0, err);
	return r < 0 ? r : device_remove_class(device, side, 1, err);
}

int device_remove_root(const struct device *device, struct err *err)
{
	struct conn *conn = device->view->conn;
	struct device_mark mark;
	char path[PATH_MAX];
	struct err ignored;
	int r;

	r = remove_classes(device, SIDE_OUT, err);
	if (r == 0)
		r = mark_read(device->loader, device->view->id,
			      device->link.ifindex, &mark, err);
	if (r < 0)
		return r;
	if (!(mark.flags & MARK_SAVED))
		return qdisc_remove_root(conn, &device->link, DEVICE_MAJOR,
					 err);
	mark_saved_path(device->state_dir, device->view->id,
			device->link.ifindex, path);
	r = foreign_restore(conn, &device->link, path, DEVICE_MAJOR, err);
	if (r == -ENODEV)
		return 0;
	/* At least ours goes; what was kept stays for another attempt. */
	if (r < 0) {
		qdisc_remove_root(conn, &device->link, DEVICE_MAJOR, &ignored);
		return r;
	}
	r = qdisc_remove_root(conn, &device->link, DEVICE_MAJOR, err);
	return r < 0 ? r : mark_unset(device, MARK_SAVED, err);
}

/* ---------------------------------------------------------------- ifb */

bool device_find_ifb(const struct device *device, struct link *ret_ifb)
{
	char name[IFNAMSIZ];
	struct err ignored;

	device_ifb_name(device->link.ifindex, name);
	return link_find(device->view->conn, name, ret_ifb, &ignored) == 0 &&
	       device_is_ifb(ret_ifb);
}

int device_ensure_ifb(const struct device *device, struct link *ret_ifb,
		      struct err *err)
{
	struct conn *conn = device->view->conn;
	struct link want = { .group = DEVICE_IFB_GROUP }, ifb;
	int r;

	device_ifb_name(device->link.ifindex, want.name);
	r = mark_set(device, 0, err);
	if (r == 0)
		r = link_ensure_ifb(conn, &want, &ifb, err);
	if (r == 0)
		r = qdisc_ensure_htb(conn, &ifb, DEVICE_MAJOR, false, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s'", device->link.name);
	r = device_ensure_waiting(device, &ifb, err);
	if (r < 0)
		return r;
	*ret_ifb = ifb;
	return 0;
}

int device_remove_ifb(const struct device *device, struct err *err)
{
	struct link ifb;
	int r;

	r = device_remove_waiting(device, err);
	if (r < 0 || !device_find_ifb(device, &ifb))
		return r;
	r = remove_classes(device, SIDE_IN, err);
	if (r < 0)
		return r;
	return link_remove(device->view->conn, &ifb, err);
}
