/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which limit a group has for the other end of a conversation. */
#ifndef WEIR_RULES_PEER_BPF_H
#define WEIR_RULES_PEER_BPF_H

#include "rules/side.bpf.h"

INNER_ARRAY(peers_inner, struct peer_row);

/* User space writes, all programs read. */
TABLE(peers_inner) peers SEC(".maps");

static __always_inline const struct peer_row *table_peer(__u32 slot,
							 __u32 index)
{
	return TABLE_ROW(peers, slot, index);
}

/*
 * The first of the rows first … first + count - 1 that has the address, given
 * in two halves; negative: none has.  Global, so that the verifier looks at it
 * once.
 */
__noinline int peer_find(__u32 slot, __u32 first, __u32 count, __u64 half0,
			 __u64 half1)
{
	union address address = { .halves = { half0, half1 } };
	const struct peer_row *row;
	__u32 i;

	for (i = 0; i < PEERS_MAX && i < count; i++) {
		row = table_peer(slot, first + i);
		if (!row)
			break;
		if (side_has(&row->side, &address, slot))
			return first + i;
	}
	return -1;
}

/* The same for a packet that leaves a group, or arrives in one. */
__noinline int peer_of_packet(struct __sk_buff *skb, __u32 slot, __u32 first,
			      __u32 count, __u32 leaves)
{
	union address address = { .halves = { 0, 0 } };
	__be32 ip4 = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes_relative(skb, leaves ? 16 : 12, &ip4,
					    sizeof(ip4), BPF_HDR_START_NET);
		address_map(&address, ip4);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		bpf_skb_load_bytes_relative(skb, leaves ? 24 : 8, &address,
					    sizeof(address), BPF_HDR_START_NET);
	} else {
		return -1;
	}
	return peer_find(slot, first, count, address.halves[0],
			 address.halves[1]);
}

#endif
