/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether there is what groups ask to have a share of. */
#include <stdbool.h>

#include "rules/policy_reader.h"
#include "rules/unit.h"

/* A key of a group that is about shares, or NULL. */
static const char *asked_by(const struct group *group)
{
	if (group->out_min_bps)
		return "out-min";
	if (group->weight)
		return "weight";
	return group->priority != PRIORITY_NORMAL ? "priority" : NULL;
}

/* A limit may stand in a line that could not be read. */
static bool may_have_limit(const struct reader *reader)
{
	const struct policy *policy = reader->policy;
	size_t i;

	for (i = 0; i < policy->n_devices; i++)
		if (policy->devices[i].out.rate_bps > 0 &&
		    policy->devices[i].shaper != SHAPER_EDT)
			return true;
	return reader->problems->n_list > 0;
}

static void check_groups(struct reader *reader, uint64_t *ret_asked_bps)
{
	const struct policy *policy = reader->policy;
	bool has_limit = may_have_limit(reader);
	uint64_t asked = 0;
	size_t i;

	for (i = 0; i < policy->n_groups; i++) {
		const struct group *group = &policy->groups[i];
		const char *key = asked_by(group);

		if (key && !has_limit)
			problem_add(reader->problems, group->where.file,
				    group->where.line,
				    "group '%s': %s is for its share of a "
				    "device's out, and no device has one (try "
				    "[device eth0] with out = 1gbit)",
				    group->name, key);
		/* How many cgroups it has, and which, the apply will see. */
		if (__builtin_add_overflow(asked, group->out_min_bps, &asked))
			asked = UINT64_MAX;
	}
	*ret_asked_bps = asked;
}

void share_check(struct reader *reader)
{
	const struct policy *policy = reader->policy;
	char asked[RATE_TEXT_MAX], rate[RATE_TEXT_MAX];
	uint64_t asked_bps;
	size_t i;

	check_groups(reader, &asked_bps);
	for (i = 0; i < policy->n_devices; i++) {
		const struct device *device = &policy->devices[i];

		if (!device->out.rate_bps || device->shaper == SHAPER_EDT ||
		    device->out.rate_bps >= asked_bps)
			continue;
		rate_format(asked_bps, asked);
		rate_format(device->out.rate_bps, rate);
		problem_add(reader->problems, device->where.file,
			    device->where.line,
			    "device '%s': the out-min of all groups are %s, "
			    "more than its out of %s",
			    device->name, asked, rate);
	}
}
