/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk through a batch of a chain's rules, as far as the one that the
 * classifier has found; what is made of it is in rules/match.bpf.h.
 */
#ifndef WEIR_RULES_WALK_BPF_H
#define WEIR_RULES_WALK_BPF_H

#include "rules/class.bpf.h"
#include "rules/packet.bpf.h"
#include "rules/row.bpf.h"
#include "rules/tables.bpf.h"

/*
 * The verifier would follow each way through the parser on its own through
 * all the rules, and whatever it learns of a rule through all that follow it.
 * A zero that it does not know to be one makes it forget what it knows, and
 * follow them all at once.  zeroes: of a chain.
 */
#define ZEROES(zero) ((zero)*0x0001000100010001ULL)

static __always_inline __u64 chain_zeroes(const struct chain_row *chain)
{
	/* Read again each time: the stack is short. */
	return ZEROES(*(const volatile __u16 *)&chain->zero);
}

static __always_inline __u64 forget(__u64 x, __u64 zeroes)
{
	OPAQUE(x);
	return x ^ zeroes;
}

static __always_inline void packet_forget(struct packet *p, __u64 zeroes)
{
	__u64 *words = (__u64 *)p;
	__u32 i;

	asm volatile("" : : "r"(words) : "memory");
	for (i = 0; i < sizeof(*p) / sizeof(*words); i++)
		words[i] ^= zeroes;
	asm volatile("" : : "r"(words) : "memory");
}

/*
 * Where a walk is, in the upper bits of a decision that is none yet: the index
 * from which on the classifier's rules have a say in bits 16 … 39, what is next
 * in the list in bits 40 … 63.  What comes before that index allows nothing: of
 * a malformed packet it may be unknown whether a jump or a return leads past.
 */
#define WALK_FROM   16
#define WALK_LISTED 40
#define WALK_KEPT   (~0ULL << WALK_FROM)
#define WALK_AT(from, listed) \
	((__u64)(from) << WALK_FROM | (__u64)(listed) << WALK_LISTED)

static __always_inline __u32 walk_from(__u64 kept)
{
	return kept >> WALK_FROM & CLASS_INDEX_MASK;
}

/* A walk through the list of a chain, and what it has come to. */
struct walk {
	__u64 at;      /* WALK_AT: one word, as the stack is short */
	__u32 tried;   /* as row_fits has it */
	__u32 is_call; /* a constant: no packet yet, but a process */
	__u32 wary;    /* a rule refuses the call if what is unknown is so */
	/* What decided: a rule's; or what led on. */
	__u32 verdict;
	__u32 counter;
};

enum {
	STEP_ON = 0, /* nothing yet */
	STEP_DECIDED = 1,
	STEP_LIMIT = 2, /* no rule of the list is left before the limit */
	STEP_END = 3,	/* no rule decides */
	STEP_LATER = 4, /* the rule decides if what is unknown is so */
	STEP_ASK = 5,	/* the rule that was found does not fit */
	STEP_LED = 6,	/* as STEP_ON, but what has led on is to be counted */
};

/* The next rule of the list; NONE at its end. */
static __always_inline __u32 walk_listed(const struct chain_row *chain,
					 __u32 slot, __u32 listed)
{
	const __u64 *word;

	if (listed >= chain->list_count)
		return NONE;
	if (chain->flags & CHAIN_LINEAR)
		return listed;
	word = TABLE_ROW(class_buckets, slot, chain->list + listed);
	return word ? *word : NONE;
}

/*
 * Where the walk goes on, if not at the next rule: does is 1 or 0.  Without
 * branches, as it is behind each rule.
 */
static __always_inline void walk_skip(const struct rule_row *row, __u64 does,
				      struct walk *walk)
{
	__u64 from = walk_from(walk->at), all = -does, past;

	OPAQUE(all);
	past = -is_below(from, row->skip, 0);
	from ^= (from ^ row->skip) & past;
	walk->at ^= (walk->at ^ WALK_AT(from, row->skip_listed)) & all;
}

/* Nothing before index has a say, or allows. */
static __always_inline void walk_pass(struct walk *walk, __u32 index)
{
	__u64 from = walk_from(walk->at), past = -is_below(from, index, 0);

	walk->at ^= WALK_AT((from ^ index) & past, 0);
}

/*
 * A jump or a return that fits, perhaps.  Of a malformed packet that is not
 * known, whatever might be met then may refuse it, and nothing is counted.
 */
static __always_inline int walk_lead(const struct rule_row *row, int fits,
				     struct walk *walk)
{
	walk->tried |= TRIED_LEAD;
	walk->counter = row->counter;
	if (fits == FITS) {
		walk_skip(row, is_zero(row->verdict ^ ROW_RETURN), walk);
		return STEP_LED;
	}
	walk_pass(walk, row->skip);
	walk->counter = NONE;
	return walk->is_call ? STEP_LATER : STEP_LED;
}

/* The rule of an index in the walk against the packet. */
static __always_inline int walk_try(const struct packet *p,
				    const struct chain_row *chain, __u32 slot,
				    __u32 states, __u32 index,
				    struct walk *walk)
{
	const struct rule_row *row = table_rule(slot, chain->walk + index);
	int fits;

	if (!row)
		return STEP_END;
	fits = row_fits(row, p, slot, states, &walk->tried);
	/* The verifier may forget which way it was told. */
	fits = forget(fits, row->line >> ROW_LINE_BITS);
	if (fits == FITS_NOT) {
		walk_skip(row, is_zero(row->verdict ^ ROW_JUMP), walk);
		return STEP_ON;
	}
	if (row->verdict > ROW_REJECT)
		return walk_lead(row, fits, walk);
	if (fits == FITS_PERHAPS && walk->is_call) {
		if (row->verdict == ROW_ALLOW)
			return STEP_LATER;
		walk->wary = 1;
		return STEP_ON;
	}
	if (fits == FITS_PERHAPS && row->verdict == ROW_ALLOW)
		return STEP_ON;
	if (row->verdict == ROW_ALLOW && row->skip <= walk_from(walk->at)) {
		walk->counter = NONE;
		return STEP_LED;
	}
	walk->verdict = row->verdict;
	walk->counter = row->counter;
	return STEP_DECIDED;
}

static __always_inline int found_is_plain(__u64 found)
{
	return !(FOUND_BITS(found) & ENTRY_CONFIRM);
}

/* The index before which the list is gone through, or NONE. */
static __always_inline __u32 walk_limit(const struct chain_row *chain,
					__u64 found)
{
	__u32 index = found ? FOUND_INDEX(found) : chain->lowest;

	return index == CLASS_INDEX_MASK ? NONE : index;
}

/*
 * A batch of the list's rules, as far as the one that the classifier has found;
 * found is 0 where it has not been asked: STEP_*.
 */
static __always_inline int walk_list(const struct packet *p,
				     const struct chain_row *chain, __u32 slot,
				     __u32 states, __u64 found,
				     struct walk *walk)
{
	__u32 i, index, limit = walk_limit(chain, found);
	int step;

	limit = forget(limit, chain_zeroes(chain));
	for (i = 0; i < WALK_BATCH; i++) {
		walk->tried = forget(walk->tried, chain_zeroes(chain));
		walk->at = forget(walk->at, chain_zeroes(chain));
		index = walk_listed(chain, slot, walk->at >> WALK_LISTED);
		if (index >= (__u32)forget(limit, chain_zeroes(chain)))
			return limit == NONE ? STEP_END : STEP_LIMIT;
		walk->at += WALK_AT(0, 1);
		step = walk_try(p, chain, slot, states, index, walk);
		if (step != STEP_ON)
			return step;
	}
	return STEP_ON;
}

/* The rule that the classifier has found, whose turn it is: STEP_*. */
static __always_inline int walk_found(const struct packet *p,
				      const struct chain_row *chain, __u32 slot,
				      __u32 states, __u64 found,
				      struct walk *walk)
{
	int step;

	if (!found_is_plain(found)) {
		walk->counter = NONE;
		step = walk_try(p, chain, slot, states, FOUND_INDEX(found),
				walk);
		if (step != STEP_ON && step != STEP_LED)
			return step;
		walk_pass(walk, FOUND_INDEX(found) + 1);
		return STEP_ASK;
	}
	walk->verdict = FOUND_BITS(found) & ENTRY_VERDICT;
	walk->counter = FOUND_COUNTER(found);
	return STEP_DECIDED;
}

#endif
