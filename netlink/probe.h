/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which queues this kernel has, tried in a network namespace of our own. */
#ifndef WEIR_NETLINK_PROBE_H
#define WEIR_NETLINK_PROBE_H

#include <stddef.h>

/* One thing to try; result is 0 or a negative errno. */
struct queue_probe {
	const char *kind; /* "ifb", or of a qdisc: "htb", "clsact", "fq" */
	int result;
};

/*
 * Tries them in a child that has a namespace of its own, so the machine's
 * devices are left alone.  Needs root.  0, or why nothing could be tried.
 */
int probe_queues(struct queue_probe *probes, size_t n);

#endif
