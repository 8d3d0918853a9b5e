/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that are open when a limit on what leaves comes. */
#ifndef WEIR_CTL_ADOPTION_H
#define WEIR_CTL_ADOPTION_H

#include "ctl/plan.h"

/*
 * Paces the connections that were open before a limit of the plan's image:
 * those of limits that are not in force yet, and those that hear of nothing
 * and so must be told again.  A kernel that cannot is no error: the bound
 * holds there.  The programs and their maps are loaded.
 */
int adoption_carry_out(const struct kernel *kernel, const struct plan *plan,
		       struct err *err);

#endif
