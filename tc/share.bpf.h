/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where groups share a limit: whose class a packet waits in, and in which of
 * its two lanes.  A flow is sparse as it is where it shares by flow, by what
 * the group is sure of; and all sparse flows together only as long as their
 * lane has that for sure, so that it never waits for others.
 */
#ifndef WEIR_TC_SHARE_BPF_H
#define WEIR_TC_SHARE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "rules/peer.bpf.h"
#include "rules/tables.bpf.h"
#include "tc/lane.bpf.h"
#include "tc/socket.bpf.h"

#define SHARE_CLOCKS 16384

/* A flow is sparse up to so many LANE_SHAREs of what its group has for that. */
#define SHARE_FLOW 4

/*
 * When a sparse lane will have sent what went there, in ns of CLOCK_MONOTONIC.
 * By a hash of class and device: of two that meet here each is bulk earlier.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHARE_CLOCKS);
	__type(key, __u32);
	__type(value, __u64);
} share_clocks SEC(".maps");

/* The share of the innermost of the packet's cgroups that has one. */
static __always_inline const struct share_value *share_find(
	struct __sk_buff *skb, __u32 slot, struct share_key *key, __u32 levels)
{
	const struct share_value *share;
	int level;

	for (level = CGROUP_LEVEL_MAX; level >= 0; level--) {
		if (!(levels >> level & 1))
			continue;
		key->cgroup = bpf_skb_ancestor_cgroup_id(skb, level);
		share = key->cgroup ? table_share(slot, key) : NULL;
		if (share)
			return share;
	}
	key->cgroup = 0;
	return table_share(slot, key);
}

/* Whether the sparse lane has room for the packet now. */
static __always_inline int share_spend(__u32 class, __u32 index, __u64 rate,
				       __u32 bytes, __u64 now)
{
	__u32 key = (class ^ index * 0x9e3779b1U) % SHARE_CLOCKS;
	__u64 *clock = bpf_map_lookup_elem(&share_clocks, &key), owes;

	if (!clock || rate < SHARE_SPARSE_LEAST)
		return 0;
	owes = bytes * LANE_SEC / rate;
	if (*clock > now)
		owes += *clock - now;
	if (owes > SHARE_SPARSE_BURST(rate) * LANE_SEC / rate)
		return 0;
	*clock = now + owes;
	return 1;
}

/* The lane of a share, as a priority. */
static __always_inline __u32 share_lane(struct __sk_buff *skb, int side,
					__u32 index, __u32 turn,
					const struct share_value *share,
					__u32 bytes)
{
	__u64 rate = share->sparse_bytes, now = bpf_ktime_get_ns(), *due;
	__u32 class = SHARE_CLASS(share->number, SHARE_WHOLE, turn);

	due = lane_flow(bpf_get_hash_recalc(skb), side, class ^ index << 16);
	if (!due || lane_charge(due, rate * SHARE_FLOW, bytes, 1, now))
		return SHARE_CLASS(share->number, SHARE_BULK, turn);
	if (share_spend(class, index * 2 + side, rate, bytes, now))
		return SHARE_CLASS(share->number, SHARE_SPARSE, turn);
	*due = now + lane_most(rate * SHARE_FLOW);
	return SHARE_CLASS(share->number, SHARE_BULK, turn);
}

/* For what leaves.  What is in no table is with all others. */
static __always_inline __u32 share_out(struct __sk_buff *skb, __u32 slot,
				       __u32 index,
				       const struct device_row *row,
				       __u32 bytes)
{
	struct share_key key = { .device = index, .side = SIDE_OUT };
	__u32 turn = DEVICE_CLASS_TURN(row->out_class);
	const struct share_value *share;

	share = share_find(skb, slot, &key, row->out_levels);
	return share ? share_lane(skb, SIDE_OUT, index, turn, share, bytes)
		     : SHARE_CLASS(0, SHARE_BULK, turn);
}

/*
 * Whether a group has something in place of its `in` for where the packet comes
 * from, which then does not wait for that.
 */
static __always_inline int in_is_excepted(struct __sk_buff *skb, __u32 slot,
					  __u32 index)
{
	const struct group_row *group = table_group(slot, index);

	return group && group->in.rate_bytes && group->in_from.count &&
	       peer_of_packet(skb, slot, group->in_from.first,
			      group->in_from.count, 0) >= 0;
}

/*
 * For what arrives; 0 for what need not wait: all others, without a limit.
 * Global, so that its stack is not also that of the program's other calls.
 */
__noinline int share_in(struct __sk_buff *skb, __u32 slot, __u32 index,
			__u32 bytes)
{
	struct share_key key = { .device = index, .side = SIDE_IN };
	const struct device_row *row = table_device(slot, index);
	const struct share_value *share;
	__u32 turn;

	if (!row)
		return 0;
	turn = DEVICE_CLASS_TURN(row->in_class);
	key.cgroup = socket_sharer(skb, slot, index);
	share = table_share(slot, &key);
	if (share && !in_is_excepted(skb, slot, share->group))
		return share_lane(skb, SIDE_IN, index, turn, share, bytes);
	return row->in.rate_bytes ? SHARE_CLASS(0, SHARE_BULK, turn) : 0;
}

#endif
