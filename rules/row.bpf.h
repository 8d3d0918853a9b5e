/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one rule fits a packet: what it looks at, and its limit.
 *
 * What takes no look-up is compared without branches, of which the verifier
 * would follow each through all the rules of a batch.
 */
#ifndef WEIR_RULES_ROW_BPF_H
#define WEIR_RULES_ROW_BPF_H

#include "rules/packet.bpf.h"
#include "rules/side.bpf.h"
#include "rules/tables.bpf.h"

enum {
	FITS_NOT = 0,
	FITS = 1,
	FITS_PERHAPS = 2,
};

/*
 * Takes a token, if there is one: the generic cell rate algorithm, where
 * due_ns is when all tokens taken so far would have come in one by one.
 */
__noinline int limit_take(__u32 counter, __u64 interval_ns, __u64 burst_ns)
{
	struct rule_limit *limit = bpf_map_lookup_elem(&rule_limits, &counter);
	__u64 due, now = bpf_ktime_get_ns();
	int taken = 0;

	if (!limit)
		return 0;
	bpf_spin_lock(&limit->lock);
	due = (limit->due_ns > now ? limit->due_ns : now) + interval_ns;
	if (due - now <= burst_ns) {
		limit->due_ns = due;
		taken = 1;
	}
	bpf_spin_unlock(&limit->lock);
	return taken;
}

_Static_assert(!(SOURCE_LINES & (SOURCE_LINES - 1)), "a mask is an index");

/* That of a source among the four of its line, or the one to make room. */
static __always_inline struct source_tokens *source_find(
	struct source_line *line, __u64 id)
{
	struct source_tokens *found = &line->ways[0];
	__u32 i;

#pragma unroll
	for (i = 0; i < SOURCE_WAYS; i++) {
		struct source_tokens *way = &line->ways[i];

		if (way->id == id)
			return way;
		if (way->due_ns < found->due_ns)
			found = way;
	}
	found->id = id;
	found->due_ns = 0;
	return found;
}

/*
 * As limit_take, for who has his own tokens.  It takes no more of the stack:
 * with that of its callers there would be none left on older kernels.
 */
__noinline int source_take(__u64 rule, __u64 source, __u64 interval_ns,
			   __u64 burst_ns)
{
	__u64 id = rule ^ source * 0x9e3779b97f4a7c15ULL, due, now;
	__u32 index = (id ^ id >> 32) * 0x85ebca6bU >> 7 & (SOURCE_LINES - 1);
	struct source_tokens *tokens;
	struct source_line *line;
	int taken = 0;

	line = bpf_map_lookup_elem(&source_limits, &index);
	if (!line)
		return 0;
	now = bpf_ktime_get_ns();
	bpf_spin_lock(&line->lock);
	tokens = source_find(line, id);
	due = (tokens->due_ns > now ? tokens->due_ns : now) + interval_ns;
	if (due - now <= burst_ns) {
		tokens->due_ns = due;
		taken = 1;
	}
	bpf_spin_unlock(&line->lock);
	return taken;
}

static __always_inline int row_takes(const struct rule_row *row,
				     const struct packet *p)
{
	__u64 rule = row->limit_source;

	if (!rule)
		return limit_take(row->counter, row->limit_interval_ns,
				  row->limit_burst_ns);
	if (p->family == 6)
		return source_take(~rule, p->src.halves[0],
				   row->limit_interval_ns, row->limit_burst_ns);
	return source_take(rule, p->src.words[3], row->limit_interval_ns,
			   row->limit_burst_ns);
}

/* Half of what an interface is called; 0 where that is not known. */
__noinline __u64 iface_half(__u32 slot, __u32 ifindex, __u32 half)
{
	struct iface_key key = { .ifindex = ifindex };
	const struct iface_name *name;
	void *inner;

	slot &= 1;
	inner = bpf_map_lookup_elem(&ifaces, &slot);
	name = inner ? bpf_map_lookup_elem(inner, &key) : 0;
	return name ? name->halves[half & 1] : 0;
}

/* What few rules look at. */
#define LOOK_SELDOM                                                \
	(LOOK_ICMP_TYPE | LOOK_TCP_FLAGS | LOOK_MARK | LOOK_DSCP | \
	 LOOK_IFINDEX | LOOK_UID | LOOK_LENGTH)

/* Beside LOOK_*, in what was tried: an element that is in until a timeout. */
#define TRIED_TIMEOUT (1U << 31)
/* … and a jump or a return that was counted, as the next packet is to be. */
#define TRIED_LEAD (1U << 30)

/* What packets of one flow may differ in, beside their states. */
#define LOOK_VARYING                                                          \
	(LOOK_ICMP_TYPE | LOOK_TCP_FLAGS | LOOK_MARK | LOOK_DSCP | LOOK_UID | \
	 LOOK_LENGTH | LOOK_LIMIT | TRIED_TIMEOUT | TRIED_LEAD)

/* Of SET_HAS*; what is not in stays out until somebody adds it. */
static __always_inline __u32 tried_timeout(__u32 has)
{
	return (has & SET_HAS_FOR_NOW) * (TRIED_TIMEOUT / SET_HAS_FOR_NOW);
}

/*
 * What differs, where a rule looks at the condition (one bit), else 0.  Opaque,
 * so that clang makes no branch of it: see is_zero.
 */
static __always_inline __u64 if_looks(__u32 looks, __u32 condition,
				      __u64 differs)
{
	__u64 all = -(__u64)(looks / condition % 2);

	OPAQUE(all);
	return all & differs;
}

/* Not 0 where what few rules look at differs. */
static __always_inline __u64 row_misses_seldom(const struct rule_row *row,
					       __u32 looks,
					       const struct packet *p)
{
	__u64 types = row->icmp_types[p->icmp_type >> 6];
	__u64 misses;

	misses = if_looks(looks, LOOK_ICMP_TYPE,
			  ~(types >> (p->icmp_type & 63)) & 1);
	misses |= if_looks(looks, LOOK_TCP_FLAGS,
			   (p->tcp_flags & row->tcp_mask) ^ row->tcp_value);
	misses |= if_looks(looks, LOOK_MARK,
			   (p->mark & row->mark_mask) ^ row->mark);
	misses |= if_looks(looks, LOOK_DSCP, row->dscp ^ p->dscp);
	misses |= if_looks(looks, LOOK_IFINDEX, row->ifindex ^ p->ifindex);
	misses |= if_looks(looks, LOOK_UID, row->uid ^ p->uid);
	misses |= if_looks(looks, LOOK_LENGTH,
			   is_below(p->length, row->length_first, 0) |
				   is_below(row->length_last, p->length, 0));
	return misses;
}

/* The part that takes no look-ups: most rules end here. */
static __always_inline int row_fits_plainly(const struct rule_row *row,
					    __u32 looks, const struct packet *p,
					    __u32 states)
{
	if (if_looks(looks, LOOK_STATE, is_zero(row->states & states)))
		return 0;
	return !(looks & LOOK_SELDOM) || !row_misses_seldom(row, looks, p);
}

/* The look-ups in sets, and comparisons with what is none. */
static __always_inline int row_fits_sides(const struct rule_row *row,
					  __u32 looks, const struct packet *p,
					  __u32 slot, __u32 *tried)
{
	__u32 has;

	if (looks & LOOK_SRC_PORT) {
		has = side_has_port(&row->src, p->src_port, slot);
		*tried |= tried_timeout(has);
		if (!(has & SET_HAS))
			return 0;
	}
	if (looks & LOOK_DST_PORT) {
		has = side_has_port(&row->dst, p->dst_port, slot);
		*tried |= tried_timeout(has);
		if (!(has & SET_HAS))
			return 0;
	}
	if (looks & LOOK_SRC) {
		has = side_has(&row->src, &p->src,
			       SLOT_AND_PORT(slot, p->src_port));
		*tried |= tried_timeout(has);
		if (!((has ^ looks / LOOK_SRC_NOT) & 1))
			return 0;
	}
	if (looks & LOOK_DST) {
		has = side_has(&row->dst, &p->dst,
			       SLOT_AND_PORT(slot, p->dst_port));
		*tried |= tried_timeout(has);
		if (!((has ^ looks / LOOK_DST_NOT) & 1))
			return 0;
	}
	if (looks & LOOK_IFACES) {
		has = set_has_address(slot, row->ifaces,
				      iface_half(slot, p->ifindex, 0),
				      iface_half(slot, p->ifindex, 1));
		*tried |= tried_timeout(has);
		return has & SET_HAS;
	}
	return 1;
}

/*
 * Whether a packet satisfies what looks names of a rule: all that it looks at,
 * or less (cgroup/explain.bpf.c asks for one after the other).  *tried gets
 * that, where it is about packets of this family and protocol.  Of one without
 * a full socket the user is absent, of the next one of its flow perhaps not.
 */
static __always_inline int looks_fit(const struct rule_row *row, __u32 looks,
				     const struct packet *p, __u32 slot,
				     __u32 states, __u32 *tried)
{
	__u32 unknown = looks & p->unknown;
	__u64 misses = looks & p->absent & ~LOOK_UID;

	looks &= ~unknown;
	misses |= if_looks(looks, LOOK_PROTOCOL, row->protocol ^ p->protocol);
	misses |= if_looks(looks, LOOK_FAMILY, row->family ^ p->family);
	if (misses)
		return FITS_NOT;
	*tried |= looks;
	OPAQUE(*tried);
	if (looks & p->absent)
		return FITS_NOT;
	if (!row_fits_plainly(row, looks, p, states))
		return FITS_NOT;
	if (!row_fits_sides(row, looks, p, slot, tried))
		return FITS_NOT;
	if (unknown)
		return FITS_PERHAPS;
	if (looks & LOOK_LIMIT && !row_takes(row, p))
		return FITS_NOT;
	return FITS;
}

/* What a row looks at, LOOK_IFINDEX being true where LOOK_LOOPBACK is. */
static __always_inline __u32 row_names(const struct rule_row *row)
{
	__u32 more = row->looks / (LOOK_LOOPBACK / LOOK_IFINDEX);

	return row->looks | (more & LOOK_IFINDEX);
}

static __always_inline int row_fits(const struct rule_row *row,
				    const struct packet *p, __u32 slot,
				    __u32 states, __u32 *tried)
{
	if (~row_names(row) & p->required)
		return FITS_NOT;
	return looks_fit(row, row->looks, p, slot, states, tried);
}

#endif
