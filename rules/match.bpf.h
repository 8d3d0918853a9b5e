/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which verdict a chain has on a packet: its rules are tried in order, the
 * first that matches decides, the chain's policy decides the rest.
 *
 * A rule that looks at something that a packet has not got does not match.
 * One that looks at something that a malformed packet does not tell matches
 * unless it would allow: so what cannot be read is denied by whatever might
 * deny it and allowed by nothing that might not.
 *
 * Nothing is kept outside the stack of the program, because a program that
 * runs for a process can be preempted, or interrupted by a softirq, on the
 * same processor: scratch per processor would change under it.  The verifier
 * would follow 4096 rules one by one, so WALK_BATCH of them are walked by a
 * global function that it looks at once; that takes numbers only (structs
 * came with 5.12), so it reads the packet again for every batch.
 */
#ifndef WEIR_RULES_MATCH_BPF_H
#define WEIR_RULES_MATCH_BPF_H

#include "rules/packet.bpf.h"
#include "rules/safety.bpf.h"
#include "rules/side.bpf.h"
#include "rules/state.bpf.h"
#include "rules/tables.bpf.h"
#include "rules/uid.bpf.h"

#define WALK_BATCH   16
#define WALK_STRIDE  16 /* batches, so that no loop is longer than this */
#define WALK_BATCHES (CHAIN_RULES_MAX / WALK_BATCH)

/* A decision: ROW_*, and of addresses also DECIDE_LATER. */
enum {
	DECIDE_LATER = 3, /* the packet will have to be seen */
	WALK_ON = 4,	  /* within: no rule of this batch matched */
	WALK_ON_WARY = 5, /* … and a call may be one that a rule refuses */
};

/*
 * What chain_decide returns: the decision in bits 0 … 7, two flags, and in
 * bits 32 … 63 the counter that was added to, or NONE.
 *
 * Without the flags every packet of the same addresses, ports, protocol and
 * interface is decided alike for as long as the generation stays, unless it
 * is a fragment or malformed.  DECIDED_STATES: every such packet in the same
 * state (PACKET_*).  The flags may be set although nothing came of it, never
 * left out where something might.
 */
enum {
	DECIDED_VARIES = 1 << 8,
	DECIDED_STATES = 1 << 9, /* a rule that was tried looks at states */
};

#define DECIDED_COUNTER	  32
#define DECISION(decided) ((decided)&0xff)

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

/* What few rules look at. */
#define LOOK_SELDOM                                                \
	(LOOK_ICMP_TYPE | LOOK_TCP_FLAGS | LOOK_MARK | LOOK_DSCP | \
	 LOOK_IFINDEX | LOOK_UID | LOOK_LENGTH)

/* What packets of one flow may differ in, beside their states. */
#define LOOK_VARYING                                                          \
	(LOOK_ICMP_TYPE | LOOK_TCP_FLAGS | LOOK_MARK | LOOK_DSCP | LOOK_UID | \
	 LOOK_LENGTH | LOOK_LIMIT)

/* The part that takes no look-ups: most rules end here. */
static __always_inline int row_fits_plainly(const struct rule_row *row,
					    __u32 looks, const struct packet *p,
					    __u32 states)
{
	if (looks & LOOK_STATE && !(row->states & states))
		return 0;
	if (!(looks & LOOK_SELDOM))
		return 1;
	if (looks & LOOK_ICMP_TYPE &&
	    !(row->icmp_types[p->icmp_type >> 6] >> (p->icmp_type & 63) & 1))
		return 0;
	if (looks & LOOK_TCP_FLAGS &&
	    (p->tcp_flags & row->tcp_mask) != row->tcp_value)
		return 0;
	if (looks & LOOK_MARK && (p->mark & row->mark_mask) != row->mark)
		return 0;
	if (looks & LOOK_DSCP && row->dscp != p->dscp)
		return 0;
	if (looks & LOOK_IFINDEX && row->ifindex != p->ifindex)
		return 0;
	if (looks & LOOK_UID && row->uid != p->uid)
		return 0;
	if (looks & LOOK_LENGTH &&
	    (p->length < row->length_first || p->length > row->length_last))
		return 0;
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

	if (looks & p->absent & ~LOOK_UID)
		return FITS_NOT;
	looks &= ~unknown;
	if (looks & LOOK_PROTOCOL && row->protocol != p->protocol)
		return FITS_NOT;
	if (looks & LOOK_FAMILY && row->family != p->family)
		return FITS_NOT;
	*tried |= looks;
	if (looks & p->absent)
		return FITS_NOT;
	if (!row_fits_plainly(row, looks, p, states))
		return FITS_NOT;
	if (looks & LOOK_SRC_PORT &&
	    !side_has_port(&row->src, p->src_port, slot))
		return FITS_NOT;
	if (looks & LOOK_DST_PORT &&
	    !side_has_port(&row->dst, p->dst_port, slot))
		return FITS_NOT;
	if (looks & LOOK_SRC &&
	    !((side_has(&row->src, &p->src, slot) ^ looks / LOOK_SRC_NOT) & 1))
		return FITS_NOT;
	if (looks & LOOK_DST &&
	    !((side_has(&row->dst, &p->dst, slot) ^ looks / LOOK_DST_NOT) & 1))
		return FITS_NOT;
	if (unknown)
		return FITS_PERHAPS;
	if (looks & LOOK_LIMIT && !row_takes(row, p))
		return FITS_NOT;
	return FITS;
}

static __always_inline int row_fits(const struct rule_row *row,
				    const struct packet *p, __u32 slot,
				    __u32 states, __u32 *tried)
{
	__u32 looks = row->looks;

	if (~looks & p->required)
		return FITS_NOT;
	return looks_fit(row, looks, p, slot, states, tried);
}

enum {
	MAY_DECIDE = 1 << 0, /* the rule does only if what is unknown is so */
	MAY_REFUSE = 1 << 1, /* so does one before it, which refuses a call */
};

/*
 * The first of the rules first … first + count - 1 that decides; NULL where
 * none does.  *perhaps: MAY_*; *tried: as row_fits has it.
 */
static __always_inline const struct rule_row *rules_walk(
	const struct packet *p, __u32 slot, __u32 states, __u32 first,
	__u32 count, int *perhaps, __u32 *tried)
{
	void *rows = bpf_map_lookup_elem(&rules, &slot);
	const struct rule_row *row;
	__u32 i, index;
	int fits;

	/* Each copy is an end of its own to the verifier, which prunes there.
	 */
#pragma unroll 16
	for (i = 0; rows && i < WALK_BATCH; i++) {
		if (i >= count)
			break;
		index = first + i;
		row = bpf_map_lookup_elem(rows, &index);
		if (!row)
			break;
		fits = row_fits(row, p, slot, states, tried);
		if (fits == FITS_NOT)
			continue;
		if (fits == FITS)
			return row;
		if (p->flags & IS_MALFORMED && row->verdict == ROW_ALLOW)
			continue;
		if (!(p->flags & IS_CALL) || row->verdict == ROW_ALLOW) {
			*perhaps |= MAY_DECIDE;
			return row;
		}
		*perhaps |= MAY_REFUSE;
	}
	return 0;
}

/* As chain_decide returns it. */
static __always_inline __u64 decided(__u32 decision, __u32 flags, __u32 counter)
{
	return decision | flags | (__u64)counter << DECIDED_COUNTER;
}

/* What a decision went by, that may be otherwise with the flow's next packet.
 */
static __always_inline __u32 decided_flags(const struct packet *p, __u32 tried)
{
	__u32 flags = 0;

	if (tried & LOOK_VARYING ||
	    p->flags & (IS_MALFORMED | IS_NOT_IP | IS_FIRST_FRAGMENT |
			IS_LATER_FRAGMENT))
		flags |= DECIDED_VARIES;
	if (tried & LOOK_STATE)
		flags |= DECIDED_STATES;
	return flags;
}

/*
 * The policy's verdict, and what overrules it: that goes by the type of ICMP
 * messages.
 */
static __always_inline __u64 chain_end(const struct chain_row *chain,
				       const struct packet *p, __u32 hook,
				       __u32 flags)
{
	if (p->required)
		return decided(ROW_ALLOW, flags, NONE);
	if (is_icmp(p))
		flags |= DECIDED_VARIES;
	if (hook & HOOK_DEVICE && !(chain->flags & CHAIN_STRICT) &&
	    safety_passes(p, hook & HOOK_OUT))
		return decided(ROW_ALLOW, flags, NONE);
	counter_add(chain->counter, p->segments, p->bytes);
	return decided(chain->policy, flags, chain->counter);
}

/*
 * The verifier would follow each way through the parser on its own through
 * all the rules.  A zero that it does not know to be one makes it forget
 * what it knows of the packet, and follow them all at once.
 */
static __always_inline void packet_forget(struct packet *p, __u16 zero)
{
	__u64 *words = (__u64 *)p, zeroes = zero * 0x0001000100010001ULL;
	__u32 i;

	asm volatile("" : : "r"(words) : "memory");
	for (i = 0; i < sizeof(*p) / sizeof(*words); i++)
		words[i] ^= zeroes;
	asm volatile("" : : "r"(words) : "memory");
}

/* How a walk goes: the slot, PACKET_* and HOOK_* in one number. */
#define HOW(slot, states, hook) ((slot) | (states) << 8 | (hook) << 16)

/* One batch of a chain: as chain_decide, or WALK_ON. */
__noinline __u64 chain_walk(struct __sk_buff *skb, __u32 how, __u32 index,
			    __u32 batch)
{
	__u32 slot = how & 1, states = how >> 8 & 0xff, hook = how >> 16;
	const struct chain_row *chain = table_chain(slot, index);
	__u32 counter, first = batch * WALK_BATCH, tried = 0, flags;
	const struct rule_row *row = 0;
	struct packet packet;
	int perhaps = 0;

	if (!chain)
		return decided(ROW_DENY, DECIDED_VARIES, NONE);
	packet_read(skb, &packet);
	if (hook & HOOK_DEVICE)
		packet_end_check(skb, &packet);
	if (chain->flags & CHAIN_UIDS)
		packet_uid(skb, &packet);
	packet_forget(&packet, chain->zero);
	if (packet.flags & IS_MALFORMED)
		states = PACKET_INVALID;
	/* Chains are about IP. */
	if (packet.flags & IS_NOT_IP && !(chain->flags & CHAIN_STRICT))
		return decided(ROW_ALLOW, DECIDED_VARIES, NONE);
	if ((packet.flags & (IS_LATER_FRAGMENT | IS_MALFORMED)) ==
		    IS_LATER_FRAGMENT &&
	    batch == 0) {
		counter = fragment_find(&packet, index);
		if (counter != NONE) {
			counter_add(counter, packet.segments, packet.bytes);
			return decided(ROW_ALLOW, DECIDED_VARIES, counter);
		}
	}
	if (!packet.required || chain->flags & CHAIN_LOOPBACK)
		row = rules_walk(&packet, slot, states, chain->first + first,
				 chain->count - first, &perhaps, &tried);
	flags = decided_flags(&packet, tried);
	if (!row && first + WALK_BATCH < chain->count)
		return decided(WALK_ON, flags, NONE);
	if (!row)
		return chain_end(chain, &packet, hook, flags);
	counter_add(row->counter, packet.segments, packet.bytes);
	if (packet.flags & IS_FIRST_FRAGMENT && row->verdict == ROW_ALLOW)
		fragment_keep(&packet, index, row->counter);
	return decided(row->verdict, flags, row->counter);
}

#define DECIDED_FLAGS (DECIDED_VARIES | DECIDED_STATES)

/* WALK_STRIDE batches of a chain: as chain_decide, or WALK_ON. */
__noinline __u64 chain_stride(struct __sk_buff *skb, __u32 how, __u32 chain,
			      __u32 batch)
{
	__u64 one = WALK_ON, flags = 0;
	__u32 i;

	for (i = 0; i < WALK_STRIDE; i++) {
		one = chain_walk(skb, how, chain, batch + i);
		flags |= one & DECIDED_FLAGS;
		if (DECISION(one) != WALK_ON)
			break;
	}
	return one | flags;
}

/* All of a chain's batches but the first. */
__noinline __u64 chain_strides(struct __sk_buff *skb, __u32 how, __u32 chain)
{
	__u64 one = WALK_ON, flags = 0;
	__u32 batch;

	for (batch = 1; batch < WALK_BATCHES; batch += WALK_STRIDE) {
		one = chain_stride(skb, how, chain, batch);
		flags |= one & DECIDED_FLAGS;
		if (DECISION(one) != WALK_ON)
			break;
	}
	return one | flags;
}

/*
 * DECISION() of it is ROW_DENY, ROW_ALLOW or ROW_REJECT; what else it might
 * be denies, too.  states as of states_find, or 0 where the chain has no
 * CHAIN_STATES; hook: HOOK_*.  A packet must be allowed by all of its chains,
 * and only then be kept (states_keep).
 */
static __always_inline __u64 chain_decide(struct __sk_buff *skb, __u32 slot,
					  __u32 chain, __u32 states, __u32 hook)
{
	__u32 how = HOW(slot & 1, states & 0xff, hook);
	__u64 one = chain_walk(skb, how, chain, 0);

	if (DECISION(one) == WALK_ON)
		one = chain_strides(skb, how, chain) | (one & DECIDED_FLAGS);
	return one;
}

#endif
