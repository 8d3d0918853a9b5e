/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

static enum hook_side hook_of(int side)
{
	return side == SIDE_IN ? HOOK_IN : HOOK_OUT;
}

/*
 * The mark comes first, so that a clsact that was made just before a crash is
 * known to be ours; where it was there before, the mark is taken back.
 */
static int ensure_clsact(const struct device *device, struct err *err)
{
	const struct netns_view *view = device->view;
	struct device_mark mark;
	bool made;
	int r;

	r = mark_read(device->loader, view->id, device->link.ifindex, &mark,
		      err);
	if (r < 0)
		return r;
	/* As far as the view knows: it may have come since. */
	if (qdiscs_clsact(&view->qdiscs, device->link.ifindex) ||
	    mark.flags & MARK_CLSACT)
		return qdisc_ensure_clsact(view->conn, &device->link, &made,
					   err);
	r = mark_set(device, MARK_CLSACT, err);
	if (r < 0)
		return r;
	r = qdisc_ensure_clsact(view->conn, &device->link, &made, err);
	if (r < 0)
		return r;
	return made ? 0 : mark_unset(device, MARK_CLSACT, err);
}

int device_put_filter(const struct device *device,
		      const struct filter_want *want, struct err *err)
{
	int r;

	r = ensure_clsact(device, err);
	if (r < 0)
		return r;
	return filter_ensure(device->view->conn, &device->link, want, err);
}

int device_ensure_filter(const struct device *device, int side, struct err *err)
{
	struct filter_want want = {
		.side = hook_of(side),
		.priority = DEVICE_PRIORITY,
		.handle = DEVICE_HANDLE,
		.program_fd = device->loader->program[side],
		.classid = (uint16_t)device->index,
		.name = side == SIDE_IN ? "weir/device_in" : "weir/device_out",
	};
	int r;

	r = mark_set(device, 0, err);
	return r < 0 ? r : device_put_filter(device, &want, err);
}

int device_ensure_waiting(const struct device *device, const struct link *ifb,
			  struct err *err)
{
	struct filter_want want = {
		.side = HOOK_IN,
		.priority = DEVICE_WAITING,
		.handle = DEVICE_HANDLE,
		.program_fd = device->loader->program[PROGRAM_WAIT],
		.classid = (uint16_t)device->index,
		.name = "weir/device_wait",
		.redirect = ifb->ifindex,
	};

	return device_put_filter(device, &want, err);
}

/*
 * Between the look and the removal somebody may add a filter, and lose it:
 * accepted, for the kernel has no way to remove a clsact only if it is empty.
 */
int device_remove_empty_clsact(const struct device *device, struct err *err)
{
	const struct netns_view *view = device->view;
	struct filters filters = { 0 };
	struct device_mark mark;
	size_t left;
	int r;

	r = mark_read(device->loader, view->id, device->link.ifindex, &mark,
		      err);
	if (r < 0 || !(mark.flags & MARK_CLSACT))
		return r;
	r = filters_read(view->conn, &device->link, &filters, err);
	if (r < 0)
		return r;
	left = filters.n_list;
	filters_clear(&filters);
	if (left > 0)
		return 0;
	r = qdisc_remove_clsact(view->conn, &device->link, err);
	if (r < 0)
		return r;
	return mark_unset(device, MARK_CLSACT, err);
}

static int remove_filter(const struct device *device, enum hook_side side,
			 uint16_t priority, struct err *err)
{
	const struct netns_view *view = device->view;
	struct filters filters = { 0 };
	bool found;
	int r;

	r = filters_read(view->conn, &device->link, &filters, err);
	if (r < 0)
		return r;
	found = filters_find(&filters, side, priority, DEVICE_HANDLE);
	filters_clear(&filters);
	if (found) {
		r = filter_remove(view->conn, &device->link, side, priority,
				  DEVICE_HANDLE, err);
		if (r < 0)
			return r;
	}
	return device_remove_empty_clsact(device, err);
}

int device_remove_filter(const struct device *device, int side, struct err *err)
{
	return remove_filter(device, hook_of(side), DEVICE_PRIORITY, err);
}

int device_remove_waiting(const struct device *device, struct err *err)
{
	return remove_filter(device, HOOK_IN, DEVICE_WAITING, err);
}
