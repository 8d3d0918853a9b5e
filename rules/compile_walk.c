/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rules a chain's packets may meet.  The programs know no jump within a
 * jump: where a chain jumps, a copy of its rules has behind each jump a copy of
 * those that it leads to.  So where a packet goes on is a number in the row of
 * the jump or the return.  Copies have the counter of what they are copies of.
 * Of a rule with several protocols there is a copy for each, one after the
 * other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/rule.h"

/* Rows of rules in an image, copies with them. */
#define ROWS_MAX (1U << 21)

struct copying {
	struct compiler *c;
	struct walk_rules *rules;
	size_t walk; /* the row of index 0 */
};

void walk_rules_clear(struct walk_rules *rules)
{
	free(rules->list);
	*rules = (struct walk_rules){ 0 };
}

/* Whether packets meet something else than is written. */
static bool chain_is_copied(const struct chain *chain)
{
	size_t i;

	for (i = 0; i < chain->n_rules; i++)
		if (chain->rules[i].chain || chain->rules[i].has_protocols)
			return true;
	return false;
}

static unsigned int count_protocols(const struct rule *rule)
{
	unsigned int i, n = 0;

	if (!rule->has_protocols)
		return 1;
	for (i = 0; i < 4; i++)
		n += __builtin_popcountll(rule->protocols[i]);
	return n;
}

static size_t index_of(const struct compiler *c, const struct chain *chain)
{
	return chain - c->policy->chains;
}

/* How many rules a chain's packets may meet. */
static uint64_t count_rules(struct compiler *c, const struct chain *chain)
{
	uint64_t *count = &c->walk_counts[index_of(c, chain)], n = *count;
	size_t i;

	if (n)
		return n;
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		uint64_t its = 1;

		if (rule->chain)
			its += count_rules(
				c, policy_chain(c->policy, rule->chain));
		n += its * count_protocols(rule);
	}
	/* So that no sum is too large for a number. */
	n = n < UINT32_MAX ? n : UINT32_MAX;
	*count = n;
	return n;
}

static int add_rule(struct walk_rules *rules, const struct rule *rule)
{
	const struct rule **place = ARRAY_ADD(rules, list);

	if (!place)
		return -ENOMEM;
	*place = rule;
	return 0;
}

/*
 * Tells the rules of a chain what is behind them: those of what it jumps to,
 * between first and end, know already.
 */
static void place_rules(struct rule_row *rows, size_t first, size_t end)
{
	size_t i;

	for (i = first; i < end; i++)
		if (!rows[i].skip)
			rows[i].skip = rows[i].verdict == ROW_RETURN ? end
								     : i + 1;
}

/* is_named: a jump that leads here names an interface. */
static int copy_chain(struct copying *copying, const struct chain *chain,
		      bool is_named);

/* protocol: of a list, the one that this copy is about; else PROTOCOL_ANY. */
static int copy_once(struct copying *copying, const struct rule *rule,
		     size_t written, bool is_named, int protocol)
{
	struct compiler *c = copying->c;
	size_t at = c->image->n_rules;
	struct rule_row *row = ARRAY_ADD(c->image, rules);
	int r;

	if (!row)
		return -ENOMEM;
	*row = c->image->rules[written];
	if (protocol != PROTOCOL_ANY) {
		row->looks |= LOOK_PROTOCOL;
		row->protocol = protocol;
	}
	if (is_named)
		row->looks |= LOOK_LOOPBACK;
	is_named |= (row->looks & (LOOK_IFINDEX | LOOK_IFACES)) != 0;
	r = add_rule(copying->rules, rule);
	if (r < 0 || !rule->chain)
		return r;
	r = copy_chain(copying, policy_chain(c->policy, rule->chain), is_named);
	c->image->rules[at].skip = c->image->n_rules - copying->walk;
	return r;
}

static int copy_rule(struct copying *copying, const struct rule *rule,
		     size_t written, bool is_named)
{
	unsigned int i;
	int r = 0;

	if (!rule->has_protocols)
		return copy_once(copying, rule, written, is_named,
				 PROTOCOL_ANY);
	for (i = 0; r == 0 && i < 256; i++)
		if (rule_has_protocol(rule, i))
			r = copy_once(copying, rule, written, is_named, i);
	return r;
}

static int copy_chain(struct copying *copying, const struct chain *chain,
		      bool is_named)
{
	struct compiler *c = copying->c;
	size_t i, first = c->image->n_rules - copying->walk;
	size_t written = c->image->chains[index_of(c, chain)].first;
	int r = 0;

	for (i = 0; r == 0 && i < chain->n_rules; i++)
		r = copy_rule(copying, &chain->rules[i], written + i, is_named);
	place_rules(&c->image->rules[copying->walk], first,
		    c->image->n_rules - copying->walk);
	return r;
}

static int walk_as_written(struct compiler *c, const struct chain *chain,
			   struct chain_row *row, struct walk_rules *ret_rules)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < chain->n_rules; i++)
		r = add_rule(ret_rules, &chain->rules[i]);
	row->walk = row->first;
	row->walk_count = row->count;
	if (c->image->n_rules)
		place_rules(&c->image->rules[row->first], 0, row->count);
	return r;
}

int compile_walk(struct compiler *c, const struct chain *chain,
		 struct chain_row *row, struct walk_rules *ret_rules)
{
	struct copying copying = { c, ret_rules, c->image->n_rules };
	uint64_t n;
	int r;

	if (chain->policy == VERDICT_NONE)
		return 0;
	if (!chain_is_copied(chain))
		return walk_as_written(c, chain, row, ret_rules);
	n = count_rules(c, chain);
	if (c->image->n_rules + n > ROWS_MAX)
		return compiler_problem(
			c, &chain->where,
			"chain '%s' has %s%llu rules with those that it jumps "
			"to, and those before it %zu: %u in all are possible",
			chain->name, n == UINT32_MAX ? "more than " : "",
			(unsigned long long)n, c->image->n_rules, ROWS_MAX);
	r = copy_chain(&copying, chain, false);
	row->walk = copying.walk;
	row->walk_count = c->image->n_rules - copying.walk;
	return r;
}
