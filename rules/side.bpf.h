/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one side of a packet has an address or port that a row names. */
#ifndef WEIR_RULES_SIDE_BPF_H
#define WEIR_RULES_SIDE_BPF_H

#include "rules/packet.bpf.h"
#include "rules/table.bpf.h"

struct elements_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct element_key));
	__uint(value_size, sizeof(struct element_value));
};

/* User space writes, the matcher reads. */
TABLE(elements_inner) elements SEC(".maps");

/* Whether a set has the address or port of the key (its full length). */
static __always_inline int table_has(__u32 slot, const struct element_key *key)
{
	void *inner = bpf_map_lookup_elem(&elements, &slot);

	return inner && bpf_map_lookup_elem(inner, key);
}

/* Whether a set has an address, given in two halves; or a port. */
__noinline int set_has_address(__u32 slot, __u32 set, __u64 half0, __u64 half1)
{
	struct element_key key = {
		.prefixlen = 32 + 128,
		.set = bpf_htonl(set),
	};

	__builtin_memcpy(key.data, &half0, 8);
	__builtin_memcpy(key.data + 8, &half1, 8);
	return table_has(slot, &key);
}

__noinline int set_has_port(__u32 slot, __u32 set, __u32 port)
{
	struct element_key key = {
		.prefixlen = 32 + 16,
		.set = bpf_htonl(set),
		.data = { port >> 8, port },
	};

	return table_has(slot, &key);
}

/* 1 where the side has the address, else 0. */
static __always_inline __u32 side_has(const struct row_side *side,
				      const union address *address, __u32 slot)
{
	const __u64 *addr = (const __u64 *)side->addr;
	const __u64 *mask = (const __u64 *)side->mask;

	if (side->set != NONE)
		return set_has_address(slot, side->set, address->halves[0],
				       address->halves[1]);
	return is_zero(((address->halves[0] & mask[0]) ^ addr[0]) |
		       ((address->halves[1] & mask[1]) ^ addr[1]));
}

static __always_inline int side_has_port(const struct row_side *side,
					 __u16 port, __u32 slot)
{
	if (side->port_set != NONE)
		return set_has_port(slot, side->port_set, port) != 0;
	return port >= side->port_first && port <= side->port_last;
}

#endif
