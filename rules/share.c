/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/share.h"

#include "rules/policy.h"

static const uint32_t rank_of[] = {
	[PRIORITY_HIGH] = 0,
	[PRIORITY_NORMAL] = 1,
	[PRIORITY_LOW] = 2,
};

struct share_ask share_of(const struct group_row *group)
{
	static const struct group_row others = { .priority = PRIORITY_NORMAL };

	if (!group)
		group = &others;
	return (struct share_ask){
		.weight = group->weight ? group->weight : SHARE_WEIGHT,
		.rank = rank_of[group->priority % 3],
		.min_bytes = group->out_min_bytes,
	};
}

/* value * part / whole, which is no more than value. */
static uint64_t part_of(uint64_t value, __uint128_t part, __uint128_t whole)
{
	return (uint64_t)(value * part / whole);
}

void shares_divide(const struct share_ask *asks, struct share_sure *ret_sure,
		   size_t n, uint64_t limit_bytes)
{
	uint64_t free = limit_bytes / 2, weights = 0;
	__uint128_t asked = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		asked += asks[i].min_bytes;
		weights += asks[i].weight;
	}
	if (asked > limit_bytes - free)
		free = asked < limit_bytes ? limit_bytes - (uint64_t)asked : 0;
	for (i = 0; i < n; i++) {
		struct share_sure *sure = &ret_sure[i];

		sure->all = asks[i].min_bytes;
		if (asked > limit_bytes)
			sure->all = part_of(limit_bytes, sure->all, asked);
		sure->sparse =
			sure->all / 4 + part_of(free, asks[i].weight, weights);
	}
}
