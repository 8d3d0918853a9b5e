/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/quota_owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void quota_owners_clear(struct quota_owners *owners)
{
	free(owners->by_uid);
	free(owners->by_name);
}

static int compare_uids(const void *a, const void *b)
{
	const struct group_row *left = *(const struct group_row *const *)a;
	const struct group_row *right = *(const struct group_row *const *)b;

	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

static int compare_names(const void *a, const void *b, void *image)
{
	const struct group_row *left = *(const struct group_row *const *)a;
	const struct group_row *right = *(const struct group_row *const *)b;

	return strcmp(image_string(image, left->name),
		      image_string(image, right->name));
}

int quota_owners_list(const struct image *image, struct quota_owners *owners)
{
	size_t size = sizeof(*owners->by_uid), i;

	owners->image = image;
	owners->by_uid = calloc(image->n_groups + 1, size);
	owners->by_name = calloc(image->n_groups + 1, size);
	if (!owners->by_uid || !owners->by_name)
		return -ENOMEM;
	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		if (!group->quota.bytes || group->quota.uid != group->uid)
			continue;
		owners->by_uid[owners->n] = group;
		owners->by_name[owners->n++] = group;
	}
	qsort(owners->by_uid, owners->n, size, compare_uids);
	qsort_r(owners->by_name, owners->n, size, compare_names, (void *)image);
	return 0;
}

bool quota_owner_has(const struct group_row *group,
		     const struct account_name *name)
{
	return group->uid == name->group_uid &&
	       group->quota.period == name->period &&
	       !group->quota.all == !!*name->path;
}

const struct group_row *quota_owner_of(const struct quota_owners *owners,
				       const struct account_name *name)
{
	const struct group_row key = { .uid = name->group_uid }, *wanted = &key;
	const struct group_row **found =
		bsearch(&wanted, owners->by_uid, owners->n,
			sizeof(*owners->by_uid), compare_uids);

	return found && quota_owner_has(*found, name) ? *found : NULL;
}

const struct group_row *quota_owner_called(const struct quota_owners *owners,
					   const char *name)
{
	size_t from = 0, to = owners->n, middle;
	int r;

	while (from < to) {
		middle = from + (to - from) / 2;
		r = strcmp(name, image_string(owners->image,
					      owners->by_name[middle]->name));
		if (r == 0)
			return owners->by_name[middle];
		if (r < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}
