/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that plan devices share. */
#ifndef WEIR_CTL_DEVICE_PLAN_OWN_H
#define WEIR_CTL_DEVICE_PLAN_OWN_H

#include "ctl/device_plan.h"

/* A step for the device that was added last, after the switch. */
int device_plan_add_after(struct device_plan *plan, enum step_kind kind,
			  int side, int turn);

/* Adds what marks tell of, and no device that is planned already. */
int device_plan_traces(struct device_plan *plan, const struct kernel *kernel,
		       struct world *world, struct err *err);

#endif
