/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/tcmsg.h"

#include <linux/gen_stats.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

struct nl_msg *tcmsg_new(int type, int flags, const struct tcmsg *header,
			 const char *kind)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg copy = *header;

	msg = nlmsg_alloc_simple(type, flags);
	if (!msg || nlmsg_append(msg, &copy, sizeof(copy), NLMSG_ALIGNTO) < 0 ||
	    (kind && nla_put_string(msg, TCA_KIND, kind) < 0))
		return NULL;
	return TAKE_PTR(msg);
}

int tcmsg_parse(const struct nlmsghdr *message, struct tcmsg_view *ret_view)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message;

	if (nlmsg_parse(header, sizeof(struct tcmsg), ret_view->attrs, TCA_MAX,
			NULL) < 0)
		return -EBADMSG;
	ret_view->header = nlmsg_data(header);
	return 0;
}

void tcmsg_text(const struct nlattr *attr, char *ret_text, size_t size)
{
	int len = attr ? nla_len(attr) : 0;

	snprintf(ret_text, size, "%.*s", len,
		 attr ? (const char *)nla_data(attr) : "");
}

void tcmsg_kind(const struct tcmsg_view *view, char ret_kind[TC_KIND_MAX])
{
	tcmsg_text(view->attrs[TCA_KIND], ret_kind, TC_KIND_MAX);
}

/* An older kernel may send fewer bytes of a struct than we know. */
static void copy_attr(struct nlattr *attr, void *to, size_t size)
{
	size_t len;

	if (!attr)
		return;
	len = (size_t)nla_len(attr);
	memcpy(to, nla_data(attr), len < size ? len : size);
}

void tcmsg_stats(const struct tcmsg_view *view, struct queue_stats *ret_stats)
{
	struct nlattr *attrs[TCA_STATS_MAX + 1];
	struct gnet_stats_basic basic = { 0 };
	struct gnet_stats_queue queue = { 0 };
	uint64_t packets;

	*ret_stats = (struct queue_stats){ 0 };
	if (!view->attrs[TCA_STATS2] ||
	    nla_parse_nested(attrs, TCA_STATS_MAX, view->attrs[TCA_STATS2],
			     NULL) < 0)
		return;
	copy_attr(attrs[TCA_STATS_BASIC], &basic, sizeof(basic));
	copy_attr(attrs[TCA_STATS_QUEUE], &queue, sizeof(queue));
	packets = basic.packets; /* 32 bits; the next one has all */
	copy_attr(attrs[TCA_STATS_PKT64], &packets, sizeof(packets));
	*ret_stats = (struct queue_stats){
		.bytes = basic.bytes,
		.packets = packets,
		.drops = queue.drops,
		.queued = queue.qlen,
		.backlog_bytes = queue.backlog,
		.overlimits = queue.overlimits,
	};
}
