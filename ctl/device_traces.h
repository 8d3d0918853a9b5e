/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that no row of the new policy tells of, but a mark. */
#ifndef WEIR_CTL_DEVICE_TRACES_H
#define WEIR_CTL_DEVICE_TRACES_H

#include "ctl/device_plan.h"

/*
 * Adds to the plan what is to go from devices: those that are in force and
 * not in the new policy, or in another network namespace than it says; what
 * an apply that was killed before its switch left; what is kept of those that
 * have gone.  Comes last: devices that are planned already are let alone.
 * Those whose namespace is not found and may live are noted in plan->left.
 */
int device_traces_plan(const struct kernel *kernel, struct world *world,
		       struct device_plan *plan, struct err *err);

/* -EXDEV: says that such a device is left, and which command takes it. */
int device_trace_left(const struct device_trace *trace, const char *command,
		      struct err *err);

/*
 * Refuses (-EXDEV), and names one, while there are such devices: a namespace
 * was not found.  Without the pins nothing would tell of them.
 */
int device_traces_check(const struct kernel *kernel, struct err *err);

#endif
