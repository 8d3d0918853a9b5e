/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets in force, as weirctl set finds them, and what it says if not. */
#ifndef WEIR_CTL_SET_LIVE_H
#define WEIR_CTL_SET_LIVE_H

#include "cgroup/live_sets.h"
#include "ctl/command.h"

/* To be closed. */
int set_live_open(const struct call *call, struct live_sets *ret_sets,
		  struct err *err);

int set_live_find(const struct live_sets *sets, const char *name,
		  struct live_set *ret_set, struct err *err);

#endif
