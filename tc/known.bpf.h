/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets at a device, of a flow that its chain has allowed in this
 * generation, meet no rule: the verdict is in the table of known flows.
 */
#ifndef WEIR_TC_KNOWN_BPF_H
#define WEIR_TC_KNOWN_BPF_H

#include "rules/known.bpf.h"

/*
 * Both are global, with numbers for arguments, for the room that they take on
 * the stack, and so that the verifier looks at them once.
 */

/* 1 where the packet may pass, and then it was counted; else 0. */
__noinline int known_at_device(struct __sk_buff *skb, __u64 stamp, __u64 place)
{
	struct known_found found;
	struct flow_id id;

	if (!flow_id_of_device(skb, &id) ||
	    !known_find(place, stamp, &id, skb->ifindex, &found))
		return 0;
	known_count(skb, &found, &id, true);
	return 1;
}

/*
 * Keeps what the chain has allowed a packet; how: states in bits 0 … 7, and
 * DECIDED_*.  Returns 0.
 */
__noinline int known_keep_at_device(struct __sk_buff *skb, __u64 stamp,
				    __u64 place, __u32 how, __u32 counter)
{
	__u32 random = bpf_get_prandom_u32();
	struct known known = { 0 };
	struct flow_id id = { 0 };

	if (random % KNOWN_SELDOM || !flow_id_of_device(skb, &id))
		return 0;
	if (how & (0xff | DECIDED_STATES)) {
		if (!known_for_a_moment(how, &id))
			return 0;
		known.flags = KNOWN_UNTIL;
	}
	known_make(skb, stamp, place, &id, &known);
	known_set_counters(&known, (~0ULL << 32) | counter, ~0ULL);
	known_put(&known, &id, random);
	return 0;
}

#endif
