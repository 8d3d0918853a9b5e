/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A later fragment has no ports.  It is decided as the first was, if that was
 * allowed by the same policy and came before it.
 */
#ifndef WEIR_RULES_FRAGMENT_BPF_H
#define WEIR_RULES_FRAGMENT_BPF_H

#include "rules/packet.bpf.h"
#include "rules/tables.bpf.h"

/* What a receiver waits for the rest of a packet. */
#define FRAGMENT_NS 30000000000ULL

/*
 * place is the chain that decides, and the generation: a counter is another
 * rule's in the next.
 */
static __always_inline void fragment_key_make(const struct packet *p,
					      __u32 chain, struct flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->place = FLOW_FRAGMENT | chain |
		     (__u64)(generation_read() & FLOW_GENERATION) << 32;
	__builtin_memcpy(key->addr[0], &p->src, 16);
	__builtin_memcpy(key->addr[1], &p->dst, 16);
	__builtin_memcpy(key->port, &p->fragment, 4);
	key->protocol = p->family == 4 ? p->protocol : IPPROTO_FRAGMENT;
}

/*
 * An LRU map hands an element to the next key while somebody may still look at
 * it: the tag tells.
 */
static __always_inline __u32 fragment_tag(const struct flow_key *key)
{
	return flow_hash(key, 0) >> 32;
}

/* The counter of the rule that allowed the first; NONE if none did. */
static __always_inline __u32 fragment_find(const struct packet *p, __u32 chain)
{
	struct fragment *fragment;
	struct flow_key key;

	fragment_key_make(p, chain, &key);
	fragment = bpf_map_lookup_elem(&fragments, &key);
	if (!fragment || fragment->tag != fragment_tag(&key))
		return NONE;
	/* Another processor may have seen it a moment later. */
	if ((__s64)(bpf_ktime_get_ns() - fragment->seen_ns) >
	    (__s64)FRAGMENT_NS)
		return NONE;
	return fragment->counter;
}

static __always_inline void fragment_keep(const struct packet *p, __u32 chain,
					  __u32 counter)
{
	struct fragment fragment = { .seen_ns = bpf_ktime_get_ns() };
	struct flow_key key;

	fragment_key_make(p, chain, &key);
	fragment.counter = counter;
	fragment.tag = fragment_tag(&key);
	bpf_map_update_elem(&fragments, &key, &fragment, BPF_ANY);
}

#endif
