/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text is a policy whose rules read as they were printed, or has problems
 * that say why not; and iniparser never sees a line other than we do.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "rules/image_abi.h"
#include "rules/policy_text.h"
#include "rules/rule.h"
#include "tests/fuzz/rule_same.h"

static void check_chain(const struct chain *chain)
{
	struct err why;
	size_t i;

	for (i = 0; i < chain->n_rules; i++) {
		struct rule again = { 0 };

		CHECK(i == 0 ||
		      chain->rules[i - 1].number < chain->rules[i].number);
		CHECK(rule_parse(chain->rules[i].text, &again, &why) == 0);
		CHECK(rule_same(&chain->rules[i], &again));
		rule_clear(&again);
	}
}

static void check_peers(const struct peer_limits *limits)
{
	size_t i;

	CHECK(limits->n_list <= PEERS_MAX);
	for (i = 0; i < limits->n_list; i++) {
		const struct peer_limit *limit = &limits->list[i];

		CHECK(limit->text);
		CHECK(limit->peers.n_networks || limit->peers.n_sets);
	}
}

/* In order, and what is written of each is read as the same. */
static void check_set(const struct set *set)
{
	char text[ELEMENT_TEXT_MAX];
	unsigned int family, again_family;
	struct element again;
	struct err why;
	unsigned int kind;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < set->elements.of[family].n_list; i++) {
			const struct element *element =
				&set->elements.of[family].list[i];

			CHECK(element->first <= element->last);
			CHECK(element->last <= element_top(family));
			CHECK(i == 0 || element[-1].first <= element->first);
			element_format(element, family, set->elements.kind,
				       text);
			CHECK(element_parse(text, &again, &again_family, &kind,
					    &why) == 0);
			CHECK(again.first == element->first &&
			      again.last == element->last &&
			      again.ports == element->ports &&
			      again_family == family &&
			      kind == set->elements.kind);
		}
}

static void check_policy(const struct policy *policy)
{
	size_t i;

	for (i = 0; i < policy->n_chains; i++) {
		CHECK(policy_chain(policy, policy->chains[i].name) ==
		      &policy->chains[i]);
		check_chain(&policy->chains[i]);
	}
	for (i = 0; i < policy->n_sets; i++)
		check_set(&policy->sets[i]);
	for (i = 0; i < policy->n_groups; i++) {
		CHECK(policy->groups[i].n_matches > 0);
		check_peers(&policy->groups[i].out_to);
		check_peers(&policy->groups[i].in_from);
	}
}

/*
 * The whole text: a problem may begin with a key, and a key with anything, but
 * then a colon follows.
 */
static bool is_misread(const char *problem)
{
	return strcmp(problem, "iniparser reads this line in another way "
			       "(write it in plain characters)") == 0 ||
	       strcmp(problem, "iniparser reads more lines than there are") ==
		       0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	size_t i;
	int r;

	r = policy_read_text("f.ini", (const char *)data, size, &problems,
			     &policy);
	CHECK(r == 0 || r == -EINVAL);
	CHECK((r == 0) == (problems.n_list == 0));
	CHECK((r == 0) == (policy != NULL));
	for (i = 0; i < problems.n_list; i++)
		CHECK(!is_misread(problems.list[i].text));
	if (policy)
		check_policy(policy);
	problems_clear(&problems);
	return 0;
}
