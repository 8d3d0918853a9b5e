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
	if (skb->ifindex == LOOPBACK_IFINDEX)
		return false;
	if (!(hook & HOOK_DEVICE))
		return flow_id_of_socket(skb, id);
	return hook & HOOK_FRAMED && flow_id_of_device(skb, id);
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

/* As FOUND; 0: not told. */
static __always_inline __u64 quick_find(struct __sk_buff *skb,
					struct flow_id *id,
					const struct chain_row *chain,
					__u32 slot)
{
	__u64 rest = CLASS_REST(bpf_ntohl(id->ports) >> 16,
				bpf_ntohl(id->ports) & 0xffff, (__u8)id->kind);
	__u64 how = CLASS_HOW(slot, 0, 0);
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

/*
 * As chain_class from the first rule on; or WALK_ASK, where that has to be
 * asked.
 */
__noinline __u64 chain_quick(struct __sk_buff *skb, __u32 how, __u32 index)
{
	__u32 slot = how & 1, hook = how >> 16, segments;
	const struct chain_row *chain = table_chain(slot, index);
	struct flow_id id;
	__u64 found;

	if (!chain || !quick_read(skb, hook, &id))
		return WALK_ASK;
	found = quick_find(skb, &id, chain, slot);
	if (!found)
		return WALK_ASK;
	if (!found_is_all(chain, slot, 0, found))
		return WALK_ON | found;
	segments = skb->gso_segs ?: 1;
	if (FOUND_INDEX(found) != CLASS_INDEX_MASK)
		return found_decides(found, 0, segments, id.bytes);
	if (quick_is_excepted(chain, &id, hook))
		return WALK_ASK;
	counter_add(chain->counter, segments, id.bytes);
	return decided(chain->policy, 0, chain->counter);
}

/* As chain_decide, and the same of any packet.  hook: HOOK_FRAMED, too. */
static __always_inline __u64 chain_decide_quickly(struct __sk_buff *skb,
						  __u32 slot, __u32 chain,
						  __u32 states, __u32 hook)
{
	__u32 how = HOW(slot & 1, states & 0xff, hook);

	if (!chain_is_asked(slot, chain))
		return chain_rest(skb, how, chain, 0);
	return chain_all(skb, how, chain, chain_quick(skb, how, chain));
}

#endif
