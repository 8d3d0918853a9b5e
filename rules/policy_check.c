/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be judged only when all files have been read. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "rules/glob.h"
#include "rules/image_abi.h"
#include "rules/keys.h"
#include "rules/policy_reader.h"
#include "rules/rule.h"
#include "rules/suggest.h"

/* Beyond so many words tried, errors come without a suggestion. */
#define SUGGESTIONS_MAX 1000000

/* ------------------------------------------------- chains and sets */

/* Among the names of all chains, or of all sets. */
static const char *nearest(struct reader *reader, enum section_kind section,
			   const char *wanted)
{
	const struct policy *policy = reader->policy;
	bool chains = section == SECTION_CHAIN;
	size_t i, n = chains ? policy->n_chains : policy->n_sets;
	struct suggestion best;

	suggestion_begin(&best, wanted);
	if (reader->n_suggestions > SUGGESTIONS_MAX)
		return NULL;
	for (i = 0; i < n; i++)
		suggestion_try(&best, chains ? policy->chains[i].name
					     : policy->sets[i].name);
	reader->n_suggestions += n;
	return best.word;
}

const char *policy_nearest_chain(struct reader *reader, const char *wanted)
{
	return nearest(reader, SECTION_CHAIN, wanted);
}

static void check_chains(struct reader *reader)
{
	size_t i;

	for (i = 0; i < reader->n_references; i++) {
		const struct reference *reference = &reader->references[i];
		const char *best;

		if (names_find(&reader->names, SECTION_CHAIN,
			       reference->chain) != NAME_UNKNOWN)
			continue;
		best = nearest(reader, SECTION_CHAIN, reference->chain);
		problem_add(reader->problems, reference->where.file,
			    reference->where.line,
			    best ? "%s: there is no chain '%s' (try %s)"
				 : "%s: there is no chain '%s'",
			    reference->key, reference->chain, best);
	}
}

static bool fits(unsigned int kind, enum stands_for as, bool in_rule)
{
	switch (as) {
	case STANDS_FOR_PORTS:
		return kind == SET_OF_PORTS;
	case STANDS_FOR_INTERFACES:
		return kind == SET_OF_INTERFACES;
	default:
		return kind == SET_OF_NETWORKS ||
		       (kind == SET_OF_SERVICES && in_rule);
	}
}

/* Where in a rule it would fit: what stands before it there, or NULL. */
static const char *place_of(unsigned int kind, enum stands_for as)
{
	if (kind == SET_OF_INTERFACES)
		return "iface";
	if (kind == SET_OF_PORTS && as == STANDS_FOR_ADDRESSES)
		return "port";
	return as == STANDS_FOR_INTERFACES && kind != SET_OF_PORTS ? "from"
								   : NULL;
}

static void refuse_set(struct reader *reader, const struct where *where,
		       const char *before, const struct set *set,
		       enum stands_for as, bool in_rule)
{
	static const char *const names[] = {
		[STANDS_FOR_ADDRESSES] = "addresses",
		[STANDS_FOR_PORTS] = "ports",
		[STANDS_FOR_INTERFACES] = "interfaces",
	};
	const char *place = in_rule ? place_of(set->elements.kind, as) : NULL;

	problem_add(reader->problems, where->file, where->line,
		    place ? "%s: set '%s' holds %s, but stands for %s (try %s "
			    "@%s)"
			  : "%s: set '%s' holds %s, but stands for %s",
		    before, set->name, set_kind_name(set->elements.kind),
		    names[as], place, set->name);
}

/* What names a set at where: before is a key, or the number of a rule. */
static void check_set(struct reader *reader, const struct where *where,
		      const char *before, const char *name, enum stands_for as)
{
	size_t index = names_find(&reader->names, SECTION_SET, name);
	bool in_rule = *before >= '0' && *before <= '9';
	struct set *set;
	const char *best;

	if (index == NAME_UNKNOWN) {
		best = nearest(reader, SECTION_SET, name);
		problem_add(reader->problems, where->file, where->line,
			    best ? "%s: there is no set '%s' (try @%s)"
				 : "%s: there is no set '%s'",
			    before, name, best);
		return;
	}
	set = &reader->policy->sets[index];
	set->stands_for |= 1U << as;
	if ((set->holds || elements_count(&set->elements)) &&
	    !fits(set->elements.kind, as, in_rule))
		refuse_set(reader, where, before, set, as, in_rule);
}

/* A set of services says all of a side, and stands among its like alone. */
static void check_services(struct reader *reader, const struct rule *rule,
			   const struct endpoint *endpoint)
{
	size_t i, n = 0, index;
	const char *name = NULL, *wrong = NULL;

	for (i = 0; i < endpoint->n_sets; i++) {
		index = names_find(&reader->names, SECTION_SET,
				   endpoint->sets[i]);
		if (index == NAME_UNKNOWN ||
		    !set_is_of(&reader->policy->sets[index], SET_OF_SERVICES))
			continue;
		name = endpoint->sets[i];
		n++;
	}
	if (!name)
		return;
	if (endpoint->n_ports || endpoint->n_port_sets)
		wrong = "has ports of its own (leave port out)";
	else if (endpoint->n_networks || n < endpoint->n_sets)
		wrong = "holds services, and stands in one list with addresses "
			"(make two rules of it)";
	else if (!rule_has_ports(rule))
		wrong = "holds services, which need a protocol with ports (put "
			"tcp, udp or sctp before from and to)";
	if (wrong)
		problem_add(reader->problems, rule->where.file,
			    rule->where.line, "%u: set '%s' %s", rule->number,
			    name, wrong);
}

static void check_endpoint(struct reader *reader, const struct rule *rule,
			   const struct endpoint *endpoint)
{
	char number[11];
	size_t i;

	if (!endpoint->n_sets && !endpoint->n_port_sets)
		return;
	check_services(reader, rule, endpoint);
	number_format(rule->number, number);
	for (i = 0; i < endpoint->n_sets; i++)
		check_set(reader, &rule->where, number, endpoint->sets[i],
			  STANDS_FOR_ADDRESSES);
	for (i = 0; i < endpoint->n_port_sets; i++)
		check_set(reader, &rule->where, number, endpoint->port_sets[i],
			  STANDS_FOR_PORTS);
}

static void check_ifaces(struct reader *reader, const struct rule *rule)
{
	char number[11];
	size_t i;

	number_format(rule->number, number);
	for (i = 0; i < rule->ifaces.n_sets; i++)
		check_set(reader, &rule->where, number, rule->ifaces.sets[i],
			  STANDS_FOR_INTERFACES);
}

static void check_peers(struct reader *reader, const struct peer_limits *limits,
			const char *key)
{
	size_t i, j;

	for (i = 0; i < limits->n_list; i++)
		for (j = 0; j < limits->list[i].peers.n_sets; j++)
			check_set(reader, &limits->where, key,
				  limits->list[i].peers.sets[j],
				  STANDS_FOR_ADDRESSES);
}

static void check_sets(struct reader *reader)
{
	size_t i, j;

	for (i = 0; i < reader->policy->n_groups; i++) {
		check_peers(reader, &reader->policy->groups[i].out_to,
			    "out-to");
		check_peers(reader, &reader->policy->groups[i].in_from,
			    "in-from");
	}
	for (i = 0; i < reader->policy->n_chains; i++) {
		const struct chain *chain = &reader->policy->chains[i];

		for (j = 0; j < chain->n_rules; j++) {
			check_endpoint(reader, &chain->rules[j],
				       &chain->rules[j].from);
			check_endpoint(reader, &chain->rules[j],
				       &chain->rules[j].to);
			if (chain->rules[j].ifaces.n_sets)
				check_ifaces(reader, &chain->rules[j]);
		}
	}
}

/* -------------------------------------------------------- patterns */

static void refuse_match(struct reader *reader, const struct matched *second,
			 const struct matched *first)
{
	const struct group *group = &reader->policy->groups[first->group];

	if (first->group == second->group)
		problem_add(reader->problems, second->where.file,
			    second->where.line, "match: '%s' is given twice",
			    second->pattern);
	else if (strcmp(first->pattern, second->pattern) == 0)
		problem_add(reader->problems, second->where.file,
			    second->where.line,
			    "match: group '%s' has '%s' already, at %s:%d",
			    group->name, second->pattern, first->where.file,
			    first->where.line);
	else
		problem_add(reader->problems, second->where.file,
			    second->where.line,
			    "match: '%s' is also matched by '%s' of group "
			    "'%s', at %s:%d",
			    second->pattern, first->pattern, group->name,
			    first->where.file, first->where.line);
}

/* A path that the glob of another group matches would be in both. */
static void check_glob(struct reader *reader, const struct matched *glob)
{
	char path[GLOB_PATH_MAX];
	struct glob_row row;
	size_t i;

	if (glob_compile(glob->pattern, &row) < 0)
		return;
	for (i = 0; i < reader->n_matches; i++) {
		const struct matched *other = &reader->matches[i];

		if (other->group == glob->group ||
		    glob_has_wildcards(other->pattern))
			continue;
		snprintf(path, sizeof(path), "%s", other->pattern);
		if (glob_match(&row, path, strlen(path)) == 1)
			refuse_match(reader, other, glob);
	}
}

static void refuse_globs(struct reader *reader, const struct matched *last,
			 size_t n_globs)
{
	problem_add(reader->problems, last->where.file, last->where.line,
		    "match: with '%s' the policy has %zu patterns with *, ? "
		    "or [, at most %d are possible",
		    last->pattern, n_globs, GLOBS_MAX);
}

static int check_matches(struct reader *reader)
{
	CLEANUP(names_clear) struct names names = { 0 };
	const struct matched *last_glob = NULL;
	size_t i, first, n_globs = 0;
	int r;

	for (i = 0; i < reader->n_matches; i++) {
		const struct matched *matched = &reader->matches[i];

		r = names_add(&names, 0, matched->pattern, i, &first);
		if (r < 0)
			return r;
		if (r > 0)
			refuse_match(reader, matched, &reader->matches[first]);
		if (!glob_has_wildcards(matched->pattern))
			continue;
		last_glob = matched;
		/* Each is held against all: of too many, not every one. */
		if (n_globs++ < GLOBS_MAX)
			check_glob(reader, matched);
	}
	if (n_globs > GLOBS_MAX)
		refuse_globs(reader, last_glob, n_globs);
	return 0;
}

/* ----------------------------------------------------------- order */

static int compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int compare_chains(const void *a, const void *b)
{
	return strcmp(((const struct chain *)a)->name,
		      ((const struct chain *)b)->name);
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct set *)a)->name,
		      ((const struct set *)b)->name);
}

/* As most are written in this order, there is mostly nothing to do. */
static void sort_rules(struct chain *chain)
{
	size_t i;

	for (i = 1; i < chain->n_rules; i++)
		if (chain->rules[i - 1].number > chain->rules[i].number)
			break;
	if (i < chain->n_rules)
		qsort(chain->rules, chain->n_rules, sizeof(*chain->rules),
		      compare_rules);
}

static int sort_all(struct policy *policy)
{
	size_t i;
	int r;

	for (i = 0; i < policy->n_chains; i++)
		sort_rules(&policy->chains[i]);
	for (i = 0; i < policy->n_sets; i++) {
		r = elements_sort(&policy->sets[i].elements);
		if (r < 0)
			return r;
	}
	if (policy->n_chains)
		qsort(policy->chains, policy->n_chains, sizeof(struct chain),
		      compare_chains);
	if (policy->n_sets)
		qsort(policy->sets, policy->n_sets, sizeof(struct set),
		      compare_sets);
	return 0;
}

int policy_check(struct reader *reader)
{
	int r;

	check_chains(reader);
	check_sets(reader);
	share_check(reader);
	r = jumps_check(reader);
	if (r == 0)
		r = check_matches(reader);
	if (r < 0)
		return r;
	return sort_all(reader->policy);
}
