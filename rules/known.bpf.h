/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept verdicts: what they hold for, and the table of known flows.
 *
 * The table has cells of its own for each processor, and a flow has two that
 * it may be in.  What is not found there is decided by the rules, which is
 * all that may happen to anybody who fills it: so it is small enough to stay
 * in the processor's cache, and only TCP's SYNs and every few of the other
 * packets decided are put there.
 *
 * A program never leaves its processor, but may be interrupted by another: who
 * writes holds a lock, under which nothing interrupts it, and counts; who reads
 * looks whether anything was written meanwhile.
 */
#ifndef WEIR_RULES_KNOWN_BPF_H
#define WEIR_RULES_KNOWN_BPF_H

#include "rules/flow.bpf.h"
#include "rules/flow_id.bpf.h"
#include "rules/known_abi.h"
#include "rules/match.bpf.h"
#include "rules/tables.bpf.h"

/* One in so many verdicts is put into the table; of TCP, that of each SYN. */
#define KNOWN_SELDOM 8

/* Less than a second wherever a second has a hundred jiffies or more. */
#define KNOWN_JIFFIES 100

#define BARRIER() asm volatile("" : : : "memory")

/*
 * BPF writes and reads.  Whoever loads makes it as long for each processor as
 * it is declared here: what has no cell is not kept.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNOWN_CELLS);
	__type(key, __u32);
	__type(value, struct known_cell);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} known_flows SEC(".maps");

/*
 * BPF writes and reads: what is in the two cells of a flow, so that who is in
 * none of them, as most first packets of flows are, need not read them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KNOWN_PAIRS);
	__type(key, __u32);
	__type(value, struct known_tags);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} known_tags SEC(".maps");

/* Whether what is decided may be kept: not while a set is being changed. */
static __always_inline bool stamp_may_keep(__u64 stamp)
{
	return !(stamp >> 32 & 1);
}

/*
 * Counters of the chains that had a say, in two words, the last one lowest:
 * nothing that the verifier would follow for each number of them.
 */
struct ruling {
	__u64 last, first; /* NONE where there are less */
	__u32 flags;	   /* DECIDED_* of any of them */
};

#define RULING_NEW                            \
	{                                     \
		.last = ~0ULL, .first = ~0ULL \
	}

static __always_inline void ruling_add(struct ruling *ruling, __u64 decided)
{
	__u32 oldest = ruling->first >> 32;

	ruling->flags |= decided & (DECIDED_VARIES | DECIDED_STATES);
	/* One too many varies: it is not to be kept. */
	ruling->flags |= (is_zero(oldest ^ NONE) ^ 1) * DECIDED_VARIES;
	ruling->first = ruling->first << 32 | ruling->last >> 32;
	ruling->last = ruling->last << 32 | decided >> DECIDED_COUNTER;
}

/* What is left of a verdict, for the packet that it was found for. */
struct known_found {
	__u32 counters[KNOWN_CHAINS];
	__u32 until;
	__u16 flags;
};

static __always_inline void known_take(const struct known *known,
				       struct known_found *found)
{
	__builtin_memcpy(found->counters, known->counters,
			 sizeof(found->counters));
	found->until = known->until;
	found->flags = known->flags;
}

static __always_inline bool known_is_of(const struct known *known,
					const struct flow_id *id, __u32 ifindex)
{
	if (known->addresses[0] != id->addresses[0] ||
	    known->ports != id->ports || known->kind != id->kind ||
	    known->ifindex != ifindex)
		return false;
	return id->kind >> 8 == 4 || (known->addresses[1] == id->addresses[1] &&
				      known->addresses[2] == id->addresses[2] &&
				      known->addresses[3] == id->addresses[3]);
}

/* Whether a TCP segment does not change what is known of its connection. */
static __always_inline bool known_goes_on(const struct flow_id *id)
{
	return (__u8)id->kind != IPPROTO_TCP ||
	       (id->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) ==
		       TCP_ACK;
}

/* Whether it is a call, or the answer to one: more will follow. */
static __always_inline bool known_calls(const struct flow_id *id)
{
	return id->tcp_flags & TCP_SYN;
}

static __always_inline bool known_is_over(const struct known_found *found,
					  const struct flow_id *id)
{
	return found->flags & KNOWN_UNTIL &&
	       ((__s32)(found->until - (__u32)bpf_jiffies64()) <= 0 ||
		!known_goes_on(id));
}

/* is_soft: as counter_count has it. */
static __always_inline void known_count(struct __sk_buff *skb,
					const struct known_found *found,
					const struct flow_id *id, bool is_soft)
{
	__u32 i, segments = skb->gso_segs ?: 1;

#pragma unroll
	for (i = 0; i < KNOWN_CHAINS; i++) {
		if (found->counters[i] == NONE)
			break;
		counter_count(found->counters[i], segments, id->bytes, is_soft);
	}
}

static __always_inline __u64 known_hash(__u64 place, const struct flow_id *id)
{
	__u64 hash = place ^ id->addresses[0] ^ (__u64)id->ports << 16;

	if (id->kind >> 8 != 4)
		hash ^= (id->addresses[1] * 3 ^ id->addresses[2]) * 5 ^
			id->addresses[3];
	return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15ULL;
}

/* Which two cells of a processor a flow may be in. */
static __always_inline __u32 known_pair(__u64 hash)
{
	return (hash >> 40) % KNOWN_PAIRS;
}

/* What stands for a flow there; never 0. */
static __always_inline __u32 known_tag(__u64 hash)
{
	return (__u32)hash | 1;
}

/* One of the two on this processor: which is 0 or 1. */
static __always_inline struct known_cell *known_cell(__u32 pair, __u32 which)
{
	__u32 index =
		bpf_get_smp_processor_id() * KNOWN_CELLS + 2 * pair + which;

	return bpf_map_lookup_elem(&known_flows, &index);
}

static __always_inline bool known_find_in(struct known_cell *cell, __u64 place,
					  __u64 stamp, const struct flow_id *id,
					  __u32 ifindex,
					  struct known_found *found)
{
	volatile __u32 *writes = &cell->writes;
	__u32 before = *writes;

	BARRIER();
	if (cell->known.stamp != stamp || cell->known.place != place ||
	    !known_is_of(&cell->known, id, ifindex))
		return false;
	known_take(&cell->known, found);
	BARRIER();
	return *writes == before && !known_is_over(found, id);
}

static __always_inline bool known_find(__u64 place, __u64 stamp,
				       const struct flow_id *id, __u32 ifindex,
				       struct known_found *found)
{
	__u64 hash = known_hash(place, id);
	__u32 pair = known_pair(hash), tag = known_tag(hash);
	const struct known_tags *tags = bpf_map_lookup_elem(&known_tags, &pair);
	struct known_cell *cell;

	if (!tags || (tags->tags[0] != tag && tags->tags[1] != tag))
		return false;
	cell = known_cell(pair, tags->tags[0] != tag);
	return cell && known_find_in(cell, place, stamp, id, ifindex, found);
}

/* Everything of a verdict but its flags. */
static __always_inline void known_make(struct __sk_buff *skb, __u64 stamp,
				       __u64 place, const struct flow_id *id,
				       struct known *known)
{
	known->stamp = stamp;
	known->place = place;
	known->ifindex = skb->ifindex;
	known->ports = id->ports;
	known->kind = id->kind;
	known->until = (__u32)bpf_jiffies64() + KNOWN_JIFFIES;
	__builtin_memcpy(known->addresses, id->addresses,
			 sizeof(known->addresses));
}

/* Those that are none fall out. */
static __always_inline void known_set_counters(struct known *known, __u64 last,
					       __u64 first)
{
	__u64 kept_last = ~0ULL, kept_first = ~0ULL;
	__u32 i, counter;

#pragma unroll
	for (i = 0; i < KNOWN_CHAINS; i++) {
		counter = last;
		last = last >> 32 | first << 32;
		first >>= 32;
		if (counter == NONE)
			continue;
		kept_first = kept_first << 32 | kept_last >> 32;
		kept_last = kept_last << 32 | counter;
	}
	known->counters[0] = kept_last;
	known->counters[1] = kept_last >> 32;
	known->counters[2] = kept_first;
	known->counters[3] = kept_first >> 32;
}

/*
 * Whether a verdict that went by the table of flows can be kept for a moment,
 * in which that need not be told of the flow.  how: states and DECIDED_*.
 */
static __always_inline bool known_for_a_moment(__u32 how,
					       const struct flow_id *id)
{
	__u32 states = how & 0xff;

	if (states & PACKET_KEEP || !known_goes_on(id))
		return false;
	return states == PACKET_ESTABLISHED || !(how & DECIDED_STATES);
}

/*
 * Puts it where its tag is already, or in the place of one of two others.  The
 * tag comes last: whoever interrupts this finds another's, or nothing.
 */
static __always_inline void known_put(const struct known *known,
				      const struct flow_id *id, __u32 random)
{
	__u64 hash = known_hash(known->place, id);
	__u32 pair = known_pair(hash), tag = known_tag(hash), which;
	struct known_tags *tags = bpf_map_lookup_elem(&known_tags, &pair);
	struct known_cell *cell;

	if (!tags)
		return;
	which = tags->tags[0] != tag &&
		(tags->tags[1] == tag || random & KNOWN_SELDOM);
	cell = known_cell(pair, which);
	if (!cell)
		return;
	bpf_spin_lock(&cell->lock);
	cell->writes++;
	cell->known = *known;
	bpf_spin_unlock(&cell->lock);
	tags->tags[which & 1] = tag;
}

#endif
