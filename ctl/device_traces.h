/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that no row tells of, but a mark. */
#ifndef WEIR_CTL_DEVICE_TRACES_H
#define WEIR_CTL_DEVICE_TRACES_H

#include "ctl/device_plan.h"

/*
 * Adds to the plan what an apply that was killed before its switch left on
 * devices, and what is kept of those that have gone.  Comes last: devices
 * that are planned already are let alone.
 */
int device_traces_plan(const struct kernel *kernel, struct world *world,
		       struct device_plan *plan, struct err *err);

#endif
