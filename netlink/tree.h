/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All qdiscs, classes and filters below a device's root, as the requests that
 * would make the same again: what the kernel counts and what comes by itself
 * (a default queue, a fixed class of prio) is left out, so the trees of
 * two equal devices are equal.
 */
#ifndef WEIR_NETLINK_TREE_H
#define WEIR_NETLINK_TREE_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "netlink/qdisc.h"

struct tree {
	struct nlmsghdr **requests; /* sorted; their tcm_ifindex is 0 */
	size_t n_requests;
};

/* -EOPNOTSUPP where something could not be asked for again, by name. */
int tree_read(struct conn *conn, const struct link *link, struct tree *ret_tree,
	      struct err *err);
void tree_clear(struct tree *tree);

/* Appends a copy; -ENOMEM. */
int tree_add(struct tree *tree, const struct nlmsghdr *request);

bool tree_equal(const struct tree *a, const struct tree *b);

/* The request for the root; NULL where there is none. */
const struct nlmsghdr *tree_root(const struct tree *tree);

/* Puts the whole tree in the place of the root that link has. */
int tree_replay(struct conn *conn, const struct link *link,
		const struct tree *tree, struct err *err);

#endif
