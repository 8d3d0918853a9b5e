/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that tells a seat of connections, attached at the anchors as
 * long as this is open: what is not pinned goes with its process.
 */
#ifndef WEIR_CGROUP_CONNECTIONS_H
#define WEIR_CGROUP_CONNECTIONS_H

#include "base/cleanup.h"
#include "base/err.h"
#include "cgroup/anchor.h"

struct connections;

/* dir: where all is pinned; seat: of rules/monitor_abi.h. */
int connections_open(const char *dir, uint32_t seat,
		     struct connections **ret_connections, struct err *err);
void connections_close(struct connections *connections);
DEFINE_CLEANUP(struct connections *, connections_close);

/* Attaches it to those anchors that it is not at, and to no others any more. */
int connections_attach(struct connections *connections, const char *mount,
		       const struct anchors *anchors, struct err *err);

#endif
