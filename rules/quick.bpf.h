/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short way to a verdict, for a packet that is in no way unusual
 * (rules/flow_id.bpf.h) and not of loopback: what the classifier is asked by is
 * read from the data itself.  What it cannot tell is left to
 * rules/match.bpf.h, which would say the same of any packet.
 */
#ifndef WEIR_RULES_QUICK_BPF_H
#define WEIR_RULES_QUICK_BPF_H

#include "rules/flow_id.bpf.h"
#include "rules/match.bpf.h"

/* Reads it where the hook has it; false: it is to be read in full. */
static __always_inline bool quick_read(struct __sk_buff *skb, __u32 hook,
				       struct flow_id *id)
{
	return skb->ifindex != LOOPBACK_IFINDEX && hook_flow_id(skb, hook, id);
}

/* Addresses in the host's byte order; -1 for IPv6 with IPv4-mapped ones. */
static __always_inline int quick_address6(struct flow_id *id)
{
	__u32 i, mapped = 0;

#pragma unroll
	for (i = 0; i < 4; i++)
		id->addresses[i] = bpf_be64_to_cpu(id->addresses[i]);
	mapped |= is_zero(id->addresses[0] | (id->addresses[1] >> 32 ^ 0xffff));
	mapped |= is_zero(id->addresses[2] | (id->addresses[3] >> 32 ^ 0xffff));
	return mapped ? -1 : 0;
}

/* As FOUND, of the rules from one on; 0: not told. */
static __always_inline __u64 quick_find(struct __sk_buff *skb,
					struct flow_id *id,
					const struct chain_row *chain,
					__u32 slot, __u32 from)
{
	__u64 rest = CLASS_REST(bpf_ntohl(id->ports) >> 16,
				bpf_ntohl(id->ports) & 0xffff, (__u8)id->kind);
	__u64 how = CLASS_HOW(slot, 0, from);
	__u64 addresses = bpf_be64_to_cpu(id->addresses[0]);

	if (id->kind >> 8 == 4)
		return class_find4(addresses, rest, how,
				   chain->roots[CLASS_IP4]);
	if (quick_address6(id) < 0)
		return 0;
	how |= CLASS_AT(BPF_HDR_START_NET, 0);
	return class_find6(skb, rest, how, chain->roots[CLASS_IP6]);
}

/* Whether the policy has an exception that this might be: of DHCP's ports. */
static __always_inline bool quick_is_excepted(const struct chain_row *chain,
					      const struct flow_id *id,
					      __u32 hook)
{
	return hook & HOOK_DEVICE && !(chain->flags & CHAIN_STRICT) &&
	       (__u8)id->kind == IPPROTO_UDP;
}

/* Whether the list has the first rule, which packets are looked at for here. */
static __always_inline __u32 quick_listed(const struct chain_row *chain)
{
	return chain->opens && chain->flags & CHAIN_LISTED;
}

/*
 * As chain_class from the first rule on, which may be one that allows by states
 * alone, as `allow established` does; or WALK_ASK, where nothing is told.
 */
__noinline __u64 chain_quick(struct __sk_buff *skb, __u32 how, __u32 index)
{
	__u32 slot = how & 1, hook = how >> 16, segments, flags;
	const struct chain_row *chain = table_chain(slot, index);
	struct flow_id id;
	__u64 found;

	if (!chain || !quick_read(skb, hook, &id))
		return WALK_ASK;
	segments = skb->gso_segs ?: 1;
	flags = chain->opens ? DECIDED_STATES : 0;
	if (chain->opens & how >> 8) {
		counter_add(chain->opens_counter, segments, id.bytes);
		return decided(ROW_ALLOW, flags, chain->opens_counter);
	}
	if (chain->flags & CHAIN_LISTED && !chain->opens)
		return WALK_ASK;
	found = quick_find(skb, &id, chain, slot, chain->opens != 0);
	if (!found)
		return WALK_ASK;
	if (!found_is_all(chain, slot, quick_listed(chain), found))
		return WALK_ON | found;
	if (FOUND_INDEX(found) != CLASS_INDEX_MASK)
		return found_decides(found, flags, segments, id.bytes);
	if (quick_is_excepted(chain, &id, hook))
		return WALK_ASK;
	counter_add(chain->counter, segments, id.bytes);
	return decided(chain->policy, flags, chain->counter);
}

/* As chain_decide, and the same of any packet.  hook: HOOK_FRAMED, too. */
static __always_inline __u64 chain_decide_quickly(struct __sk_buff *skb,
						  __u32 slot, __u32 chain,
						  __u32 states, __u32 hook)
{
	__u32 how = HOW(slot & 1, states & 0xff, hook);
	__u64 found;

	found = chain_quick(skb, how, chain);
	if (DECISION(found) == WALK_ASK && !chain_is_asked(slot, chain))
		return chain_rest(skb, how, chain, 0);
	return chain_all(skb, how, chain, found);
}

#endif
