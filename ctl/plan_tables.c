/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/plan_tables.h"

#include <stdio.h>
#include <string.h>

#include "rules/describe.h"
#include "tc/device_abi.h"

/* What became of the rows of one side of a device. */
struct counts {
	unsigned int more, fewer, other;
};

static bool is_of(const struct share_entry *entry, uint32_t device,
		  uint32_t side)
{
	return entry->key.device == device && entry->key.side == side &&
	       entry->key.cgroup;
}

/* device: as key.device of that side has it. */
static struct counts count(const struct image *live, const struct image *image,
			   uint32_t device, uint32_t side)
{
	const struct share_entry *entry, *before;
	struct counts counts = { 0 };
	size_t i;

	for (i = 0; i < image->n_shares; i++) {
		entry = &image->shares[i];
		if (!is_of(entry, device, side))
			continue;
		before = image_share(live, &entry->key);
		counts.more += !before;
		counts.other += before &&
				memcmp(before, entry, sizeof(*entry)) != 0;
	}
	for (i = 0; i < live->n_shares; i++) {
		entry = &live->shares[i];
		counts.fewer += is_of(entry, device, side) &&
				!image_share(image, &entry->key);
	}
	return counts;
}

static int list_side(const struct counts *counts, const char *name,
		     const char *what, struct changes *changes)
{
	if (!counts->more && !counts->fewer && !counts->other)
		return 0;
	return change_add(changes, CHANGE_ALTER, "device", name,
			  "%s: %u more, %u fewer, %u otherwise", what,
			  counts->more, counts->fewer, counts->other);
}

static int list_device(const struct image *live, const struct image *image,
		       uint32_t index, struct changes *changes)
{
	const struct device_row *row = &image->devices[index];
	char name[DESCRIBE_MAX];
	struct counts counts;
	int r;

	describe_device_name(image, row, name);
	counts = count(live, image, index, SIDE_OUT);
	r = list_side(&counts, name, "who shares its limit out", changes);
	if (r < 0)
		return r;
	counts = count(live, image, index, SIDE_IN);
	r = list_side(&counts, name, "who shares its limit in", changes);
	if (r < 0 || !row->ifindex || *image_string(image, row->netns))
		return r;
	counts = count(live, image, row->ifindex, SHARE_WAITS);
	return list_side(&counts, name, "whose own limit in waits there",
			 changes);
}

static int list_rules(const struct image *live, const struct image *image,
		      struct changes *changes)
{
	size_t i, n = image_written(image);
	char name[DESCRIBE_MAX];
	int r = 0;

	for (i = 0; r == 0 && i < n && i < live->n_rules; i++) {
		const struct rule_row *rule = &image->rules[i];

		if (!(rule->looks & LOOK_IFINDEX) ||
		    rule->ifindex == live->rules[i].ifindex)
			continue;
		snprintf(name, sizeof(name), "%s %u",
			 image_string(image, image->chains[rule->chain].name),
			 rule->number);
		r = change_add(changes, CHANGE_ALTER, "rule", name,
			       rule->ifindex ? "%s is another device now"
					     : "%s is not there now",
			       image_string(image, rule->iface));
	}
	return r;
}

static int list_iface(enum change_action action,
		      const struct iface_entry *entry, struct changes *changes)
{
	static const char *const details[] = {
		[CHANGE_ADD] = "rules know it by its name",
		[CHANGE_ALTER] = "it is called so now",
		[CHANGE_REMOVE] = "it is not there now",
	};

	return change_add(changes, action, "interface",
			  (const char *)entry->value.halves, "%s",
			  details[action]);
}

/* The index of the i-th interface; beyond all behind the last. */
static uint64_t ifindex_at(const struct image *image, size_t i)
{
	return i < image->n_ifaces ? image->ifaces[i].key.ifindex : UINT64_MAX;
}

/* Both are by ifindex. */
static int list_ifaces(const struct image *live, const struct image *image,
		       struct changes *changes)
{
	size_t i = 0, j = 0;
	int r = 0;

	while (r == 0 && (i < live->n_ifaces || j < image->n_ifaces)) {
		uint64_t was = ifindex_at(live, i), is = ifindex_at(image, j);

		if (was < is)
			r = list_iface(CHANGE_REMOVE, &live->ifaces[i],
				       changes);
		else if (is < was)
			r = list_iface(CHANGE_ADD, &image->ifaces[j], changes);
		else if (memcmp(&live->ifaces[i], &image->ifaces[j],
				sizeof(*image->ifaces)) != 0)
			r = list_iface(CHANGE_ALTER, &image->ifaces[j],
				       changes);
		i += was <= is;
		j += is <= was;
	}
	return r;
}

int plan_list_tables(const struct image *live, const struct image *image,
		     struct changes *changes)
{
	uint32_t i;
	int r = list_rules(live, image, changes);

	if (r == 0)
		r = list_ifaces(live, image, changes);
	for (i = 1; r == 0 && i < image->n_devices; i++)
		if (image->devices[i].in_use && image->devices[i].group == NONE)
			r = list_device(live, image, i, changes);
	return r;
}
