/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs at the anchor cgroups.  A packet must satisfy every group its
 * cgroup is in: all filters are asked first, then all limits are charged, so
 * that what is denied costs nobody anything.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/anchor.bpf.h"
#include "cgroup/filter.bpf.h"
#include "cgroup/limit.bpf.h"

SEC("cgroup_skb/egress")
int group_out(struct __sk_buff *skb)
{
	__u32 generation = generation_read();
	const struct member *member;

	if (!anchor_is_active(generation))
		return 1;
	member = member_of_packet(skb, generation);
	if (!member)
		return 0;
	if (!member->count)
		return 1;
	if (filter_packet(skb, member, FILTER_OUT) != VERDICT_PASS)
		return 0;
	if (!limit_out(skb, member))
		return 2; /* dropped, but sendmsg() of UDP gets no error */
	return 1;
}

SEC("cgroup_skb/ingress")
int group_in(struct __sk_buff *skb)
{
	__u32 generation = generation_read();
	const struct member *member;

	if (!anchor_is_active(generation))
		return 1;
	member = member_of_packet(skb, generation);
	if (!member)
		return 0;
	if (!member->count)
		return 1;
	if (filter_packet(skb, member, FILTER_IN) != VERDICT_PASS)
		return 0;
	if (!limit_in(skb, member))
		return 0;
	return 1;
}

/*
 * connect() and sendmsg() are asked before there is a packet, so that the
 * program gets its error at once: EPERM, or for `reject` ECONNREFUSED.
 */
#define CALL_HOOK(name, section, family)                   \
	SEC(section)                                       \
	int name(struct bpf_sock_addr *ctx)                \
	{                                                  \
		__u32 generation = generation_read();      \
                                                           \
		if (!anchor_is_active(generation))         \
			return 1;                          \
		if (!filter_call(ctx, generation, family)) \
			return 0;                          \
		return 1;                                  \
	}

CALL_HOOK(group_connect4, "cgroup/connect4", 4)
CALL_HOOK(group_connect6, "cgroup/connect6", 6)
CALL_HOOK(group_sendmsg4, "cgroup/sendmsg4", 4)
CALL_HOOK(group_sendmsg6, "cgroup/sendmsg6", 6)

SEC("sockops")
int group_sockops(struct bpf_sock_ops *ops)
{
	limit_socket(ops);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
