/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All qdiscs, classes and filters below a device's root, as the requests that
 * would make the same again: what the kernel counts and what comes by itself
 * (a default queue, a fixed class of prio) is left out, so two snapshots of
 * equal trees are equal.
 */
#ifndef WEIR_NETLINK_SNAPSHOT_H
#define WEIR_NETLINK_SNAPSHOT_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "netlink/qdisc.h"

struct snapshot {
	struct nlmsghdr **requests; /* sorted; their tcm_ifindex is 0 */
	size_t n_requests;
};

/* -EOPNOTSUPP where something could not be asked for again, by name. */
int snapshot_read(struct conn *conn, const struct link *link,
		  struct snapshot *ret_snapshot, struct err *err);
void snapshot_clear(struct snapshot *snapshot);

/* Appends a copy; -ENOMEM. */
int snapshot_add(struct snapshot *snapshot, const struct nlmsghdr *request);

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);

/* The request for the root; NULL where there is none. */
const struct nlmsghdr *snapshot_root(const struct snapshot *snapshot);

/* Puts the whole tree in the place of the root that link has. */
int snapshot_replay(struct conn *conn, const struct link *link,
		    const struct snapshot *snapshot, struct err *err);

#endif
