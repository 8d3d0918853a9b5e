/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the jumps of a policy lead. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rules/keys.h"
#include "rules/policy_reader.h"

/* Of chains: the state of a look at where they lead. */
enum look {
	LOOK_NOT_YET,
	LOOK_UNDER_WAY, /* it leads to the one that is looked at */
	LOOK_DONE,
};

struct node {
	enum look look;
	bool is_target;	     /* some rule jumps there */
	unsigned int height; /* jumps within jumps from there on */
};

struct jumps {
	struct reader *reader;
	struct node *nodes; /* by chain */
};

/* So deep nobody looks: it was too deep long before. */
#define LOOK_MAX 64

static unsigned int visit(struct jumps *jumps, size_t index,
			  unsigned int depth);

static void refuse_unknown(struct reader *reader, const struct rule *rule)
{
	const char *best = policy_nearest_chain(reader, rule->chain);

	problem_add(reader->problems, rule->where.file, rule->where.line,
		    best ? "%u: there is no chain '%s' (try %s)"
			 : "%u: there is no chain '%s'",
		    rule->number, rule->chain, best);
}

/* Where a jump of a chain leads; above it is as high as the chain is. */
static void follow(struct jumps *jumps, const struct chain *chain,
		   const struct rule *rule, unsigned int depth,
		   unsigned int *height)
{
	struct reader *reader = jumps->reader;
	size_t target = names_find(&reader->names, SECTION_CHAIN, rule->chain);
	struct node *node;
	unsigned int its;

	if (target == NAME_UNKNOWN) {
		refuse_unknown(reader, rule);
		return;
	}
	node = &jumps->nodes[target];
	node->is_target = true;
	if (node->look == LOOK_UNDER_WAY) {
		problem_add(
			reader->problems, rule->where.file, rule->where.line,
			"%u: by way of '%s' chain '%s' would jump to itself",
			rule->number, rule->chain, chain->name);
		return;
	}
	its = visit(jumps, target, depth + 1) + 1;
	/* Those above are too high for the same reason. */
	if (its == JUMPS_MAX + 1)
		problem_add(reader->problems, rule->where.file,
			    rule->where.line,
			    "%u: from chain '%s' jumps lead %d deep, by way of "
			    "'%s', at most %d are possible",
			    rule->number, chain->name, JUMPS_MAX + 1,
			    rule->chain, JUMPS_MAX);
	if (its > *height)
		*height = its;
}

/* The height of a chain, of those that are too high at least that. */
static unsigned int visit(struct jumps *jumps, size_t index, unsigned int depth)
{
	const struct chain *chain = &jumps->reader->policy->chains[index];
	struct node *node = &jumps->nodes[index];
	unsigned int height = 0;
	size_t i;

	if (node->look == LOOK_DONE || depth > LOOK_MAX)
		return node->height;
	node->look = LOOK_UNDER_WAY;
	for (i = 0; i < chain->n_rules; i++)
		if (chain->rules[i].chain)
			follow(jumps, chain, &chain->rules[i], depth, &height);
	node->look = LOOK_DONE;
	node->height = height;
	return height;
}

/* A chain may be without a policy where it only is jumped to. */
static void check_policies(struct jumps *jumps)
{
	struct reader *reader = jumps->reader;
	const struct policy *policy = reader->policy;
	size_t i, index;

	for (i = 0; i < policy->n_chains; i++)
		if (policy->chains[i].policy == VERDICT_NONE &&
		    !jumps->nodes[i].is_target)
			problem_add(reader->problems,
				    policy->chains[i].where.file,
				    policy->chains[i].where.line,
				    "chain '%s' has no policy (it wants %s)",
				    policy->chains[i].name,
				    key_find(SECTION_CHAIN, "policy")->wants);
	for (i = 0; i < reader->n_references; i++) {
		const struct reference *reference = &reader->references[i];

		index = names_find(&reader->names, SECTION_CHAIN,
				   reference->chain);
		if (index != NAME_UNKNOWN && jumps->nodes[index].is_target &&
		    policy->chains[index].policy == VERDICT_NONE)
			problem_add(reader->problems, reference->where.file,
				    reference->where.line,
				    "%s: chain '%s' has no policy, so it can "
				    "only be jumped to (it wants policy = %s)",
				    reference->key, reference->chain,
				    key_find(SECTION_CHAIN, "policy")->wants);
	}
}

int jumps_check(struct reader *reader)
{
	AUTO_FREE struct node *nodes = NULL;
	struct jumps jumps = { .reader = reader };
	size_t i;

	nodes = calloc(reader->policy->n_chains + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	jumps.nodes = nodes;
	for (i = 0; i < reader->policy->n_chains; i++)
		visit(&jumps, i, 0);
	check_policies(&jumps);
	return 0;
}
