/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/shares.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/describe.h"
#include "rules/share.h"
#include "rules/unit.h"
#include "tc/device_abi.h"

static const struct group_row *group_at(const struct image *image,
					uint32_t group)
{
	return group < image->n_groups ? &image->groups[group] : NULL;
}

/* The shares of one side of one device, while they are put together. */
struct sharers {
	struct image *image;
	const struct image *live;
	uint32_t device, side;
	size_t first;  /* of its rows in image->shares */
	uint8_t *used; /* by number: in image, or by another in live */
	uint32_t
		*numbers; /* by group, of those with share = all; 0: none yet */
	uint32_t levels;
	uint64_t limit_bytes; /* 0: of what arrives, where there is none */
};

/* A command that runs under a limit is with those of its caller. */
static bool has_share(const struct image *image,
		      const struct found_cgroups *found, size_t i)
{
	const struct found_cgroup *cgroup = &found->list[i];

	if (image_group_flags(image, cgroup->group) & GROUP_RUN)
		return false;
	return i == 0 || found->list[i - 1].id != cgroup->id ||
	       image_group_flags(image, found->list[i - 1].group) & GROUP_RUN;
}

static uint32_t level_of(const char *path)
{
	uint32_t level = 0;

	for (; *path; path++)
		level += *path == '/' && path[1] != '\0';
	return level;
}

/* The number that it has in live, 0 for none. */
static uint32_t live_number(const struct sharers *sharers, uint64_t cgroup)
{
	struct share_key key = { cgroup, sharers->device, sharers->side };
	const struct share_entry *entry = image_share(sharers->live, &key);

	return entry && entry->value.number < SHARES_MAX ? entry->value.number
							 : 0;
}

enum {
	USED_HERE = 1,
	USED_LIVE = 2,
};

/* Its own of live, else one that neither uses; 0 where there is none. */
static uint32_t choose_number(struct sharers *sharers, uint64_t cgroup)
{
	uint32_t number = live_number(sharers, cgroup);

	if (!number || sharers->used[number] & USED_HERE)
		for (number = 1; number < SHARES_MAX; number++)
			if (!sharers->used[number])
				break;
	if (number == SHARES_MAX)
		return 0;
	sharers->used[number] |= USED_HERE;
	return number;
}

static int add(struct sharers *sharers, uint64_t cgroup, uint32_t number,
	       uint32_t group)
{
	struct share_entry *entry = ARRAY_ADD(sharers->image, shares);

	if (!entry)
		return -ENOMEM;
	entry->key.cgroup = cgroup;
	entry->key.device = sharers->device;
	entry->key.side = sharers->side;
	entry->value.number = number;
	entry->value.group = group;
	return 0;
}

static int add_cgroup(struct sharers *sharers,
		      const struct found_cgroup *cgroup)
{
	const struct image *image = sharers->image;
	bool all = image->groups[cgroup->group].share_all;
	uint32_t number = all ? sharers->numbers[cgroup->group] : 0;

	if (!number)
		number = choose_number(sharers, cgroup->id);
	if (!number)
		return 0;
	if (all)
		sharers->numbers[cgroup->group] = number;
	sharers->levels |= 1U << level_of(cgroup->path);
	return add(sharers, cgroup->id, number, cgroup->group);
}

static void note_live_numbers(struct sharers *sharers)
{
	size_t i;

	for (i = 0; i < sharers->live->n_shares; i++) {
		const struct share_entry *entry = &sharers->live->shares[i];

		if (entry->key.device == sharers->device &&
		    entry->key.side == sharers->side &&
		    entry->value.number < SHARES_MAX)
			sharers->used[entry->value.number] |= USED_LIVE;
	}
}

/* A group's own limit of what arrives, where it is to wait; 0 without one. */
static uint64_t own_limit(const struct sharers *sharers, uint32_t group)
{
	if (sharers->side != SIDE_IN ||
	    !image_group_wants_queue(sharers->image, group))
		return 0;
	return sharers->image->groups[group].in.rate_bytes;
}

/* Nobody asks to be sure of a part of what arrives. */
static struct share_ask ask_of(const struct sharers *sharers, uint32_t group)
{
	struct share_ask ask = share_of(group_at(sharers->image, group));

	if (sharers->side == SIDE_IN)
		ask.min_bytes = 0;
	return ask;
}

static void fill_sure(const struct sharers *sharers, struct share_value *value,
		      const struct share_sure *sure)
{
	uint64_t own = own_limit(sharers, value->group);

	value->sure_bytes = sure->all;
	value->sparse_bytes = sure->sparse;
	if (own && value->sparse_bytes > own / 4)
		value->sparse_bytes = own / 4;
	if (sharers->limit_bytes)
		return;
	value->sure_bytes = own;
	value->sparse_bytes = own / 4;
}

/* What each number is sure of; rows of one number get the same. */
static int divide(struct sharers *sharers)
{
	struct image *image = sharers->image;
	AUTO_FREE struct share_sure *sure = NULL;
	AUTO_FREE struct share_ask *asks = NULL;
	AUTO_FREE uint32_t *places = NULL;
	size_t i, n = 0;

	asks = calloc(SHARES_MAX, sizeof(*asks));
	sure = calloc(SHARES_MAX, sizeof(*sure));
	places = calloc(SHARES_MAX, sizeof(*places));
	if (!asks || !sure || !places)
		return -ENOMEM;
	for (i = sharers->first; i < image->n_shares; i++) {
		const struct share_value *value = &image->shares[i].value;

		if (places[value->number])
			continue;
		asks[n] = ask_of(sharers, value->group);
		places[value->number] = ++n;
	}
	shares_divide(asks, sure, n, sharers->limit_bytes);
	for (i = sharers->first; i < image->n_shares; i++) {
		struct share_value *value = &image->shares[i].value;

		fill_sure(sharers, value, &sure[places[value->number] - 1]);
	}
	return 0;
}

/*
 * Whether containers have this limit, too: then it is not held here alone, and
 * the police stays.
 */
static bool is_behind(const struct image *image,
		      const struct found_cgroups *found, uint32_t group,
		      uint64_t cgroup)
{
	bool all = image->groups[group].share_all;
	size_t i;

	for (i = 0; i < found->n_list; i++)
		if (found->list[i].is_behind && found->list[i].group == group &&
		    (all || found->list[i].id == cgroup))
			return true;
	return false;
}

/*
 * Without a limit of the device only those are to wait who have one of their
 * own and can be told when they arrive: in its namespace.
 */
static bool has_part(const struct sharers *sharers,
		     const struct found_cgroups *found,
		     const struct found_cgroup *cgroup)
{
	return sharers->limit_bytes ||
	       (cgroup->on_host && own_limit(sharers, cgroup->group) &&
		!is_behind(sharers->image, found, cgroup->group, cgroup->id));
}

static int fill_side(struct sharers *sharers, const struct found_cgroups *found)
{
	size_t i;
	int r = 0;

	note_live_numbers(sharers);
	for (i = 0; r == 0 && i < found->n_list; i++)
		if (has_share(sharers->image, found, i) &&
		    has_part(sharers, found, &found->list[i]))
			r = add_cgroup(sharers, &found->list[i]);
	if (r == 0 && sharers->levels && sharers->limit_bytes)
		r = add(sharers, 0, 0, NONE);
	return r < 0 || !sharers->levels ? r : divide(sharers);
}

static int fill_device(struct image *image, const struct image *live,
		       const struct found_cgroups *found, uint32_t device,
		       int side)
{
	struct device_row *row = &image->devices[device];
	struct sharers sharers = {
		.image = image,
		.live = live,
		.device = device,
		.side = side,
		.first = image->n_shares,
		.limit_bytes = side == SIDE_OUT ? row->out.rate_bytes
						: row->in.rate_bytes,
	};
	AUTO_FREE uint8_t *used = calloc(SHARES_MAX, sizeof(*used));
	AUTO_FREE uint32_t *numbers = NULL;
	int r;

	numbers = calloc(image->n_groups + 1, sizeof(*numbers));
	if (!used || !numbers)
		return -ENOMEM;
	sharers.used = used;
	sharers.numbers = numbers;
	r = fill_side(&sharers, found);
	if (side == SIDE_OUT)
		row->out_levels = sharers.levels;
	else if (sharers.levels)
		row->flags |= DEVICE_SHARED_IN;
	return r;
}

/* Whose processes are where a device is, is known of our own namespace. */
static bool shares_in(const struct image *image, const struct device_row *row)
{
	return row->in.rate_bytes || !*image_string(image, row->netns);
}

int shares_fill(struct image *image, const struct image *live,
		const struct found_cgroups *found, struct err *err)
{
	uint32_t i;
	int r = 0;

	image->n_shares = 0;
	for (i = 1; r == 0 && i < image->n_devices; i++) {
		struct device_row *row = &image->devices[i];

		row->out_levels = 0;
		row->flags &= ~DEVICE_SHARED_IN;
		if (!row->in_use || row->group != NONE)
			continue;
		if (row->out.rate_bytes && row->shape_out != SHAPE_EDT)
			r = fill_device(image, live, found, i, SIDE_OUT);
		if (r == 0 && shares_in(image, row))
			r = fill_device(image, live, found, i, SIDE_IN);
	}
	if (r < 0)
		return err_set(err, r, "share the limits of devices");
	image_sort(image);
	return 0;
}

/* --------------------------------------------------------------- asking */

/* What all of a device ask for; of which group most of it is. */
static uint64_t asked_of(const struct image *image, uint32_t device,
			 uint32_t *ret_group)
{
	uint8_t seen[SHARES_MAX] = { 0 };
	uint64_t sum = 0, most = 0;
	size_t i;

	for (i = 0; i < image->n_shares; i++) {
		const struct share_entry *entry = &image->shares[i];
		uint64_t asked =
			share_of(group_at(image, entry->value.group)).min_bytes;

		if (entry->key.device != device ||
		    entry->key.side != SIDE_OUT || seen[entry->value.number])
			continue;
		seen[entry->value.number] = 1;
		sum += asked;
		if (asked <= most)
			continue;
		most = asked;
		*ret_group = entry->value.group;
	}
	return sum;
}

int shares_check(const struct image *image, struct err *err)
{
	char asked[RATE_TEXT_MAX], rate[RATE_TEXT_MAX], name[DESCRIBE_MAX];
	uint32_t i, group = NONE;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *row = &image->devices[i];
		uint64_t sum;

		if (!row->out_levels)
			continue;
		sum = asked_of(image, i, &group);
		if (sum <= row->out.rate_bytes)
			continue;
		rate_format(sum * 8, asked);
		rate_format(row->out.rate_bytes * 8, rate);
		describe_device_name(image, row, name);
		return err_say(
			err, -ERANGE,
			"device '%s': the out-min of all cgroups are "
			"%s, more than its %s (the most is of group "
			"'%s')",
			name, asked, rate,
			group < image->n_groups
				? image_string(image, image->groups[group].name)
				: "");
	}
	return 0;
}

static bool asks_same(const struct group_row *a, const struct group_row *b)
{
	struct share_ask x = share_of(a), y = share_of(b);

	if (!a || !b)
		return !a && !b;
	return x.weight == y.weight && x.rank == y.rank &&
	       x.min_bytes == y.min_bytes && a->share_all == b->share_all &&
	       a->shape_in == b->shape_in &&
	       memcmp(&a->in, &b->in, sizeof(a->in)) == 0;
}

bool shares_ask_same(const struct image *image, const struct image *live,
		     uint32_t device, int side)
{
	size_t i;

	for (i = 0; i < image->n_shares; i++) {
		const struct share_entry *entry = &image->shares[i], *before;

		if (entry->key.device != device ||
		    entry->key.side != (uint32_t)side)
			continue;
		before = image_share(live, &entry->key);
		if (before && (before->value.number != entry->value.number ||
			       !asks_same(group_at(image, entry->value.group),
					  group_at(live, before->value.group))))
			return false;
	}
	return true;
}

int shares_add_waits(struct image *image, const struct found_cgroups *found,
		     uint32_t device, struct err *err)
{
	size_t i, n = image->n_shares;

	/* A socket of a group is in ours, and there the number is another's. */
	if (*image_string(image, image->devices[device].netns))
		return 0;
	for (i = 0; i < n; i++) {
		struct share_entry *added, entry = image->shares[i];

		if (entry.key.device != device || entry.key.side != SIDE_IN ||
		    !image_group_wants_queue(image, entry.value.group) ||
		    is_behind(image, found, entry.value.group,
			      entry.key.cgroup))
			continue;
		added = ARRAY_ADD(image, shares);
		if (!added)
			return err_set(err, -ENOMEM,
				       "share the limits of "
				       "devices");
		*added = entry;
		added->key.device = image->devices[device].ifindex;
		added->key.side = SHARE_WAITS;
	}
	return 0;
}
