/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the chains of all groups that a packet, or a call, is in. */
#ifndef WEIR_CGROUP_FILTER_BPF_H
#define WEIR_CGROUP_FILTER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/answer.bpf.h"
#include "cgroup/connect.bpf.h"
#include "cgroup/known.bpf.h"
#include "cgroup/member.bpf.h"
#include "cgroup/scope.bpf.h"
#include "rules/monitor_packet.bpf.h"
#include "rules/quick.bpf.h"

/* NULL for a fault, where the packet must be denied. */
static __always_inline const struct member *member_of_packet(
	struct __sk_buff *skb, __u32 generation)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return NULL;
	return member_get(bpf_skb_cgroup_id(skb), sk, generation);
}

static __always_inline __u32 chain_of(const struct group_row *group, __u32 hook)
{
	return hook & HOOK_OUT ? group->chain_out : group->chain_in;
}

/* Counts packets that a group's chain denied; returns 0.  slot | hook << 16 */
__noinline int filter_denied(__u32 how, __u32 index, __u64 cgroup,
			     __u32 packets)
{
	const struct group_row *group = table_group(how & 1, index);
	struct scope *scope = group ? scope_get(group, cgroup) : NULL;

	if (!scope)
		return 0;
	bpf_spin_lock(&scope->lock);
	if (how >> 16 & HOOK_OUT)
		scope->out_tally.denied_packets += packets;
	else
		scope->in_tally.denied_packets += packets;
	bpf_spin_unlock(&scope->lock);
	return 0;
}

/* A group's chain denied a packet; how: as above.  Returns 0. */
__noinline int filter_refused(struct __sk_buff *skb, __u32 how, __u32 index,
			      __u64 cgroup, __u32 generation)
{
	const struct group_row *group = table_group(how & 1, index);

	filter_denied(how, index, cgroup, skb->gso_segs ? skb->gso_segs : 1);
	if (group && how >> 16 & HOOK_OUT)
		connect_denied(skb, generation, group->chain_out);
	return 0;
}

/*
 * Whether all chains allow the packet; *ruling is then what they said.  States
 * are found once, and the flow is kept only when the packet may pass.
 */
static __always_inline bool filter_ask(struct __sk_buff *skb,
				       const struct member *member, __u32 hook,
				       struct ruling *ruling, __u32 *states)
{
	__u32 slot = member->generation & 1, i;
	bool keeps = false;
	__u64 decided;

	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];
		const struct group_row *group = table_group(slot, at->group);
		__u32 chain;

		if (!group)
			continue;
		if (group->flags & KEEP_STATES && !keeps) {
			keeps = true;
			*states =
				states_find(skb, member->cgroup,
					    hook | member->share << HOOK_SHARE);
		}
		chain = chain_of(group, hook);
		if (chain == NONE)
			continue;
		decided = chain_decide_quickly(skb, slot, chain, *states, hook);
		if (monitor_may_be_on())
			decided |= monitor_verdict(
				skb, HOW(slot, 0, hook),
				WHOSE(group->uid, member->generation), decided);
		if (DECISION(decided) == ROW_ALLOW) {
			ruling_add(ruling, decided);
			continue;
		}
		filter_refused(skb, HOW(slot, 0, hook), at->group, at->cgroup,
			       member->generation);
		if (!(hook & HOOK_OUT) && DECISION(decided) == ROW_REJECT)
			answer_arrived(skb);
		return false;
	}
	if (*states & PACKET_KEEP)
		states_keep(skb, member->cgroup,
			    hook | member->share << HOOK_SHARE);
	return true;
}

/* What the cgroup asks for besides chains, in a direction. */
static __always_inline __u32 filter_others(__u32 hook)
{
	return MEMBER_QUOTA |
	       (hook & HOOK_OUT ? MEMBER_LIMIT_OUT : MEMBER_LIMIT_IN);
}

/* Whether the packet may pass; then what was decided is kept for its flow. */
static __always_inline bool filter_packet(struct __sk_buff *skb,
					  const struct member *member,
					  __u64 stamp, __u32 hook)
{
	__u32 filter = hook & HOOK_OUT ? MEMBER_FILTER_OUT : MEMBER_FILTER_IN;
	__u32 states = 0, how = hook & HOOK_OUT ? KEEP_OUT : 0;
	struct ruling ruling = RULING_NEW;

	if (!(member->flags & filter_others(hook)))
		how |= KEEP_FINAL;
	if (!(member->flags & filter))
		return true;
	if (!filter_ask(skb, member, hook, &ruling, &states))
		return false;
	if (!(ruling.flags & DECIDED_VARIES))
		known_keep(skb, stamp, how | ruling.flags | (states & 0xff),
			   ruling.last, ruling.first);
	return true;
}

#endif
