/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan for devices has to do for pools, and for the way there. */
#ifndef WEIR_CTL_POOL_PLAN_H
#define WEIR_CTL_POOL_PLAN_H

#include "ctl/device_plan.h"

/*
 * As device_read, of the row's device.  A pool that is yet to be made is there,
 * but down and without a number.
 */
int pool_read_device(const struct netns_view *view, const struct kernel *kernel,
		     const struct image *image, uint32_t index,
		     struct device_have *ret_have, struct err *err);

/*
 * The filter of the device that was added last which leads to the pool (0:
 * none), by the index of its row; those that lead to others go.
 */
int pool_plan_wait(struct device_plan *plan, const struct image *image,
		   uint32_t pool);

#endif
