/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/device_traces.h"
#include "ctl/lock.h"
#include "ctl/plan.h"
#include "ctl/say.h"

/*
 * Switches to a policy with nothing in it, which takes devices and anchors
 * back in the order of any apply; then the pins go.
 */
static int switch_to_nothing(struct kernel *kernel, struct err *err)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };
	struct image *image = image_new();
	int r;

	if (!image)
		return err_set(err, -ENOMEM, "clear");
	r = plan_make(kernel, image, &plan, err);
	return r < 0 ? r : plan_carry_out(kernel, &plan, err);
}

/*
 * Where the maps are not whole, as another version had others or somebody has
 * removed one, there is no switch: programs go with their pins.
 */
static int take_devices_back(struct kernel *kernel, struct err *err)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };
	struct image *image = image_new();
	int r;

	if (!image)
		return err_set(err, -ENOMEM, "clear");
	r = plan_make(kernel, image, &plan, err);
	if (r == 0)
		r = device_steps_do(&plan.devices, &plan.devices.after,
				    plan.image, err);
	return r;
}

static int clear(struct kernel *kernel, struct err *err)
{
	int r;

	if (kernel->loaded)
		r = switch_to_nothing(kernel, err);
	else
		r = take_devices_back(kernel, err);
	if (r == 0)
		r = device_traces_check(kernel, err);
	return r < 0 ? r : kernel_unload(kernel, err);
}

int cmd_clear(const struct call *call)
{
	CLEANUP(kernel_close) struct kernel kernel = { 0 };
	AUTO_CLOSE int lock = -1;
	struct err err;

	if (kernel_open_to_clear(&call->places, &lock, &kernel, &err) < 0 ||
	    clear(&kernel, &err) < 0)
		return say_err(&err);
	lock_remove(call->places.run);
	return EXIT_DONE;
}
