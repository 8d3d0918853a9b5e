/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What messages about qdiscs, classes and filters share.  For netlink/ only. */
#ifndef WEIR_NETLINK_TCMSG_H
#define WEIR_NETLINK_TCMSG_H

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "netlink/qdisc.h"

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);

/* kind may be NULL.  NULL when there is no memory. */
struct nl_msg *tcmsg_new(int type, int flags, const struct tcmsg *header,
			 const char *kind);

/* A message of the kernel's, taken apart. */
struct tcmsg_view {
	const struct tcmsg *header;
	struct nlattr *attrs[TCA_MAX + 1];
};

/* -EBADMSG where it is not one. */
int tcmsg_parse(const struct nlmsghdr *message, struct tcmsg_view *ret_view);

/* Its kind, cut off at TC_KIND_MAX; "" where it has none. */
void tcmsg_kind(const struct tcmsg_view *view, char ret_kind[TC_KIND_MAX]);
void tcmsg_stats(const struct tcmsg_view *view, struct queue_stats *ret_stats);

/* Copies a string attribute, cut off to size; "" for NULL. */
void tcmsg_text(const struct nlattr *attr, char *ret_text, size_t size);

#endif
