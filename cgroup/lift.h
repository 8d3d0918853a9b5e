/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking pacing off sockets when weir goes. */
#ifndef WEIR_CGROUP_LIFT_H
#define WEIR_CGROUP_LIFT_H

#include "base/err.h"
#include "cgroup/netns_walk.h"

/*
 * Lifts the rate of every socket that weir paces in these network
 * namespaces.  Called when no program paces any more.  -EOPNOTSUPP, with a
 * sentence, on a kernel that has no iterator over TCP sockets which may set
 * options (before 5.15); what is paced then stays so until it closes.
 */
int lift_sockets(const char *dir, struct netns_walk *walk, struct err *err);

/* Whether this kernel can: 0, or a negative errno. */
int lift_probe(void);

#endif
