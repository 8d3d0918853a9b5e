/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lane of a limit's class a packet waits in.  A flow is sparse while it
 * sends less than LANE_SHARE of the limit, but for LANE_SPARSE_NS of that at
 * once: a question, an answer, the first packets of anything.  Once it is bulk
 * it stays so for longer than what it left in its lane takes, so that its
 * packets do not overtake each other.
 *
 * Many flows may each be sparse and together more than the lane can take.
 * The longer it gets, the more each byte counts: so whoever sends the most of
 * them becomes bulk, and who asks for little never waits.
 */
#ifndef WEIR_TC_LANE_BPF_H
#define WEIR_TC_LANE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tc/device_abi.h"

#define LANE_SHARE     16
#define LANE_SPARSE_NS 50000000ULL
#define LANE_HOLD_NS   500000000ULL /* and the time that lane_queue() takes */
#define LANE_SEC       1000000000ULL
#define LANE_SEGMENTS  (2 * 1514ULL) /* bytes that are always sparse */
#define LANE_FLOWS     16384
#define LANE_LIMITS    1024
#define LANE_CROWD_NS  1000000ULL /* of the sparse lane: a byte counts twice */

/*
 * When all that a flow has sent would be paid for at its share, in ns of
 * CLOCK_MONOTONIC.  By a hash of the flow: two that meet here are one.  Behind
 * the flows, and by a hash of the limit: when all that is sparse will have
 * left at the half of the limit that is its own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LANE_FLOWS + LANE_LIMITS);
	__type(key, __u32);
	__type(value, __u64);
} lane_flows SEC(".maps");

/* For how long at its share a flow may be ahead and yet be sparse, in ns. */
static __always_inline __u64 lane_least(__u64 share)
{
	__u64 least = LANE_SEGMENTS * LANE_SEC / share;

	return least < LANE_SPARSE_NS ? LANE_SPARSE_NS : least;
}

/* And for how long, at most, it is bulk when it sends no more. */
static __always_inline __u64 lane_most(__u64 rate_bytes)
{
	return lane_least(rate_bytes / LANE_SHARE + 1) + LANE_HOLD_NS +
	       lane_queue(rate_bytes) * LANE_SEC / (rate_bytes ?: 1);
}

/* Whether the flow is bulk, with this packet.  Who loses a race is sparse. */
static __always_inline int lane_charge(__u64 *due, __u64 rate_bytes,
				       __u32 bytes, __u64 crowd, __u64 now)
{
	__u64 share = rate_bytes / LANE_SHARE + 1;
	__u64 least = lane_least(share), before = 0, owes, most;

	if (*due > now)
		before = *due - now;
	owes = before + bytes * LANE_SEC / share * crowd;
	if (owes <= least) {
		*due = now + owes;
		return 0;
	}
	most = lane_most(rate_bytes);
	if (before <= least || owes > most)
		owes = most;
	*due = now + owes;
	return 1;
}

/* How often a byte of the sparse counts, as they are too many together. */
static __always_inline __u64 lane_crowd(const __u64 *sparse, __u64 rate_bytes,
					__u64 now)
{
	__u64 unit = LANE_SEGMENTS * LANE_SEC / (rate_bytes / 2 + 1);
	__u64 ahead = *sparse > now ? *sparse - now : 0;

	if (ahead > LANE_SEC)
		ahead = LANE_SEC;
	return 1 + ahead / (unit > LANE_CROWD_NS ? unit : LANE_CROWD_NS);
}

static __always_inline void lane_sparse(__u64 *sparse, __u64 rate_bytes,
					__u32 bytes, __u64 now)
{
	__u64 from = *sparse > now ? *sparse : now;

	*sparse = from + bytes * LANE_SEC / (rate_bytes / 2 + 1);
}

/* What is known of the flow with this hash in a class, by that and the side. */
static __always_inline __u64 *lane_flow(__u32 hash, int side, __u32 class)
{
	__u32 key = (hash ^ (class + side * 2) * 0x9e3779b1U) % LANE_FLOWS;

	return bpf_map_lookup_elem(&lane_flows, &key);
}

/*
 * The lane, as a priority; class and rate_bytes: of the limit in force.  The
 * kernel's hash may be the same for both directions of a flow: side parts them.
 */
static __always_inline __u32 lane_choose(struct __sk_buff *skb, int side,
					 __u32 class, __u64 rate_bytes,
					 __u32 bytes)
{
	__u32 hash = bpf_get_hash_recalc(skb), lane = LANE_SPARSE;
	__u32 limit = (class + side * 2) * 0x9e3779b1U;
	__u32 all = LANE_FLOWS + (limit >> 16) % LANE_LIMITS;
	__u64 *sparse = bpf_map_lookup_elem(&lane_flows, &all);
	__u64 *due = lane_flow(hash, side, class);
	__u64 now = bpf_ktime_get_ns();

	if (due && sparse &&
	    lane_charge(due, rate_bytes, bytes,
			lane_crowd(sparse, rate_bytes, now), now))
		lane = LANE_BULK + (hash >> 16 & (lanes_for(rate_bytes) - 1));
	else if (sparse)
		lane_sparse(sparse, rate_bytes, bytes, now);
	return DEVICE_LANE(class, lane);
}

#endif
