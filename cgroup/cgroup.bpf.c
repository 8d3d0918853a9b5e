/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs at the anchor cgroups.  A packet must satisfy every group its
 * cgroup is in: all filters are asked first, then all limits are charged, so
 * that what is denied costs nobody anything.
 */
#define PACKET_BEGINS_WITH_IP /* see rules/packet.bpf.h */

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/anchor.bpf.h"
#include "cgroup/call.bpf.h"
#include "cgroup/connect.bpf.h"
#include "cgroup/filter.bpf.h"
#include "cgroup/limit.bpf.h"

SEC("cgroup_skb/egress")
int group_out(struct __sk_buff *skb)
{
	__u64 stamp = stamp_read();
	const struct member *member;
	__u32 spent = 0, bytes = 0;
	bool has_quota, is_counted;
	int verdict, known;

	if (!policy_asks(stamp, MEMBER_LEAVES) || !anchor_is_active(stamp))
		return 1;
	known = known_packet(skb, stamp, HOOK_OUT);
	if (known == KNOWN_PASSES)
		return 1;
	if (known == KNOWN_BYSTANDER) {
		limit_lift(skb);
		return 1;
	}
	member = member_of_packet(skb, stamp);
	if (!member)
		return 0;
	if (bystander_note(member, bpf_skb_cgroup_id(skb), stamp, HOOK_OUT)) {
		limit_lift(skb);
		return 1;
	}
	if (known == KNOWN_NOT && !filter_packet(skb, member, stamp, HOOK_OUT))
		return 0;
	has_quota = member->flags & MEMBER_QUOTA &&
		    skb->ifindex != LOOPBACK_IFINDEX;
	is_counted = !(member->flags & (MEMBER_LIMIT_OUT | MEMBER_QUOTAS));
	if (has_quota)
		spent = limit_quota(skb, member, COUNT_OUT, is_counted);
	if (spent & SPENT_DENIED) {
		quota_denied(member->cgroup, spent, HOOK_OUT,
			     skb->gso_segs ?: 1);
		return 0;
	}
	if (!(member->flags & MEMBER_LIMIT_OUT) && !spent) {
		limit_lift(skb);
		if (has_quota && !is_counted)
			limit_count(skb, member, COUNT_OUT);
		return 1;
	}
	verdict = limit_out(skb, member, spent, &bytes);
	if (verdict == OUT_DROPS)
		return OUT_DROPS;
	if (has_quota)
		quota_count_all(member, bytes, COUNT_OUT);
	if (verdict == OUT_SLOWS)
		return OUT_SLOWS;
	return OUT_PASSES;
}

SEC("cgroup_skb/ingress")
int group_in(struct __sk_buff *skb)
{
	__u64 stamp = stamp_read();
	const struct member *member;
	__u32 spent = 0, bytes = 0;
	bool has_quota, is_counted;
	int known;

	if (!anchor_is_active(stamp))
		return 1;
	known = known_packet(skb, stamp, 0);
	if (known == KNOWN_PASSES)
		return 1;
	if (known == KNOWN_BYSTANDER) {
		window_lift(skb);
		return 1;
	}
	member = member_of_packet(skb, stamp);
	if (!member)
		return 0;
	if (bystander_note(member, bpf_skb_cgroup_id(skb), stamp, 0)) {
		window_lift(skb);
		return 1;
	}
	if (known == KNOWN_NOT && !filter_packet(skb, member, stamp, 0))
		return 0;
	has_quota = member->flags & MEMBER_QUOTA &&
		    skb->ifindex != LOOPBACK_IFINDEX;
	is_counted = !(member->flags & (MEMBER_LIMIT_IN | MEMBER_QUOTAS));
	if (has_quota)
		spent = limit_quota(skb, member, COUNT_IN, is_counted);
	if (spent & SPENT_DENIED) {
		quota_denied(member->cgroup, spent, 0, skb->gso_segs ?: 1);
		return 0;
	}
	if (!(member->flags & MEMBER_LIMIT_IN) && !spent) {
		window_lift(skb);
		if (has_quota && !is_counted)
			limit_count(skb, member, COUNT_IN);
		return 1;
	}
	if (!limit_in(skb, member, spent, &bytes))
		return 0;
	if (has_quota)
		quota_count_all(member, bytes, COUNT_IN);
	return 1;
}

#define CALL_PROGRAM(name, section, is_ip6, hook)                \
	SEC(section)                                             \
	int name(struct bpf_sock_addr *ctx)                      \
	{                                                        \
		__u32 generation = generation_read();            \
                                                                 \
		if (!anchor_is_active(generation))               \
			return 1;                                \
		if (!filter_call(ctx, generation, is_ip6, hook)) \
			return 0;                                \
		return 1;                                        \
	}

CALL_PROGRAM(group_connect4, "cgroup/connect4", 0, HOOK_OUT)
CALL_PROGRAM(group_connect6, "cgroup/connect6", 1, HOOK_OUT)
CALL_PROGRAM(group_sendmsg4, "cgroup/sendmsg4", 0, HOOK_OUT | HOOK_SENDMSG)
CALL_PROGRAM(group_sendmsg6, "cgroup/sendmsg6", 1, HOOK_OUT | HOOK_SENDMSG)

SEC("sockops")
int group_sockops(struct bpf_sock_ops *ops)
{
	if (!policy_asks(generation_read(), MEMBER_LEAVES))
		return 1;
	connect_socket(ops);
	limit_socket(ops);
	window_socket(ops);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
