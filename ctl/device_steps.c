/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/crash.h"
#include "ctl/device_plan.h"
#include "rules/unit.h"
#include "tc/xdp.h"

static const struct limit_row *limit_of(const struct device_plan *plan,
					const struct device_step *step,
					const struct image *image)
{
	uint32_t index = plan->devices[step->device].device.index;
	const struct device_row *row = &image->devices[index];

	return device_row_limit(row, step->side);
}

static void describe_class(const struct limit_row *limit, const char *side,
			   char *text, size_t size)
{
	char rate[RATE_TEXT_MAX];

	rate_format(limit->rate_bytes * 8, rate);
	if (limit->rate_bytes == DEVICE_NO_LIMIT)
		snprintf(text, size, "make the classes for %s", side);
	else
		snprintf(text, size, "make the class for %s, %s", side, rate);
}

static uint8_t shape_of(const struct device_plan *plan,
			const struct device_step *step,
			const struct image *image)
{
	uint32_t index = plan->devices[step->device].device.index;

	return image->devices[index].shape_out;
}

void device_step_describe(const struct device_plan *plan,
			  const struct device_step *step,
			  const struct image *image, char *text, size_t size)
{
	const char *side = step->side == SIDE_OUT ? "out" : "in";

	switch (step->kind) {
	case STEP_POOL:
		snprintf(text, size, "make the device (ifb) that veths share");
		return;
	case STEP_ROOT:
		snprintf(text, size, "make the queue (%s) for out",
			 shape_of(plan, step, image) == SHAPE_EDT ? "fq"
								  : "htb");
		return;
	case STEP_IFB:
		snprintf(text, size, "make the queue (ifb, htb) for in");
		return;
	case STEP_CLASS:
		describe_class(limit_of(plan, step, image), side, text, size);
		return;
	case STEP_SHARES:
		snprintf(text, size,
			 "make classes for who is new to the limit %s", side);
		return;
	case STEP_FIT_SHARES:
		snprintf(text, size, "give the limit %s to %zu groups", side,
			 plan->devices[step->device].shares[step->side].n_list);
		return;
	case STEP_TALLY:
		snprintf(text, size, "make the counters");
		return;
	case STEP_FILTER:
		snprintf(text, size, "attach the program for %s", side);
		return;
	case STEP_WAIT:
		snprintf(text, size, "lead to the queue that veths share");
		return;
	case STEP_REMOVE_WAITS:
		snprintf(text, size,
			 "lead no more to a queue that veths share");
		return;
	case STEP_XDP:
		snprintf(text, size, "attach the program for xdp");
		return;
	case STEP_REMOVE_XDP:
		snprintf(text, size,
			 plan->devices[step->device].has_xdp
				 ? "detach the program for xdp"
				 : "forget that its driver refused xdp");
		return;
	case STEP_REMOVE_FILTER:
		snprintf(text, size, "detach the program for %s", side);
		return;
	case STEP_REPLACE_ROOT:
		snprintf(text, size, "replace the queue (htb) for out by fq");
		return;
	case STEP_REMOVE_CLASS:
		snprintf(text, size, "remove the old class for %s", side);
		return;
	case STEP_REMOVE_ROOT:
	case STEP_REMOVE_IFB:
		snprintf(text, size, "remove the queue for %s", side);
		return;
	case STEP_REMOVE_ALL:
		snprintf(text, size, "remove all of weir's");
		return;
	case STEP_FORGET:
		snprintf(text, size, "forget it: it has gone");
		return;
	}
}

static int make_ifb(struct device *device, struct image *image, struct err *err)
{
	struct link ifb = { 0 };
	int r;

	r = device_ensure_ifb(device, &ifb, err);
	if (r == 0)
		image->devices[device->index].in_ifindex = ifb.ifindex;
	return r;
}

static int make_pool(struct device *device, struct image *image,
		     struct err *err)
{
	int r = device_ensure_pool(device, err);

	if (r == 0)
		image->devices[device->index].ifindex = device->link.ifindex;
	return r;
}

/* What is left there of an apply that was killed goes first. */
static int make_class(const struct planned_device *planned,
		      const struct device_step *step,
		      const struct limit_row *limit, struct err *err)
{
	const struct device *device = &planned->device;
	int r;

	if (planned->have.side[step->side].turn[step->turn].present) {
		r = device_remove_class(device, step->side, step->turn, err);
		if (r < 0)
			return r;
		crash_point();
	}
	if (planned->shares[step->side].n_list)
		return device_make_shares(device, step->side, step->turn,
					  &planned->shares[step->side], err);
	return device_ensure_class(device, step->side, step->turn, limit, err);
}

static int remove_xdp(const struct device *device, struct err *err)
{
	int r = xdp_detach(device, err);

	return r < 0 ? r : xdp_forget(device, err);
}

static int remove_all(const struct device *device, struct err *err)
{
	int r = xdp_detach(device, err);

	return r < 0 ? r : device_remove(device, err);
}

/* What is pinned for its row is another's by now where that has a device. */
static int forget(const struct planned_device *planned,
		  const struct image *image, struct err *err)
{
	const struct device *device = &planned->device;
	int r = 0;

	if (device->index >= image->n_devices ||
	    !image->devices[device->index].ifindex)
		r = xdp_take_back(device, err);
	return r < 0 ? r
		     : device_forget(&planned->trace, device->view,
				     device->loader, device->state_dir, err);
}

static int do_step(struct device_plan *plan, struct device_step *step,
		   struct image *image, struct err *err)
{
	struct planned_device *planned = &plan->devices[step->device];
	struct device *device = &planned->device;

	step->done = true;
	switch (step->kind) {
	case STEP_POOL:
		return make_pool(device, image, err);
	case STEP_WAIT:
		return device_ensure_wait(device, step->pool,
					  image->devices[step->pool].ifindex,
					  err);
	case STEP_REMOVE_WAITS:
		return device_remove_waits(device, step->pool, err);
	case STEP_ROOT:
		return device_ensure_root(device, shape_of(plan, step, image),
					  planned->takeover, err);
	case STEP_IFB:
		return make_ifb(device, image, err);
	case STEP_CLASS:
		return make_class(planned, step, limit_of(plan, step, image),
				  err);
	case STEP_SHARES:
		return device_add_shares(device, step->side, step->turn,
					 &planned->shares[step->side], err);
	case STEP_FIT_SHARES:
		return device_fit_shares(device, step->side, step->turn,
					 &planned->shares[step->side], err);
	case STEP_TALLY:
		return device_reset_tally(device->loader, device->index, err);
	case STEP_FILTER:
		return device_ensure_filter(device, step->side, err);
	case STEP_REMOVE_FILTER:
		return device_remove_filter(device, step->side, err);
	case STEP_REMOVE_CLASS:
		return device_remove_class(device, step->side, step->turn, err);
	case STEP_REPLACE_ROOT:
		return device_replace_root(device, planned->takeover, err);
	case STEP_REMOVE_ROOT:
		return device_remove_root(device, err);
	case STEP_REMOVE_IFB:
		return device_remove_ifb(device, err);
	case STEP_XDP:
		return xdp_attach(device, err);
	case STEP_REMOVE_XDP:
		return remove_xdp(device, err);
	case STEP_REMOVE_ALL:
		return remove_all(device, err);
	case STEP_FORGET:
		return forget(planned, image, err);
	}
	return 0;
}

/* A device that goes after the switch takes all with it. */
int device_steps_do(struct device_plan *plan, struct device_steps *steps,
		    struct image *image, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < steps->n_list; i++) {
		crash_point();
		r = do_step(plan, &steps->list[i], image, err);
		if (r == -ENODEV && steps == &plan->after)
			r = 0;
	}
	return r; /* the sentence names the device */
}

/* What cannot be taken back now is taken away by the next apply or clear. */
static void undo(const struct planned_device *planned,
		 const struct device_step *step)
{
	const struct device *device = &planned->device;
	struct err ignored;

	switch (step->kind) {
	case STEP_POOL:
		if (device->link.ifindex) /* it was made */
			device_remove(device, &ignored);
		return;
	case STEP_WAIT:
		device_remove_wait(device, step->pool, &ignored);
		return;
	case STEP_ROOT:
		if (planned->have.shape == SHAPE_EDT)
			device_ensure_root(device, SHAPE_EDT, planned->takeover,
					   &ignored);
		else
			device_remove_root(device, &ignored);
		return;
	case STEP_IFB:
		device_remove_ifb(device, &ignored);
		return;
	case STEP_CLASS:
		/* Those of a queue that goes at once go with it. */
		if (step->side == SIDE_IN || planned->have.shape != SHAPE_EDT)
			device_remove_class(device, step->side, step->turn,
					    &ignored);
		return;
	case STEP_SHARES:
		device_fit_shares(device, step->side, step->turn,
				  &planned->before[step->side], &ignored);
		return;
	case STEP_TALLY:
		device_remove_tally(device->loader, device->index, &ignored);
		return;
	case STEP_FILTER:
		device_remove_filter(device, step->side, &ignored);
		return;
	case STEP_XDP:
		xdp_take_back(device, &ignored);
		return;
	default:
		return;
	}
}

void device_plan_undo(struct device_plan *plan)
{
	size_t i;

	for (i = plan->before.n_list; i-- > 0;) {
		const struct device_step *step = &plan->before.list[i];

		if (step->done && step->is_new)
			undo(&plan->devices[step->device], step);
	}
}
