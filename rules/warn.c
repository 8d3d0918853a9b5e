/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/warn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/shadow.h"

/* The first of these sets if all of them are empty, else NULL. */
static const char *all_empty(const struct policy *policy, char *const *names,
			     size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct set *set = policy_set(policy, names[i]);

		if (!set || elements_count(&set->elements))
			return NULL;
	}
	return n ? names[0] : NULL;
}

/* The set for whose want of elements no packet matches, or NULL. */
static const char *empty_set(const struct policy *policy,
			     const struct endpoint *end)
{
	const char *set = NULL;

	if (!end->n_networks && !end->negated)
		set = all_empty(policy, end->sets, end->n_sets);
	if (!set && !end->n_ports)
		set = all_empty(policy, end->port_sets, end->n_port_sets);
	return set;
}

/* Whether the rule itself cannot match. */
static bool warn_of_rule(const struct policy *policy, const struct rule *rule,
			 struct problems *warnings)
{
	const char *why = rule_contradiction(rule);
	const char *set = empty_set(policy, &rule->from);

	if (!set)
		set = empty_set(policy, &rule->to);
	if (!set && !rule->ifaces.names.n_list)
		set = all_empty(policy, rule->ifaces.sets, rule->ifaces.n_sets);
	if (!why && !set)
		return false;
	if (why)
		problem_add(warnings, rule->where.file, rule->where.line,
			    "%u: no packet can match: %s", rule->number, why);
	else
		problem_add(warnings, rule->where.file, rule->where.line,
			    "%u: no packet can match as long as set '%s' is "
			    "empty",
			    rule->number, set);
	return true;
}

static void warn_of_shadow(const struct rule *rule, const struct chain *chain,
			   const struct shadow *shadow,
			   struct problems *warnings)
{
	const struct rule *above = shadow->above;
	bool is_far = shadow->chain != chain;

	problem_add(warnings, rule->where.file, rule->where.line,
		    shadow->has_other
			    ? "%u: no packet gets here: from wherever it is "
			      "jumped to, rules before take all that would "
			      "match, such as rule %u%s%s%s, at %s:%d"
			    : "%u: no packet gets here: rule %u%s%s%s, at "
			      "%s:%d, takes all that would match",
		    rule->number, above->number, is_far ? " of chain '" : "",
		    is_far ? shadow->chain->name : "", is_far ? "'" : "",
		    above->where.file, above->where.line);
}

static void warn_of_chain(const struct policy *policy,
			  const struct shadows *shadows, size_t index,
			  struct problems *warnings)
{
	const struct chain *chain = &policy->chains[index];
	const struct shadow *shadow = &shadows->list[shadows->first[index]];
	const struct rule *given_up = shadows->given_up[index];
	size_t i;

	for (i = 0; i < chain->n_rules; i++)
		if (!warn_of_rule(policy, &chain->rules[i], warnings) &&
		    shadow_is_dark(&shadow[i]))
			warn_of_shadow(&chain->rules[i], chain, &shadow[i],
				       warnings);
	if (given_up)
		problem_add(warnings, chain->where.file, chain->where.line,
			    "chain '%s' has too many rules alike: whether one "
			    "takes all of another was looked at up to rule %u",
			    chain->name, given_up->number);
}

int policy_warn(const struct policy *policy, struct problems *warnings)
{
	CLEANUP(shadows_clear) struct shadows shadows = { 0 };
	size_t i;
	int r;

	r = shadow_find(policy, &shadows);
	for (i = 0; r == 0 && i < policy->n_chains; i++)
		warn_of_chain(policy, &shadows, i, warnings);
	return r;
}

/* ------------------------------------------------------ without answers */

static bool arrives_in_a_group(const struct policy *policy,
			       const struct chain *chain)
{
	size_t i;

	for (i = 0; i < policy->n_groups; i++) {
		const char *name = policy->groups[i].filter_in;

		if (name && strcmp(name, chain->name) == 0)
			return true;
	}
	return false;
}

/* The first rule that rejects, of the chain or of one that it jumps to. */
static const struct where *rule_that_rejects(const struct policy *policy,
					     const struct chain *chain,
					     unsigned int depth)
{
	const struct where *where = NULL;
	size_t i;

	for (i = 0; !where && i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		const struct chain *next =
			rule->verdict == VERDICT_JUMP && depth < JUMPS_MAX
				? policy_chain(policy, rule->chain)
				: NULL;

		if (rule->verdict == VERDICT_REJECT)
			where = &rule->where;
		else if (next)
			where = rule_that_rejects(policy, next, depth + 1);
	}
	return where;
}

void policy_warn_unanswered(const struct policy *policy,
			    struct problems *warnings)
{
	size_t i;

	for (i = 0; i < policy->n_chains; i++) {
		const struct chain *chain = &policy->chains[i];
		const struct where *where;

		where = rule_that_rejects(policy, chain, 0);
		if (!where && chain->policy == VERDICT_REJECT)
			where = &chain->where;
		if (where && arrives_in_a_group(policy, chain))
			problem_add(warnings, where->file, where->line,
				    "what chain '%s' rejects of what arrives "
				    "in a group is dropped: this kernel cannot "
				    "answer there",
				    chain->name);
	}
}
