/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets at a device, of a flow that its chain has allowed in this
 * generation, meet no rule: the verdict is in the table of known flows.
 */
#ifndef WEIR_TC_KNOWN_BPF_H
#define WEIR_TC_KNOWN_BPF_H

#include "rules/kernel.bpf.h"
#include "rules/known.bpf.h"

#define KNOWN_ETHERNET 1 /* ARPHRD_ETHER */

struct net_device___known {
	unsigned short type;
	unsigned short hard_header_len;
} RELOCATED;

struct sk_buff___known {
	struct net_device___known *dev;
} RELOCATED;

/*
 * Whether the packet lies as flow_id_of_device reads it, and others of its
 * device do, as long as they have no tags: no verdict of one that has no
 * Ethernet header is kept, and so none is found by what stands in its place.
 */
static __always_inline bool known_is_framed(struct __sk_buff *skb)
{
	struct sk_buff___known *real = (void *)kernel_address(skb);
	struct net_device___known *dev = NULL;
	__u16 type = 0, length = 0;

	READ(dev, &real->dev);
	if (!dev)
		return false;
	READ(type, &dev->type);
	READ(length, &dev->hard_header_len);
	return type == KNOWN_ETHERNET && length == ETH_HLEN &&
	       kernel_network(skb) == ETH_HLEN;
}

/*
 * Both are global, with numbers for arguments, for the room that they take on
 * the stack, and so that the verifier looks at them once.
 */

/* hook: HOOK_*, and the index of the device's row as its share. */
static __always_inline __u64 known_device(__u32 hook)
{
	return FLOW_DEVICE | hook >> HOOK_SHARE |
	       (hook & HOOK_OUT ? KNOWN_LEAVES : 0);
}

/* 1 where the packet may pass, and then it was counted; else 0. */
__noinline int known_at_device(struct __sk_buff *skb, __u64 stamp, __u32 hook)
{
	struct known_found found;
	struct flow_id id = { 0 };

	if (!flow_id_of_device(skb, &id) ||
	    !known_find(known_device(hook), stamp, &id, skb->ifindex, &found))
		return 0;
	known_count(skb, &found, &id, true);
	return 1;
}

/*
 * Keeps what the chain has allowed a packet; how: states in bits 0 … 7, and
 * DECIDED_*.  Returns 0.
 */
__noinline int known_keep_at_device(struct __sk_buff *skb, __u64 stamp,
				    __u32 hook, __u32 how, __u32 counter)
{
	__u32 random = bpf_get_prandom_u32();
	struct known known = { 0 };
	struct flow_id id = { 0 };

	if (!stamp_may_keep(stamp))
		return 0;
	if (!flow_id_of_device(skb, &id) ||
	    (random % KNOWN_SELDOM && !known_calls(&id)) ||
	    !known_is_framed(skb))
		return 0;
	if (how & (0xff | DECIDED_STATES)) {
		if (!known_for_a_moment(how, &id))
			return 0;
		known.flags = KNOWN_UNTIL;
	}
	known_make(skb, stamp, known_device(hook), &id, &known);
	known_set_counters(&known, (~0ULL << 32) | counter, ~0ULL);
	known_put(&known, &id, random);
	return 0;
}

#endif
