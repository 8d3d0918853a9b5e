/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which verdict a chain has on a packet: the first of its rules that matches
 * decides, the chain's policy decides the rest.
 *
 * The classifier (rules/class.bpf.h) finds that rule, among those whose
 * addresses, ports and protocol it knows; those that look at none, and those
 * of a short chain, are in a list.  The two are gone through together, by the
 * rules' order.  A rule that looks at more than the classifier tells is
 * confirmed here, and where it does not match the search goes on behind it.
 *
 * A jump is followed by what it jumps to, and a return knows where that ends:
 * either is counted where it fits, and then leads on, or where it misses.
 * Before a rule that is jumped to is tried, its jump was: both are in the list,
 * or whatever the classifier finds is within what it finds the jump by.
 *
 * A rule that looks at something that a packet has not got does not match.
 * One that looks at something that a malformed packet does not tell matches
 * unless it would allow: so what cannot be read is denied by whatever might
 * deny it and allowed by nothing that might not.  Of the rules that the
 * classifier knows, any that refuses might deny it, and none allows it: a
 * malformed packet costs no more than another.
 *
 * Nothing is kept outside the stack of the program, because a program that
 * runs for a process can be preempted, or interrupted by a softirq, on the
 * same processor: scratch per processor would change under it.  The verifier
 * would follow thousands of steps one by one, so WALK_BATCH of them are done
 * by a global function that it looks at once; that takes numbers only (structs
 * came with 5.12), so it reads the packet again for every batch.  Few chains
 * take more than one.
 */
#ifndef WEIR_RULES_MATCH_BPF_H
#define WEIR_RULES_MATCH_BPF_H

#include "rules/class.bpf.h"
#include "rules/fragment.bpf.h"
#include "rules/packet.bpf.h"
#include "rules/safety.bpf.h"
#include "rules/state.bpf.h"
#include "rules/tables.bpf.h"
#include "rules/uid.bpf.h"
#include "rules/walk.bpf.h"

/* A decision: ROW_*, and of addresses also DECIDE_LATER. */
enum {
	DECIDE_LATER = 3, /* the packet will have to be seen */
	WALK_ON = 4,	  /* within: nothing is decided yet */
	WALK_ASK = 5,	  /* … and the classifier is to be asked */
	WALK_FIRST = 6,	  /* … and the first fragment's rule (chain_first) */
	WALK_FOUND = 7, /* … and it is the turn of the rule that was found */
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
	DECIDED_FIRST = 1 << 10, /* within: a first fragment may pass */
};

#define DECIDED_FLAGS	  (DECIDED_VARIES | DECIDED_STATES)
#define DECIDED_COUNTER	  32
#define DECISION(decided) ((decided)&0xff)

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

/* How a walk goes: the slot, PACKET_* and HOOK_* in one number. */
#define HOW(slot, states, hook) ((slot) | (states) << 8 | (hook) << 16)
/* … and DECIDED_* of the walk so far; and that chain_first has been asked. */
#define HOW_DECIDED(flags) ((__u32)((flags)&DECIDED_FLAGS) << 16)
#define HOW_FLAGS(how)	   ((how) >> 16 & DECIDED_FLAGS)
#define HOW_FIRST	   (1U << 31)

#define IS_FRAGMENT (IS_FIRST_FRAGMENT | IS_LATER_FRAGMENT)

/* Chains are about IP. */
static __always_inline int chain_ignores(const struct chain_row *chain,
					 const struct packet *p)
{
	return p->flags & IS_NOT_IP && !(chain->flags & CHAIN_STRICT);
}

/* Whether the rule that allowed its first fragment has a say. */
static __always_inline int chain_has_first(const struct packet *p, __u32 how)
{
	__u32 flags = p->flags & (IS_LATER_FRAGMENT | IS_MALFORMED);

	return is_zero((flags ^ IS_LATER_FRAGMENT) | (how & HOW_FIRST));
}

/* Rules about other interfaces have no say on loopback. */
static __always_inline int chain_is_about(const struct chain_row *chain,
					  const struct packet *p)
{
	return !p->required || chain->flags & CHAIN_LOOPBACK;
}

/*
 * The rule that the classifier finds, from kept on, as FOUND.  It is not asked
 * for a malformed packet: of its rules the first that refuses has it.
 */
static __always_inline __u64 chain_find(struct __sk_buff *skb,
					const struct packet *p,
					const struct chain_row *chain,
					__u32 slot, __u64 kept)
{
	const struct rule_row *row;

	if (!chain_is_about(chain, p))
		return FOUND_NONE;
	if (!(p->flags & IS_MALFORMED))
		return class_of_packet(skb, p, chain, slot, walk_from(kept));
	row = table_rule(slot, chain->walk + chain->refuses);
	if (!row || chain->refuses == NONE)
		return FOUND_NONE;
	return FOUND(chain->refuses,
		     row->counter | row->verdict << CLASS_BITS_SHIFT);
}

static __always_inline void chain_read(struct __sk_buff *skb, __u32 hook,
				       struct packet *p)
{
	packet_read(skb, p);
	if (hook & HOOK_DEVICE)
		packet_end_check(skb, p);
}

/* Whether what was found needs no look at its row, nor at the list before. */
static __always_inline int found_is_all(const struct chain_row *chain,
					__u32 slot, __u32 listed, __u64 found)
{
	return walk_listed(chain, slot, listed) >= FOUND_INDEX(found) &&
	       found_is_plain(found);
}

/* … and then it is a rule's verdict, as chain_decide returns it. */
static __always_inline __u64 found_decides(__u64 found, __u32 flags,
					   __u32 segments, __u32 bytes)
{
	__u32 counter = FOUND_COUNTER(found);

	counter_add(counter, segments, bytes);
	return decided(FOUND_BITS(found) & ENTRY_VERDICT, flags, counter);
}

/*
 * Asks the classifier.  Returns what chain_decide does where that is all there
 * is to do, as most often; else, and for fragments, WALK_ON with FOUND, for
 * chain_walk.
 */
__noinline __u64 chain_class(struct __sk_buff *skb, __u32 how, __u32 index,
			     __u64 kept)
{
	__u32 slot = how & 1, hook = how >> 16, flags;
	const struct chain_row *chain = table_chain(slot, index);
	struct packet packet;
	__u64 found;

	if (!chain)
		return decided(ROW_DENY, DECIDED_VARIES, NONE);
	chain_read(skb, hook, &packet);
	packet_forget(&packet, chain_zeroes(chain));
	if (chain_ignores(chain, &packet))
		return decided(ROW_ALLOW, DECIDED_VARIES, NONE);
	found = chain_find(skb, &packet, chain, slot, kept);
	if (!found_is_all(chain, slot, kept >> WALK_LISTED, found) ||
	    packet.flags & IS_FRAGMENT)
		return WALK_ON | found;
	flags = decided_flags(&packet, 0);
	if (FOUND_INDEX(found) == CLASS_INDEX_MASK)
		return chain_end(chain, &packet, hook, flags);
	return found_decides(found, flags, packet.segments, packet.bytes);
}

/* WALK_ON, or what chain_decide returns, where there is nothing to walk. */
static __always_inline __u64 chain_begin(struct __sk_buff *skb, __u32 *how,
					 const struct chain_row *chain,
					 struct packet *p)
{
	chain_read(skb, *how >> 16, p);
	if (chain->flags & CHAIN_UIDS)
		packet_uid(skb, p);
	packet_forget(p, chain_zeroes(chain));
	*how = forget(*how, chain_zeroes(chain));
	if (chain_ignores(chain, p))
		return decided(ROW_ALLOW, DECIDED_VARIES, NONE);
	return WALK_ON;
}

static __always_inline __u32 chain_states(const struct packet *p, __u32 how)
{
	return p->flags & IS_MALFORMED ? PACKET_INVALID : how >> 8 & 0xff;
}

/* What is next where the list is done up to what the classifier found. */
static __always_inline __u64 walk_limited(__u64 found, const struct walk *walk)
{
	return found && FOUND_INDEX(found) >= walk_from(walk->at) ? WALK_FOUND
								  : WALK_ASK;
}

/* What a walk has come to, as chain_walk returns it. */
static __always_inline __u64 chain_step(const struct chain_row *chain,
					const struct packet *p, __u32 how,
					__u64 found, int step,
					const struct walk *walk)
{
	__u64 at = walk->at;
	__u32 flags = decided_flags(p, walk->tried);

	if (step == STEP_LIMIT)
		return walk_limited(found, walk) | flags | at;
	if (step == STEP_ON)
		return WALK_ON | flags | at;
	if (step == STEP_END)
		return chain_end(chain, p, how >> 16, flags);
	counter_add(walk->counter, p->segments, p->bytes);
	if (step == STEP_LED)
		return WALK_ON | flags | at;
	if (step == STEP_ASK)
		return WALK_ASK | flags | at;
	if (p->flags & IS_FIRST_FRAGMENT && walk->verdict == ROW_ALLOW)
		flags |= DECIDED_FIRST;
	return decided(walk->verdict, flags, walk->counter);
}

/*
 * Goes through a batch of the list, as far as the rule that the classifier has
 * found; found is 0 where it has not been asked, as those of the list may come
 * first.  Returns what chain_decide does, WALK_FIRST, or WALK_ON, WALK_ASK or
 * WALK_FOUND and where it is.
 */
__noinline __u64 chain_walk(struct __sk_buff *skb, __u32 how, __u32 index,
			    __u64 kept, __u64 found)
{
	const struct chain_row *chain = table_chain(how & 1, index);
	struct walk walk = { .at = kept };
	struct packet packet;
	int step = STEP_END;
	__u64 begun;

	if (!chain)
		return decided(ROW_DENY, DECIDED_VARIES, NONE);
	begun = chain_begin(skb, &how, chain, &packet);
	if (begun != WALK_ON)
		return begun;
	if (chain_has_first(&packet, how))
		return WALK_FIRST;
	if (chain_is_about(chain, &packet))
		step = walk_list(&packet, chain, how & 1,
				 chain_states(&packet, how), found, &walk);
	return chain_step(chain, &packet, how,
			  forget(found, chain_zeroes(chain)), step, &walk);
}

/* The rule that the classifier has found, whose turn it is; as chain_walk. */
__noinline __u64 chain_found(struct __sk_buff *skb, __u32 how, __u32 index,
			     __u64 kept, __u64 found)
{
	const struct chain_row *chain = table_chain(how & 1, index);
	struct walk walk = { .at = kept };
	struct packet packet;
	__u64 begun;
	int step;

	if (!chain)
		return decided(ROW_DENY, DECIDED_VARIES, NONE);
	begun = chain_begin(skb, &how, chain, &packet);
	if (begun != WALK_ON)
		return begun;
	step = walk_found(&packet, chain, how & 1, chain_states(&packet, how),
			  found, &walk);
	return chain_step(chain, &packet, how, found, step, &walk);
}

/*
 * What the first fragment of a later one's packet was allowed by, as
 * chain_decide returns it; WALK_ON where that is not known.  A function of its
 * own, here and below, for a stack of its own.
 */
__noinline __u64 chain_first(struct __sk_buff *skb, __u32 index)
{
	struct packet packet;
	__u32 counter;

	packet_read(skb, &packet);
	counter = fragment_find(&packet, index);
	if (counter == NONE)
		return WALK_ON;
	counter_add(counter, packet.segments, packet.bytes);
	return decided(ROW_ALLOW, DECIDED_VARIES, counter);
}

/* The fragments that follow are decided alike. */
__noinline int chain_keep_first(struct __sk_buff *skb, __u32 index,
				__u32 counter)
{
	struct packet packet;

	packet_read(skb, &packet);
	fragment_keep(&packet, index, counter);
	return 0;
}

/*
 * As chain_walk, for a run of batches; the flags are those of the whole walk.
 * Of its own, as hundreds of turns of chain_rest would be followed one by one.
 */
#define WALK_RUN 32

__noinline __u64 chain_run(struct __sk_buff *skb, __u32 how, __u32 index,
			   __u64 kept, __u64 found)
{
	__u32 i;

	for (i = 0; i < WALK_RUN; i++) {
		kept = chain_walk(skb, how, index, kept & WALK_KEPT, found);
		how |= HOW_DECIDED(kept);
		if (DECISION(kept) != WALK_ON)
			break;
	}
	return kept | HOW_FLAGS(how);
}

/*
 * What is left of a chain: found is 0 or as chain_class returned it.  So many
 * steps are enough: where the classifier is asked, or the first fragment's
 * rule, a run may end early.
 *
 * Global, as hooks ask many chains and the verifier would follow each step of
 * each; and one function for all of it, as their stack is short.
 */
__noinline __u64 chain_rest(struct __sk_buff *skb, __u32 how, __u32 chain,
			    __u64 found)
{
	__u64 one = 0;
	__u32 i;

	for (i = 0; i < CHAIN_BATCHES_MAX / WALK_RUN + CHAIN_ASKS_MAX + 3;
	     i++) {
		if (DECISION(one) == WALK_ASK) {
			found = chain_class(skb, how, chain, one & WALK_KEPT);
			if (DECISION(found) != WALK_ON)
				return found | HOW_FLAGS(how);
		}
		one = chain_run(skb, how, chain, one & WALK_KEPT, found);
		how |= HOW_FIRST | HOW_DECIDED(one);
		if (DECISION(one) == WALK_FOUND)
			one = chain_found(skb, how, chain, one & WALK_KEPT,
					  found);
		if (DECISION(one) == WALK_FIRST)
			one = chain_first(skb, chain);
		how |= HOW_DECIDED(one);
		if (DECISION(one) != WALK_ON && DECISION(one) != WALK_ASK)
			break;
	}
	if (one & DECIDED_FIRST)
		chain_keep_first(skb, chain, one >> DECIDED_COUNTER);
	return (one & ~(__u64)DECIDED_FIRST) | HOW_FLAGS(how);
}

/* Whether the classifier has its say before any rule of the list. */
static __always_inline int chain_is_asked(__u32 slot, __u32 chain)
{
	const struct chain_row *row = table_chain(slot & 1, chain);

	return !row || !(row->flags & CHAIN_LISTED);
}

/* All of a chain; found: as chain_class returns it, or WALK_ASK. */
static __always_inline __u64 chain_all(struct __sk_buff *skb, __u32 how,
				       __u32 chain, __u64 found)
{
	if (DECISION(found) == WALK_ASK)
		found = chain_class(skb, how, chain, 0);
	if (DECISION(found) != WALK_ON)
		return found;
	return chain_rest(skb, how, chain, found);
}

/*
 * DECISION() of it is ROW_DENY, ROW_ALLOW or ROW_REJECT; what else it might
 * be denies, too.  states as of states_find, or 0 where the chain has no
 * CHAIN_STATES; hook: HOOK_*.  A packet must be allowed by all of its chains,
 * and only then be kept (states_keep).
 *
 * The classifier is asked from here, not from within a walk: their stacks
 * would not fit on top of each other.  Most often that is all there is to do.
 */
static __always_inline __u64 chain_decide(struct __sk_buff *skb, __u32 slot,
					  __u32 chain, __u32 states, __u32 hook)
{
	__u32 how = HOW(slot & 1, states & 0xff, hook);

	if (!chain_is_asked(slot, chain))
		return chain_rest(skb, how, chain, 0);
	return chain_all(skb, how, chain, WALK_ASK);
}

#endif
