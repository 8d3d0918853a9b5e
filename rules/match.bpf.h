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

/* What chain_decide returns: ROW_*, and of addresses also DECIDE_LATER. */
enum {
	DECIDE_LATER = 3, /* the packet will have to be seen */
	WALK_ON = 4,	  /* within: no rule of this batch matched */
	WALK_ON_WARY = 5, /* … and a call may be one that a rule refuses */
};

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

/* What few rules look at. */
#define LOOK_SELDOM                                                \
	(LOOK_ICMP_TYPE | LOOK_TCP_FLAGS | LOOK_MARK | LOOK_DSCP | \
	 LOOK_IFINDEX | LOOK_UID | LOOK_LENGTH)

/* The part that takes no look-ups: most rules end here. */
static __always_inline int row_fits_plainly(const struct rule_row *row,
					    __u32 looks, const struct packet *p,
					    __u32 states)
{
	if (looks & LOOK_PROTOCOL && row->protocol != p->protocol)
		return 0;
	if (looks & LOOK_FAMILY && row->family != p->family)
		return 0;
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

static __always_inline int row_fits(const struct rule_row *row,
				    const struct packet *p, __u32 slot,
				    __u32 states)
{
	__u32 looks = row->looks, unknown = looks & p->unknown;

	if (looks & p->absent || ~looks & p->required)
		return FITS_NOT;
	looks &= ~unknown;
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
	if (looks & LOOK_LIMIT &&
	    !limit_take(row->counter, row->limit_interval_ns,
			row->limit_burst_ns))
		return FITS_NOT;
	return FITS;
}

enum {
	MAY_DECIDE = 1 << 0, /* the rule does only if what is unknown is so */
	MAY_REFUSE = 1 << 1, /* so does one before it, which refuses a call */
};

/*
 * The first of the rules first … first + count - 1 that decides; NULL where
 * none does.  *perhaps: MAY_*.
 */
static __always_inline const struct rule_row *rules_walk(
	const struct packet *p, __u32 slot, __u32 states, __u32 first,
	__u32 count, int *perhaps)
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
		fits = row_fits(row, p, slot, states);
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

/* The policy's verdict, and what overrules it. */
static __always_inline int chain_end(const struct chain_row *chain,
				     const struct packet *p, __u32 hook)
{
	if (p->required)
		return ROW_ALLOW;
	if (hook & HOOK_DEVICE && !(chain->flags & CHAIN_STRICT) &&
	    safety_passes(p, hook & HOOK_OUT))
		return ROW_ALLOW;
	counter_add(chain->counter, p->segments, p->bytes);
	return chain->policy;
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

/* One batch of a chain: ROW_*, or WALK_ON. */
__noinline int chain_walk(struct __sk_buff *skb, __u32 how, __u32 index,
			  __u32 batch)
{
	__u32 slot = how & 1, states = how >> 8 & 0xff, hook = how >> 16;
	const struct chain_row *chain = table_chain(slot, index);
	__u32 counter, first = batch * WALK_BATCH;
	const struct rule_row *row = 0;
	struct packet packet;
	int perhaps = 0;

	if (!chain)
		return ROW_DENY;
	packet_read(skb, &packet);
	if (chain->flags & CHAIN_UIDS)
		packet_uid(skb, &packet);
	packet_forget(&packet, chain->zero);
	if (packet.flags & IS_MALFORMED)
		states = PACKET_INVALID;
	/* Chains are about IP. */
	if (packet.flags & IS_NOT_IP && !(chain->flags & CHAIN_STRICT))
		return ROW_ALLOW;
	if (packet.flags & IS_LATER_FRAGMENT && batch == 0) {
		counter = fragment_find(&packet, index);
		if (counter != NONE) {
			counter_add(counter, packet.segments, packet.bytes);
			return ROW_ALLOW;
		}
	}
	if (!packet.required || chain->flags & CHAIN_LOOPBACK)
		row = rules_walk(&packet, slot, states, chain->first + first,
				 chain->count - first, &perhaps);
	if (!row && first + WALK_BATCH < chain->count)
		return WALK_ON;
	if (!row)
		return chain_end(chain, &packet, hook);
	counter_add(row->counter, packet.segments, packet.bytes);
	if (packet.flags & IS_FIRST_FRAGMENT && row->verdict == ROW_ALLOW)
		fragment_keep(&packet, index, row->counter);
	return row->verdict;
}

/* WALK_STRIDE batches of a chain: ROW_*, or WALK_ON. */
__noinline int chain_stride(struct __sk_buff *skb, __u32 how, __u32 chain,
			    __u32 batch)
{
	int decision = WALK_ON;
	__u32 i;

	for (i = 0; i < WALK_STRIDE; i++) {
		decision = chain_walk(skb, how, chain, batch + i);
		if (decision != WALK_ON)
			break;
	}
	return decision;
}

/* All of a chain's batches but the first. */
__noinline int chain_strides(struct __sk_buff *skb, __u32 how, __u32 chain)
{
	int decision = WALK_ON;
	__u32 batch;

	for (batch = 1; batch < WALK_BATCHES; batch += WALK_STRIDE) {
		decision = chain_stride(skb, how, chain, batch);
		if (decision != WALK_ON)
			break;
	}
	return decision;
}

/*
 * ROW_DENY, ROW_ALLOW or ROW_REJECT; what else it might return denies, too.
 * states as of states_find, or 0 where the chain has no CHAIN_STATES; hook:
 * HOOK_*.  A packet must be allowed by all of its chains, and only then be
 * kept (states_keep).
 */
static __always_inline int chain_decide(struct __sk_buff *skb, __u32 slot,
					__u32 chain, __u32 states, __u32 hook)
{
	__u32 how = HOW(slot & 1, states & 0xff, hook);
	int decision = chain_walk(skb, how, chain, 0);

	if (decision == WALK_ON)
		decision = chain_strides(skb, how, chain);
	return decision;
}

#endif
