/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crash.h"
#include "netlink/foreign.h"
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

/* Of the queue below each class: DEVICE_MAJOR is none of these. */
#define LEAF_HANDLE(class_id) (((class_id)&0xffff) << 16)

/* How long the queue of a class may be: so long at its rate, … */
#define LEAF_MS 25
/* … but always a few of the longest packets. */
#define LEAF_MIN_BYTES (4 * 65536U)
#define LEAF_MAX_BYTES (64U << 20)

/* What waits in a class that goes is let out this many times as fast. */
#define DRAIN_SPEED   10
#define DRAIN_MS      250
#define DRAIN_STEP_MS 5

static uint32_t leaf_bytes(uint64_t rate_bytes)
{
	uint64_t bytes = rate_bytes / (1000 / LEAF_MS);

	if (bytes < LEAF_MIN_BYTES)
		return LEAF_MIN_BYTES;
	return bytes < LEAF_MAX_BYTES ? (uint32_t)bytes : LEAF_MAX_BYTES;
}

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

static bool find_ifb(const struct device *device, struct link *ret_ifb)
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
	if (r < 0 || !find_ifb(device, &ifb))
		return r;
	r = remove_classes(device, SIDE_IN, err);
	if (r < 0)
		return r;
	return link_remove(device->view->conn, &ifb, err);
}

/* -------------------------------------------------------------- class */

static struct htb_rate rate_of(const struct limit_row *limit)
{
	return (struct htb_rate){
		.rate_bytes = limit->rate_bytes,
		.burst_bytes = limit->burst_bytes,
	};
}

bool device_class_is(const struct device_class *class,
		     const struct limit_row *limit)
{
	struct htb_rate rate = rate_of(limit);

	return class->present && class_has_rate(&class->class, &rate) &&
	       class->class.leaf == LEAF_HANDLE(class->class.id);
}

/* Where the classes of a side are; -ENODEV where there is no ifb. */
static int class_place(const struct device *device, int side,
		       struct link *ret_link, struct err *err)
{
	if (side == SIDE_OUT) {
		*ret_link = device->link;
		return 0;
	}
	if (find_ifb(device, ret_link))
		return 0;
	return err_say(err, -ENODEV, "device '%s': it has no ifb of weir's",
		       device->link.name);
}

int device_ensure_class(const struct device *device, int side, int turn,
			const struct limit_row *limit, struct err *err)
{
	struct conn *conn = device->view->conn;
	uint32_t id = DEVICE_CLASS(device->index, turn);
	struct htb_rate rate = rate_of(limit);
	struct link link;
	int r;

	r = class_place(device, side, &link, err);
	if (r == 0)
		r = class_ensure_htb(conn, &link, id, DEVICE_MAJOR, &rate, err);
	if (r < 0)
		return r;
	return qdisc_ensure_bfifo(conn, &link, id, LEAF_HANDLE(id),
				  leaf_bytes(limit->rate_bytes), err);
}

static int read_class(const struct device *device, const struct link *link,
		      uint32_t id, struct device_class *ret_class,
		      struct err *err)
{
	struct classes classes = { 0 };
	const struct class *class;
	int r;

	r = classes_read(device->view->conn, link, &classes, err);
	if (r < 0)
		return r;
	class = classes_find(&classes, id);
	ret_class->present = class != NULL;
	if (class)
		ret_class->class = *class;
	classes_clear(&classes);
	return 0;
}

/* Lets out what waits in a class, as far as there is time for it. */
static int drain(const struct device *device, const struct link *link,
		 struct device_class *class, struct err *err)
{
	const struct timespec step = { .tv_nsec = DRAIN_STEP_MS * 1000000L };
	uint32_t id = class->class.id;
	struct htb_rate rate = {
		.rate_bytes = class->class.rate_bytes * DRAIN_SPEED,
		.burst_bytes = LEAF_MIN_BYTES,
	};
	int waited, r;

	if (class->class.stats.queued == 0)
		return 0;
	r = class_ensure_htb(device->view->conn, link, id, DEVICE_MAJOR, &rate,
			     err);
	for (waited = 0; r == 0 && waited < DRAIN_MS; waited += DRAIN_STEP_MS) {
		r = read_class(device, link, id, class, err);
		if (r < 0 || !class->present || class->class.stats.queued == 0)
			return r;
		nanosleep(&step, NULL);
	}
	return r;
}

static int retire(const struct device *device, int side,
		  const struct queue_stats *stats, struct err *err)
{
	struct device_mark mark;
	int r;

	r = mark_read(device->loader, device->view->id, device->link.ifindex,
		      &mark, err);
	if (r < 0)
		return r;
	mark.index = device->index;
	mark.retired[side].sent.bytes += stats->bytes;
	mark.retired[side].sent.packets += stats->packets;
	mark.retired[side].drops += stats->drops + stats->queued;
	return mark_write(device, &mark, err);
}

/* A crash between the two last steps loses the figures of the class. */
int device_remove_class(const struct device *device, int side, int turn,
			struct err *err)
{
	uint32_t id = DEVICE_CLASS(device->index, turn);
	struct device_class class = { 0 };
	struct link link;
	struct err ignored;
	int r;

	if (class_place(device, side, &link, &ignored) < 0)
		return 0;
	r = read_class(device, &link, id, &class, err);
	if (r < 0 || !class.present)
		return r;
	r = drain(device, &link, &class, err);
	if (r == -ENODEV || r == -ENOENT)
		return 0;
	if (r < 0 || !class.present)
		return r;
	r = class_remove(device->view->conn, &link, id, err);
	if (r < 0)
		return r;
	return retire(device, side, &class.class.stats, err);
}
