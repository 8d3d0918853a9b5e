/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/iface.h"

int compiler_problem(struct compiler *c, const struct where *where,
		     const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->failed = true;
	problem_add(c->problems, where->file, where->line, "%s", text);
	return 0;
}

int compiler_string(struct compiler *c, const char *text, str_off *ret_off)
{
	return image_add_string(c->image, text, ret_off);
}

int compiler_file(struct compiler *c, const struct where *where,
		  str_off *ret_off)
{
	const struct policy *policy = c->policy;
	size_t i;
	int r;

	for (i = 0; i < policy->n_files; i++) {
		if (policy->files[i] != where->file)
			continue;
		if (c->files[i] == 0) {
			r = compiler_string(c, where->file, &c->files[i]);
			if (r < 0)
				return r;
		}
		*ret_off = c->files[i];
		return 0;
	}
	return compiler_string(c, where->file, ret_off);
}

uint32_t compiler_chain(struct compiler *c, const struct where *where,
			const char *name)
{
	const struct chain *chain;

	if (!name)
		return NONE;
	chain = policy_chain(c->policy, name);
	if (chain)
		return chain - c->policy->chains;
	compiler_problem(c, where, "there is no chain '%s'", name);
	return NONE;
}

static uint8_t chain_flags(const struct rule_row *row, const struct rule *rule)
{
	uint8_t flags = 0;

	if (row->looks & LOOK_STATE)
		flags |= CHAIN_STATES;
	if (row->looks & LOOK_UID)
		flags |= CHAIN_UIDS;
	if (row->looks & LOOK_LIMIT)
		flags |= CHAIN_LIMITS;
	if (ifaces_may_have(&rule->ifaces, "lo"))
		flags |= CHAIN_LOOPBACK;
	return flags;
}

/* Of too many the first is named. */
static void count_limit(struct compiler *c, const struct rule *rule)
{
	if (rule->log && c->n_logs++ == RULE_LOGS_MAX)
		compiler_problem(c, &rule->where, "more than %d rules have log",
				 RULE_LOGS_MAX);
	if (rule->limit_count && c->n_limits++ == RULE_LIMITS_MAX)
		compiler_problem(c, &rule->where,
				 "more than %d rules have a limit",
				 RULE_LIMITS_MAX);
}

/* A chain as written: without its list and classifier. */
static int compile_written(struct compiler *c, const struct chain *chain)
{
	const struct chain_row *live = compile_live_chain(c, chain->name);
	struct chain_row row = { .first = c->image->n_rules };
	size_t i;
	int r;

	row.flags = chain->strict ? CHAIN_STRICT : 0;
	if (chain->n_rules &&
	    !array_extend(&c->image->rules, &c->image->n_rules,
			  sizeof(*c->image->rules), chain->n_rules))
		return -ENOMEM;
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		struct rule_row *rule_row = &c->image->rules[row.first + i];

		rule_row->chain = c->image->n_chains;
		rule_row->counter = compile_rule_counter(c, live, rule);
		r = compile_rule(c, chain, rule, rule_row);
		if (r < 0)
			return r;
		count_limit(c, rule);
	}
	row.count = chain->n_rules;
	row.counter = compile_policy_counter(c, live, chain);
	row.policy = chain->policy;
	row.line = chain->where.line;
	r = compiler_file(c, &chain->where, &row.file);
	if (r == 0)
		r = compiler_string(c, chain->name, &row.name);
	if (r < 0)
		return r;
	if (!ARRAY_ADD(c->image, chains))
		return -ENOMEM;
	c->image->chains[c->image->n_chains - 1] = row;
	return 0;
}

/* Notes a first rule that allows by states alone, and does nothing else. */
static void note_opening(const struct image *image, struct chain_row *row)
{
	const struct rule_row *first = &image->rules[row->walk];

	if (!row->walk_count || first->verdict != ROW_ALLOW ||
	    first->looks != LOOK_STATE || first->does)
		return;
	row->opens = first->states;
	row->opens_counter = first->counter;
}

/* … and with what packets meet. */
static int compile_chain(struct compiler *c, size_t index)
{
	const struct chain *chain = &c->policy->chains[index];
	CLEANUP(walk_rules_clear) struct walk_rules rules = { 0 };
	struct chain_row row = c->image->chains[index];
	size_t i;
	int r;

	r = compile_walk(c, chain, &row, &rules);
	for (i = 0; i < rules.n_list; i++)
		row.flags |= chain_flags(&c->image->rules[row.walk + i],
					 rules.list[i]);
	if (r == 0)
		r = compile_class(c, chain, &rules, &row);
	if (r < 0)
		return r;
	note_opening(c->image, &row);
	c->image->chains[index] = row;
	return 0;
}

static int compile_chains(struct compiler *c)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < c->policy->n_chains; i++)
		r = compile_written(c, &c->policy->chains[i]);
	for (i = 0; r == 0 && i < c->policy->n_chains; i++)
		r = compile_chain(c, i);
	return r;
}

static int compile_all(struct compiler *c)
{
	int r;

	r = compile_counters_begin(c);
	if (r == 0)
		r = compile_sets(c);
	if (r == 0)
		r = compile_chains(c);
	if (r == 0)
		r = compile_groups_begin(c);
	if (r == 0)
		r = compile_groups(c);
	if (r == 0)
		r = compile_devices(c);
	if (r == 0)
		r = compile_sets_end(c);
	return r;
}

int compile(const struct policy *policy, const struct image *live,
	    struct problems *problems, struct image **ret_image)
{
	CLEANUP(image_freep) struct image *image = image_new();
	struct compiler c = {
		.policy = policy,
		.live = live,
		.problems = problems,
		.image = image,
	};
	int r = -ENOMEM;

	c.files = calloc(policy->n_files + 1, sizeof(*c.files));
	c.walk_counts = calloc(policy->n_chains + 1, sizeof(*c.walk_counts));
	c.called = calloc(policy->n_chains + 1, sizeof(*c.called));
	if (image && c.files && c.walk_counts && c.called) {
		compile_calls(&c);
		r = compile_all(&c);
	}
	free(c.called);
	free(c.files);
	free(c.walk_counts);
	free(c.stores_used);
	set_lines_clear(&c.lists);
	compile_counters_end(&c);
	compile_groups_end(&c);
	if (r < 0)
		return r;
	if (c.failed)
		return -EINVAL;
	image_sort(image);
	*ret_image = TAKE_PTR(image);
	return 0;
}
