/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that never get a packet, as others before them take all of it. */
#ifndef WEIR_RULES_SHADOW_H
#define WEIR_RULES_SHADOW_H

#include "rules/policy.h"

/* A rule, wherever packets may come to it. */
struct shadow {
	/* What takes all that it would get there, and whose; NULL: nothing. */
	const struct rule *above;
	const struct chain *chain;
	bool is_met;	/* something may get there all the same */
	bool has_other; /* where others jump to it, it is another that does */
};

static inline bool shadow_is_dark(const struct shadow *shadow)
{
	return shadow->above && !shadow->is_met;
}

struct shadows {
	struct shadow *list; /* of all rules, chain by chain */
	size_t n_list;
	size_t *first; /* in the list, by chain */
	/*
	 * By chain that has a policy: the rule of it up to which was looked,
	 * where that takes too long; else NULL.
	 */
	const struct rule **given_up;
};

/*
 * Fills in which rules of a policy are covered (rules/cover.h) by one that
 * packets meet before them, also where chains are jumped to.  What nothing
 * leads to any more is not told of: the jump is.  The policy has been compiled,
 * so that jumps have an end.  -ENOMEM.
 */
int shadow_find(const struct policy *policy, struct shadows *ret_shadows);
void shadows_clear(struct shadows *shadows);

#endif
