/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan for devices has to do for the rules that are asked by XDP. */
#ifndef WEIR_CTL_XDP_PLAN_H
#define WEIR_CTL_XDP_PLAN_H

#include "ctl/device_plan.h"

/* Of the device that was added last, whose row that is. */
int xdp_plan(struct device_plan *plan, const struct device_row *row,
	     struct err *err);

#endif
