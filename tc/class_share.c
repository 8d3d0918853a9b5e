/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the classes of those who share a limit are to be. */
#include "tc/device_share.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/share.h"
#include "tc/device_parts.h"

void class_shares_clear(struct class_shares *shares)
{
	free(shares->list);
	*shares = (struct class_shares){ 0 };
}

static int by_number(const void *a, const void *b)
{
	const struct class_share *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static const struct group_row *group_of(const struct image *image,
					const struct share_entry *entry)
{
	return entry->value.group < image->n_groups
		       ? &image->groups[entry->value.group]
		       : NULL;
}

static bool is_of(const struct share_entry *entry, uint32_t index, int side)
{
	return entry->key.device == index && entry->key.side == (uint32_t)side;
}

const struct limit_row *device_row_limit(const struct device_row *row, int side)
{
	static const struct limit_row none = {
		.rate_bytes = DEVICE_NO_LIMIT,
		.burst_bytes = DEVICE_NO_LIMIT / 500,
	};

	if (side == SIDE_OUT)
		return &row->out;
	return row->in.rate_bytes || !(row->flags & DEVICE_SHARED_IN) ? &row->in
								      : &none;
}

static uint32_t least_weight(const struct image *image, uint32_t index,
			     int side)
{
	uint32_t least = SHARE_WEIGHT_MAX;
	size_t i;

	for (i = 0; i < image->n_shares; i++) {
		const struct share_entry *entry = &image->shares[i];
		uint32_t weight = share_of(group_of(image, entry)).weight;

		if (is_of(entry, index, side) && weight < least)
			least = weight;
	}
	return least;
}

/* A group's own limit holds what arrives for it here, below the device's. */
static void fill_ceil(const struct image *image,
		      const struct share_entry *entry,
		      const struct limit_row *limit, struct class_share *share)
{
	const struct group_row *group = group_of(image, entry);

	share->ceil = *limit;
	if (group && entry->key.side == SIDE_IN &&
	    image_group_wants_queue(image, entry->value.group) &&
	    group->in.rate_bytes < limit->rate_bytes)
		share->ceil = group->in;
}

/*
 * Who sends what arrives is told by drops alone, of up to 64 KB each: a queue
 * is so long that TCP learns its rate from what it waits, as a rule.
 */
static uint32_t arriving_queue(uint64_t rate_bytes)
{
	const uint64_t least = 16 * LANE_TURN;
	uint64_t bytes = rate_bytes / 10;

	if (bytes < least)
		return least;
	return bytes < UINT32_MAX / 8 ? bytes : UINT32_MAX / 8;
}

/* A queue is as long as that of a lane of the limit, for who has an 8th. */
static void fill(const struct image *image, const struct share_entry *entry,
		 const struct limit_row *limit, uint32_t least,
		 struct class_share *share)
{
	struct share_ask asked = share_of(group_of(image, entry));
	uint64_t usual = limit->rate_bytes / 8;

	fill_ceil(image, entry, limit, share);
	if (entry->key.side == SIDE_OUT && asked.min_bytes > usual)
		usual = asked.min_bytes;
	if (share->ceil.rate_bytes < usual)
		usual = share->ceil.rate_bytes;
	share->number = entry->value.number;
	share->sure_bytes = entry->value.sure_bytes;
	share->sparse_bytes = entry->value.sparse_bytes;
	/* Sparse lanes borrow nothing, and have 0. */
	share->prio = 1 + asked.rank;
	share->quantum = class_quantum((double)asked.weight / least);
	share->queue_bytes = entry->key.side == SIDE_IN
				     ? arriving_queue(usual)
				     : device_leaf_bytes(usual);
}

/*
 * With turns of a whole packet of 64 KB each, who shares a limit with many
 * waits long for his, and a connection whose window is less than two of them,
 * as it is for long after it has begun, has less.  So where a round would take
 * too long, packets are cut and turns are shorter; above some rate not, as each
 * segment then takes a processor its time.
 */
static void choose_turns(int side, struct class_shares *shares)
{
	uint64_t rate = shares->limit.rate_bytes, round = 0;
	size_t i;

	for (i = 0; i < shares->n_list; i++)
		round += shares->list[i].quantum;
	if (side != SIDE_OUT || rate > CUT_RATE_MOST ||
	    round < rate / 1000 * CUT_ROUND_MS)
		return;
	for (i = 0; i < shares->n_list; i++) {
		struct class_share *share = &shares->list[i];

		share->is_cut = true;
		share->quantum = share->quantum / (class_quantum(1) / CUT_TURN);
	}
}

/* Cgroups that have one share together have one row each. */
static void keep_one_each(struct class_shares *shares)
{
	size_t i, kept = 0;

	if (!shares->list)
		return;
	qsort(shares->list, shares->n_list, sizeof(*shares->list), by_number);
	for (i = 1; i < shares->n_list; i++)
		if (shares->list[i].number != shares->list[kept].number)
			shares->list[++kept] = shares->list[i];
	shares->n_list = kept + 1;
}

int class_shares_of(const struct image *image, uint32_t index, int side,
		    struct class_shares *ret_shares, struct err *err)
{
	CLEANUP(class_shares_clear) struct class_shares shares = { 0 };
	uint32_t least = least_weight(image, index, side);
	size_t i;

	if (index < image->n_devices)
		shares.limit = *device_row_limit(&image->devices[index], side);
	for (i = 0; i < image->n_shares; i++) {
		const struct share_entry *entry = &image->shares[i];
		struct class_share *share;

		if (!is_of(entry, index, side))
			continue;
		share = ARRAY_ADD(&shares, list);
		if (!share)
			return err_set(err, -ENOMEM, "list classes");
		fill(image, entry, &shares.limit, least, share);
	}
	keep_one_each(&shares);
	choose_turns(side, &shares);
	*ret_shares = shares;
	shares = (struct class_shares){ 0 };
	return 0;
}

bool class_shares_have(const struct class_shares *shares, uint32_t number)
{
	struct class_share key = { .number = number };

	return shares->list && bsearch(&key, shares->list, shares->n_list,
				       sizeof(key), by_number);
}
