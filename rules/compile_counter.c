/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which counter a rule gets.  An unchanged rule keeps the one it has; a new
 * one gets one that no rule in force has, not even one that is about to go:
 * until the switch, packets are still counted there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/compile_own.h"

static int compare_chain_names(const void *va, const void *vb, void *data)
{
	const uint32_t *a = va, *b = vb;
	const struct image *live = data;

	return strcmp(image_string(live, live->chains[*a].name),
		      image_string(live, live->chains[*b].name));
}

static void mark_used(struct compiler *c, uint32_t counter)
{
	if (counter < COUNTERS_MAX)
		c->counters_used[counter / 8] |= 1 << (counter % 8);
}

int compile_counters_begin(struct compiler *c)
{
	const struct image *live = c->live;
	size_t i;

	c->counters_used = calloc(1, COUNTERS_MAX / 8);
	if (!c->counters_used)
		return -ENOMEM;
	if (!live)
		return 0;
	for (i = 0; i < live->n_rules; i++)
		mark_used(c, live->rules[i].counter);
	for (i = 0; i < live->n_chains; i++)
		mark_used(c, live->chains[i].counter);
	c->live_chains = calloc(live->n_chains + 1, sizeof(*c->live_chains));
	if (!c->live_chains)
		return -ENOMEM;
	for (i = 0; i < live->n_chains; i++)
		c->live_chains[i] = i;
	qsort_r(c->live_chains, live->n_chains, sizeof(*c->live_chains),
		compare_chain_names, (void *)live);
	return 0;
}

void compile_counters_end(struct compiler *c)
{
	free(c->counters_used);
	free(c->live_chains);
}

const struct chain_row *compile_live_chain(const struct compiler *c,
					   const char *name)
{
	const struct image *live = c->live;
	size_t low = 0, high = live ? live->n_chains : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct chain_row *chain =
			&live->chains[c->live_chains[middle]];
		int r = strcmp(name, image_string(live, chain->name));

		if (r == 0)
			return chain;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static uint32_t new_counter(struct compiler *c, const struct where *where)
{
	uint32_t n = c->next_counter;

	while (n < COUNTERS_MAX && c->counters_used[n / 8] >> (n % 8) & 1)
		n++;
	c->next_counter = n + 1;
	if (n < COUNTERS_MAX)
		return n;
	if (n == COUNTERS_MAX)
		compiler_problem(c, where,
				 "rules and chains need more than %d "
				 "counters, together with those in force",
				 COUNTERS_MAX);
	c->next_counter = COUNTERS_MAX + 1;
	return NONE;
}

/*
 * Rules lie by number; a damaged table finds nothing.  Mostly it is the one
 * behind that which was found last.
 */
static const struct rule_row *live_rule(struct compiler *c,
					const struct chain_row *chain,
					uint32_t number)
{
	const struct image *live = c->live;
	size_t low = chain->first, high = low + chain->count;
	size_t next = c->next_live_rule++;

	if (high > live->n_rules)
		return NULL;
	if (next >= low && next < high && live->rules[next].number == number)
		return &live->rules[next];
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct rule_row *row = &live->rules[middle];

		if (row->number == number) {
			c->next_live_rule = middle + 1;
			return row;
		}
		if (number < row->number)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

uint32_t compile_rule_counter(struct compiler *c,
			      const struct chain_row *live_chain,
			      const struct rule *rule)
{
	const struct rule_row *row = NULL;

	if (live_chain)
		row = live_rule(c, live_chain, rule->number);
	if (row && row->counter < COUNTERS_MAX &&
	    strcmp(image_string(c->live, row->text), rule->text) == 0)
		return row->counter;
	return new_counter(c, &rule->where);
}

uint32_t compile_policy_counter(struct compiler *c,
				const struct chain_row *live_chain,
				const struct chain *chain)
{
	if (live_chain && live_chain->counter < COUNTERS_MAX &&
	    live_chain->policy == chain->policy)
		return live_chain->counter;
	return new_counter(c, &chain->where);
}
