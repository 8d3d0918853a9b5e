/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/xdp_plan.h"

#include "tc/xdp.h"

static int plan_step(struct device_plan *plan, const struct device_row *row,
		     const char *why_not)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];

	if (!*why_not)
		return planned->has_xdp
			       ? 0
			       : device_plan_add_before(plan, STEP_XDP, SIDE_IN,
							0, true);
	if (planned->has_xdp ||
	    (xdp_was_refused(&planned->have) && !xdp_is_asked(row)))
		return device_plan_add_after(plan, STEP_REMOVE_XDP, SIDE_IN, 0);
	return 0;
}

int xdp_plan(struct device_plan *plan, const struct device_row *row,
	     struct err *err)
{
	struct planned_device *planned = &plan->devices[plan->n_devices - 1];
	const struct device *device = &planned->device;
	char why_not[XDP_WHY_MAX];
	int r;

	r = xdp_read(device->pins_dir, device->index, &device->link,
		     &planned->has_xdp, err);
	if (r < 0)
		return r;
	xdp_hindrance(device->pins_dir, row, &planned->have, planned->has_xdp,
		      why_not);
	r = plan_step(plan, row, why_not);
	return r < 0 ? err_set(err, r, "plan devices") : 0;
}
