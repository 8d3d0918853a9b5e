/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each chain that has a policy is gone through as packets may go, into what it
 * jumps to.  There a rule has for facts what the jumps ask for, too.  What
 * decides takes its packets from all that follows; but where some have returned
 * before it, only from what others meet before they are back.
 */
#include "rules/shadow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "rules/iface.h"
#include "rules/shadow_search.h"

/* Beyond so many rules, met by way of jumps, these are not followed. */
#define WALK_MAX (1U << 18)

/* A chain that is gone through, from a jump or the beginning on. */
struct frame {
	const struct chain *chain;
	const struct rule *jump; /* NULL: the beginning */
	uint32_t up;
	bool is_open;
	bool has_return; /* some packets may have returned */
};

/* A rule that takes packets. */
struct taker {
	const struct rule *rule;
	uint32_t frame;
	uint32_t holds; /* the frame as long as which is open */
};

/* What a chain has, with all that it jumps to. */
struct note {
	uint64_t n; /* more than rules; 0: not known yet */
	bool is_target;
	bool names_lo; /* some rule may be about it */
};

struct walk {
	const struct policy *policy;
	struct shadows *shadows;
	struct note *notes; /* by chain */
	struct shadow_search *search;
	bool follows; /* jumps */
	struct frame *frames;
	size_t n_frames;
	struct taker *takers;
	size_t n_takers;
};

void shadows_clear(struct shadows *shadows)
{
	free(shadows->list);
	free(shadows->first);
	free(shadows->given_up);
	*shadows = (struct shadows){ 0 };
}

static struct note *note_of(const struct walk *walk, const struct chain *chain)
{
	return &walk->notes[chain - walk->policy->chains];
}

/* ---------------------------------------------------------- one rule */

static void gather(const struct walk *walk, const struct rule *rule,
		   uint32_t frame, struct facts *facts)
{
	const struct rule *jump;

	facts->list[0] = rule;
	facts->n_list = 1;
	/* Jumps count on loopback: rules behind them may name it. */
	facts->leads_to_lo =
		rule->chain &&
		note_of(walk, policy_chain(walk->policy, rule->chain))
			->names_lo;
	for (; (jump = walk->frames[frame].jump);
	     frame = walk->frames[frame].up)
		facts->list[facts->n_list++] = jump;
}

static bool covers(const void *data, uint32_t index, const struct facts *facts)
{
	const struct walk *walk = data;
	const struct taker *taker = &walk->takers[index];
	struct facts its;

	if (!walk->frames[taker->holds].is_open)
		return false;
	gather(walk, taker->rule, taker->frame, &its);
	return facts_cover(&its, facts);
}

/* The outermost frame that what decides here has the packets of. */
static uint32_t frame_held(const struct walk *walk, uint32_t frame)
{
	while (walk->frames[frame].jump && !walk->frames[frame].has_return)
		frame = walk->frames[frame].up;
	return frame;
}

static int add_taker(struct walk *walk, const struct rule *rule,
		     const struct facts *facts, uint32_t frame)
{
	struct taker *taker = ARRAY_ADD(walk, takers);

	if (!taker)
		return -ENOMEM;
	*taker = (struct taker){ rule, frame, frame };
	if (rule->verdict != VERDICT_RETURN)
		taker->holds = frame_held(walk, frame);
	shadow_search_add(walk->search, facts, walk->n_takers - 1);
	return 0;
}

static void darken(const struct walk *walk, struct shadow *shadow,
		   const struct taker *taker)
{
	shadow->has_other |= shadow->above && shadow->above != taker->rule;
	shadow->above = taker->rule;
	shadow->chain = walk->frames[taker->frame].chain;
}

/* ---------------------------------------------------------- the walk */

static int go_through(struct walk *walk, const struct chain *chain,
		      const struct rule *jump, uint32_t up);

static struct shadow *shadow_of(const struct walk *walk,
				const struct chain *chain, size_t index)
{
	size_t first = walk->shadows->first[chain - walk->policy->chains];

	return &walk->shadows->list[first + index];
}

static int meet(struct walk *walk, uint32_t frame, size_t index)
{
	const struct chain *chain = walk->frames[frame].chain;
	const struct rule *rule = &chain->rules[index];
	struct shadow *shadow = shadow_of(walk, chain, index);
	struct facts facts;
	uint32_t above;

	gather(walk, rule, frame, &facts);
	above = shadow_search_find(walk->search, &facts, covers, walk);
	/* What is covered itself covers nothing new, and leads nowhere. */
	if (above != SHADOW_NONE) {
		darken(walk, shadow, &walk->takers[above]);
		return 0;
	}
	shadow->is_met = true;
	if (rule->verdict == VERDICT_RETURN)
		walk->frames[frame].has_return = true;
	if (rule->verdict != VERDICT_JUMP)
		return rule->limit_count ? 0
					 : add_taker(walk, rule, &facts, frame);
	if (!walk->follows)
		return 0;
	return go_through(walk, policy_chain(walk->policy, rule->chain), rule,
			  frame);
}

static int go_through(struct walk *walk, const struct chain *chain,
		      const struct rule *jump, uint32_t up)
{
	struct frame *added = ARRAY_ADD(walk, frames);
	uint32_t frame = walk->n_frames - 1;
	size_t i;
	int r = 0;

	if (!added)
		return -ENOMEM;
	*added = (struct frame){ chain, jump, up, true, false };
	for (i = 0; r == 0 && i < chain->n_rules; i++) {
		if (shadow_search_is_over(walk->search))
			return 0;
		if (!jump)
			walk->shadows->given_up[chain - walk->policy->chains] =
				&chain->rules[i];
		r = meet(walk, frame, i);
	}
	walk->frames[frame].is_open = false;
	return r;
}

/* Of the rest of a chain, and of all chains that are jumped to. */
static void give_up(struct walk *walk, const struct chain *root, size_t rest)
{
	const struct policy *policy = walk->policy;
	size_t i, j;

	for (i = rest; i < root->n_rules; i++)
		shadow_of(walk, root, i)->is_met = true;
	for (i = 0; i < policy->n_chains; i++)
		for (j = 0;
		     walk->notes[i].is_target && j < policy->chains[i].n_rules;
		     j++)
			shadow_of(walk, &policy->chains[i], j)->is_met = true;
}

static int look(struct walk *walk, const struct chain *root, uint64_t n)
{
	CLEANUP(shadow_search_freep) struct shadow_search *search = NULL;
	size_t index = root - walk->policy->chains, rest = root->n_rules;
	const struct rule **given_up = &walk->shadows->given_up[index];
	int r;

	walk->follows = n == 1 + root->n_rules || n <= WALK_MAX;
	r = shadow_search_new(walk->follows ? n : 1 + root->n_rules, &search);
	if (r < 0)
		return r;
	walk->search = search;
	walk->n_frames = walk->n_takers = 0;
	r = go_through(walk, root, NULL, 0);
	if (r < 0)
		return r;
	if (shadow_search_is_over(search))
		rest = *given_up - root->rules;
	else
		*given_up = NULL;
	if (!walk->follows || *given_up)
		give_up(walk, root, rest);
	return 0;
}

/* ----------------------------------------------------------- chains */

static void take_note(struct walk *walk, size_t index)
{
	const struct chain *chain = &walk->policy->chains[index];
	struct note *note = &walk->notes[index];
	size_t i;

	if (note->n)
		return;
	note->n = 1 + chain->n_rules;
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		const struct chain *target;

		note->names_lo |= ifaces_may_have(&rule->ifaces, "lo");
		if (!rule->chain)
			continue;
		target = policy_chain(walk->policy, rule->chain);
		take_note(walk, target - walk->policy->chains);
		note_of(walk, target)->is_target = true;
		note->names_lo |= note_of(walk, target)->names_lo;
		note->n += note_of(walk, target)->n;
	}
}

static int look_at_all(struct walk *walk)
{
	const struct policy *policy = walk->policy;
	size_t i;
	int r = 0;

	for (i = 0; i < policy->n_chains; i++)
		take_note(walk, i);
	for (i = 0; r == 0 && i < policy->n_chains; i++)
		if (policy->chains[i].policy != VERDICT_NONE)
			r = look(walk, &policy->chains[i], walk->notes[i].n);
	return r;
}

static int shadows_make(const struct policy *policy,
			struct shadows *ret_shadows)
{
	size_t i, n = 0;

	ret_shadows->first = calloc(policy->n_chains + 1, sizeof(size_t));
	ret_shadows->given_up =
		calloc(policy->n_chains + 1, sizeof(*ret_shadows->given_up));
	for (i = 0; ret_shadows->first && i < policy->n_chains; i++) {
		ret_shadows->first[i] = n;
		n += policy->chains[i].n_rules;
	}
	ret_shadows->list = calloc(n + 1, sizeof(*ret_shadows->list));
	ret_shadows->n_list = n;
	return ret_shadows->first && ret_shadows->given_up && ret_shadows->list
		       ? 0
		       : -ENOMEM;
}

int shadow_find(const struct policy *policy, struct shadows *ret_shadows)
{
	CLEANUP(shadows_clear) struct shadows shadows = { 0 };
	struct walk walk = { .policy = policy, .shadows = &shadows };
	int r = shadows_make(policy, &shadows);

	walk.notes = calloc(policy->n_chains + 1, sizeof(*walk.notes));
	if (r == 0)
		r = walk.notes ? look_at_all(&walk) : -ENOMEM;
	free(walk.notes);
	free(walk.frames);
	free(walk.takers);
	if (r < 0)
		return r;
	*ret_shadows = shadows;
	shadows = (struct shadows){ 0 };
	return 0;
}
