/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a flow is in the table of its place: rules/flow_abi.h says how that is
 * laid out.  Who reads takes no lock: whoever puts another flow in the place
 * of one takes the tag away first, so a tag that is there still when all was
 * read was that flow's all the time.
 */
#ifndef WEIR_RULES_FLOW_TABLE_BPF_H
#define WEIR_RULES_FLOW_TABLE_BPF_H

#include "rules/packet.bpf.h"
#include "rules/tables.bpf.h"

#define FLOW_BARRIER() asm volatile("" : : : "memory")

static __always_inline __u32 flow_now(void)
{
	return bpf_ktime_get_ns() >> FLOW_TICK;
}

/* Where a key has its room. */
struct flow_at {
	struct flow_head *head;
	struct flow_line *line;
	__u32 tag;
	__u32 lock;
	__u32 index; /* of the line's block */
};

/* -1 where the share has no table. */
static __always_inline int flow_locate(const struct flow_key *key, __u32 share,
				       struct flow_at *ret_at)
{
	void *table = bpf_map_lookup_elem(&flows, &share);
	union flow_block *block;
	__u32 index = 0;
	__u64 hash;

	block = table ? bpf_map_lookup_elem(table, &index) : 0;
	if (!block)
		return -1;
	ret_at->head = &block->head;
	hash = flow_hash(key, block->head.seed);
	ret_at->tag = FLOW_TAG_OF(hash);
	index = FLOW_LINE_OF(hash) & block->head.mask;
	ret_at->lock = index & (FLOW_LOCKS - 1);
	index++;
	block = bpf_map_lookup_elem(table, &index);
	if (!block)
		return -1;
	ret_at->index = index;
	ret_at->line = &block->line;
	return 0;
}

static __always_inline int flow_has_key(const struct flow *flow,
					const struct flow_key *key)
{
	const __u64 *a = (const __u64 *)&flow->key, *b = (const __u64 *)key;
	__u64 differ = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < sizeof(*key) / 8; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/* The first way with a tag, by arithmetic: see is_zero.  FLOW_WAYS: none. */
static __always_inline __u32 flow_tagged(const struct flow_line *line,
					 __u32 tag)
{
	__u32 way = FLOW_WAYS, i, hit;

#pragma unroll
	for (i = FLOW_WAYS; i > 0; i--) {
		hit = -is_zero((line->tags[i - 1] & ~FLOW_BITS) ^ tag);
		barrier_var(hit);
		way = (way & ~hit) | ((i - 1) & hit);
	}
	return way;
}

/*
 * The way of its line that a key has; FLOW_WAYS: none.  Where two flows of a
 * line have one tag, which one in 100 million may have, only one is found.
 */
static __always_inline __u32 flow_way(const struct flow_at *at,
				      const struct flow_key *key)
{
	__u32 way = flow_tagged(at->line, at->tag);

	if (way >= FLOW_WAYS ||
	    !flow_has_key(&at->line->flows[way & (FLOW_WAYS - 1)], key))
		return FLOW_WAYS;
	return way & (FLOW_WAYS - 1);
}

static __always_inline int flow_is_over(const struct flow_line *line, __u32 way,
					__u32 now)
{
	return (__s32)(line->untils[way & (FLOW_WAYS - 1)] - now) < 0;
}

/* What a flow's going takes: less is sooner; from FLOW_TAKEN on, too much. */
#define FLOW_TAKEN ((__u32)FLOW_FIRM << 30)

static __always_inline __u32 flow_price(const struct flow_line *line, __u32 way,
					__u32 now)
{
	__u32 tag = line->tags[way], left = line->untils[way] - now;
	__u32 gone = is_zero(tag) | left >> 31;

	barrier_var(gone);
	return (left + 1 + ((tag & FLOW_BITS) << 30)) & (gone - 1);
}

/* The less of two below 1 << 63, by arithmetic: see is_zero. */
static __always_inline __u64 flow_less(__u64 a, __u64 b)
{
	__u64 differ = b - a, is_less;

	barrier_var(differ);
	is_less = (__s64)differ >> 63;
	barrier_var(is_less);
	return a + (differ & is_less);
}

/* The way where a new flow may go, with its price from bit 8 on. */
static __always_inline __u64 flow_choose(const struct flow_line *line,
					 __u32 now)
{
	__u64 best = ~0ULL >> 1;
	__u32 i;

#pragma unroll
	for (i = 0; i < FLOW_WAYS; i++)
		best = flow_less(best,
				 (__u64)flow_price(line, i, now) << 8 | i);
	return best;
}

/* What became of a new flow, and of the one before it: bits. */
enum {
	FLOW_OPENED = 1 << 0,
	FLOW_EVICTED = 1 << 1,
	FLOW_EXPIRED = 1 << 2,
	FLOW_FULL = 1 << 3,
};

static __always_inline void flow_count(struct flow_head *head, __u32 outcome)
{
	if (outcome & FLOW_OPENED)
		__sync_fetch_and_add(&head->opened, 1);
	if (outcome & FLOW_EVICTED)
		__sync_fetch_and_add(&head->evicted, 1);
	if (outcome & FLOW_EXPIRED)
		__sync_fetch_and_add(&head->expired, 1);
	if (outcome & FLOW_FULL)
		__sync_fetch_and_add(&head->full, 1);
}

#endif
