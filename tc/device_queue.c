/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crash.h"
#include "netlink/foreign.h"
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

/* How long what waits in an fq that goes has to leave. */
#define DRAIN_MS      250
#define DRAIN_STEP_MS 5

/* --------------------------------------------------------------- root */

static int put_root(const struct device *device, uint8_t shape, bool replace,
		    struct err *err)
{
	struct conn *conn = device->view->conn;

	if (shape == SHAPE_EDT)
		return qdisc_ensure_fq(conn, &device->link, DEVICE_MAJOR_FQ,
				       replace, err);
	return qdisc_ensure_htb(conn, &device->link, DEVICE_MAJOR, replace,
				err);
}

/* The root of somebody else is kept before it makes way. */
static int save_root(const struct device *device, struct err *err)
{
	struct conn *conn = device->view->conn;
	char path[PATH_MAX];
	int r;

	mark_saved_path(device->state_dir, device->view->id,
			device->link.ifindex, path);
	r = foreign_save(conn, &device->link, path, DEVICE_IFB_GROUP, err);
	crash_point();
	if (r == 0)
		r = mark_set(device, MARK_SAVED, err);
	crash_point();
	return r;
}

int device_ensure_root(const struct device *device, uint8_t shape,
		       bool takeover, struct err *err)
{
	struct qdisc root;
	struct err ignored;
	int r;

	r = mark_set(device, 0, err);
	if (r == 0)
		r = put_root(device, shape, false, err);
	if (r != -EEXIST)
		return r;
	r = qdisc_find_root(device->view->conn, &device->link, &root, &ignored);
	if (r < 0 || device_root_shape(&root) == SHAPE_NONE) {
		if (!takeover)
			return -EBUSY;
		r = save_root(device, err);
		if (r < 0)
			return r;
	}
	return put_root(device, shape, true, err);
}

static int remove_classes(const struct device *device, int side,
			  struct err *err)
{
	int r;

	r = device_remove_class(device, side, 0, err);
	return r < 0 ? r : device_remove_class(device, side, 1, err);
}

int device_replace_root(const struct device *device, bool takeover,
			struct err *err)
{
	int r = remove_classes(device, SIDE_OUT, err);

	crash_point();
	return r < 0 ? r : device_ensure_root(device, SHAPE_EDT, takeover, err);
}

/* The handle of our root, as the view has it, unless it was made since. */
static int our_root(const struct device *device, uint32_t *ret_handle,
		    struct err *err)
{
	const struct netns_view *view = device->view;
	const struct qdisc *seen =
		qdiscs_root(&view->qdiscs, device->link.ifindex);
	struct qdisc root = { 0 };
	uint8_t shape = seen ? device_root_shape(seen) : SHAPE_NONE;
	int r;

	if (shape == SHAPE_NONE) {
		r = qdisc_find_root(view->conn, &device->link, &root, err);
		if (r < 0)
			return r;
		shape = device_root_shape(&root);
	}
	*ret_handle = shape == SHAPE_EDT ? DEVICE_MAJOR_FQ : DEVICE_MAJOR;
	return 0;
}

/* What waits for its time leaves, as far as there is time for it. */
static int drain_fq(const struct device *device, struct err *err)
{
	const struct timespec step = { .tv_nsec = DRAIN_STEP_MS * 1000000L };
	struct qdisc root;
	int waited, r;

	for (waited = 0; waited < DRAIN_MS; waited += DRAIN_STEP_MS) {
		r = qdisc_find_root(device->view->conn, &device->link, &root,
				    err);
		if (r < 0 || root.handle != DEVICE_MAJOR_FQ ||
		    root.stats.queued == 0)
			return r;
		nanosleep(&step, NULL);
	}
	return 0;
}

static int restore_root(const struct device *device, uint32_t handle,
			struct err *err)
{
	struct conn *conn = device->view->conn;
	char path[PATH_MAX];
	struct err ignored;
	int r;

	mark_saved_path(device->state_dir, device->view->id,
			device->link.ifindex, path);
	r = foreign_restore(conn, &device->link, path, handle, err);
	if (r == -ENODEV)
		return 0;
	/* At least ours goes; what was kept stays for another attempt. */
	if (r < 0) {
		qdisc_remove_root(conn, &device->link, handle, &ignored);
		return r;
	}
	r = qdisc_remove_root(conn, &device->link, handle, err);
	return r < 0 ? r : mark_unset(device, MARK_SAVED, err);
}

int device_remove_root(const struct device *device, struct err *err)
{
	struct device_mark mark;
	uint32_t handle;
	int r;

	r = our_root(device, &handle, err);
	if (r == 0 && handle == DEVICE_MAJOR_FQ)
		r = drain_fq(device, err);
	else if (r == 0)
		r = remove_classes(device, SIDE_OUT, err);
	if (r == 0)
		r = mark_read(device->loader, device->view->id,
			      device->link.ifindex, &mark, err);
	if (r < 0)
		return r;
	if (mark.flags & MARK_SAVED)
		return restore_root(device, handle, err);
	return qdisc_remove_root(device->view->conn, &device->link, handle,
				 err);
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
