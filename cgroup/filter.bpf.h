/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the chains of all groups that a packet, or a call, is in. */
#ifndef WEIR_CGROUP_FILTER_BPF_H
#define WEIR_CGROUP_FILTER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/connect.bpf.h"
#include "cgroup/member.bpf.h"
#include "cgroup/scope.bpf.h"
#include "rules/match.bpf.h"

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

/*
 * Whether all chains allow the packet.  States are found once, and the flow
 * is kept only when the packet may pass.
 */
static __always_inline bool filter_packet(struct __sk_buff *skb,
					  const struct member *member,
					  __u32 hook)
{
	__u32 slot = member->generation & 1, states = 0, i;
	bool keeps = false;

	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];
		const struct group_row *group = table_group(slot, at->group);
		__u32 chain;

		if (!group)
			continue;
		if (group->flags & KEEP_STATES && !keeps) {
			keeps = true;
			states = states_find(skb, member->cgroup, hook);
		}
		chain = chain_of(group, hook);
		if (chain == NONE ||
		    DECISION(chain_decide(skb, slot, chain, states, hook)) ==
			    ROW_ALLOW)
			continue;
		filter_denied(HOW(slot, 0, hook), at->group, at->cgroup,
			      skb->gso_segs ? skb->gso_segs : 1);
		if (hook & HOOK_OUT)
			connect_denied(skb, member->generation, chain);
		return false;
	}
	if (states & PACKET_KEEP)
		states_keep(skb, member->cgroup);
	return true;
}

#endif
