/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy once it has been read: look-ups, and its end. */
#include <stdlib.h>
#include <string.h>

#include "rules/peer_limit.h"
#include "rules/policy.h"
#include "rules/rule.h"

static void group_clear(struct group *group)
{
	size_t i;

	for (i = 0; i < group->n_matches; i++)
		free(group->matches[i]);
	free(group->matches);
	free(group->name);
	free(group->filter_in);
	free(group->filter_out);
	peer_limits_clear(&group->in_from);
	peer_limits_clear(&group->out_to);
}

static void device_clear(struct device *device)
{
	free(device->name);
	free(device->netns);
	free(device->filter_in);
	free(device->filter_out);
}

static void chain_clear(struct chain *chain)
{
	size_t i;

	for (i = 0; i < chain->n_rules; i++)
		rule_clear(&chain->rules[i]);
	free(chain->rules);
	free(chain->name);
}

void policy_free(struct policy *policy)
{
	size_t i;

	if (!policy)
		return;
	for (i = 0; i < policy->n_groups; i++)
		group_clear(&policy->groups[i]);
	for (i = 0; i < policy->n_devices; i++)
		device_clear(&policy->devices[i]);
	for (i = 0; i < policy->n_chains; i++)
		chain_clear(&policy->chains[i]);
	for (i = 0; i < policy->n_sets; i++) {
		free(policy->sets[i].name);
		elements_clear(&policy->sets[i].elements);
	}
	for (i = 0; i < policy->n_files; i++)
		free(policy->files[i]);
	free(policy->groups);
	free(policy->devices);
	free(policy->chains);
	free(policy->sets);
	free(policy->files);
	free(policy);
}

static int compare_chain(const void *name, const void *chain)
{
	return strcmp(name, ((const struct chain *)chain)->name);
}

static int compare_set(const void *name, const void *set)
{
	return strcmp(name, ((const struct set *)set)->name);
}

const struct chain *policy_chain(const struct policy *policy, const char *name)
{
	if (!policy->n_chains)
		return NULL;
	return bsearch(name, policy->chains, policy->n_chains,
		       sizeof(*policy->chains), compare_chain);
}

const struct set *policy_set(const struct policy *policy, const char *name)
{
	if (!policy->n_sets)
		return NULL;
	return bsearch(name, policy->sets, policy->n_sets,
		       sizeof(*policy->sets), compare_set);
}
