/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits by address: which one of a group's a packet is charged to, told by the
 * other end's address in its IP header.  A group that has none pays for a look
 * at their number.
 */
#ifndef WEIR_CGROUP_PEER_BPF_H
#define WEIR_CGROUP_PEER_BPF_H

#include "rules/peer.bpf.h"

/* The limit that holds for a packet, and whose state it has. */
struct charged {
	struct limit_row limit; /* rate 0: none, but it is counted */
	__u32 uid;
	__u32 shape; /* SHAPE_* */
};

/* Replaces the group's limit by that of the other end, where it has one. */
static __always_inline void peer_limit(struct __sk_buff *skb, __u32 slot,
				       const struct peer_range *range,
				       bool leaves, struct charged *charged)
{
	const struct peer_row *row;
	int index;

	if (!range->count)
		return;
	index = peer_of_packet(skb, slot, range->first, range->count, leaves);
	row = index < 0 ? NULL : table_peer(slot, index);
	if (!row)
		return;
	charged->limit = row->limit;
	charged->uid = row->uid;
	charged->shape = row->shape;
}

/*
 * When a quota is used up: the limit that holds then in place of the group's.
 * What has a slower one by its address keeps that.
 */
static __always_inline void peer_limit_after(const struct group_row *group,
					     const struct limit_row *after,
					     __u32 shape,
					     struct charged *charged)
{
	if (charged->uid != group->uid && charged->limit.rate_bytes &&
	    charged->limit.rate_bytes <= after->rate_bytes)
		return;
	charged->limit = *after;
	charged->uid = group->uid;
	charged->shape = shape;
}

#endif
