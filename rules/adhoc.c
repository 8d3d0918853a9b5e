/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/adhoc_own.h"

#include <string.h>

#include "base/array.h"
#include "rules/group_row.h"
#include "rules/image_strings.h"

const char *adhoc_group_name(const struct image *image, size_t index)
{
	return image_string(image, image->groups[index].name);
}

size_t adhoc_find(const struct image *image, const char *name)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (strcmp(adhoc_group_name(image, i), name) == 0)
			break;
	return i;
}

bool adhoc_is_nothing(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_devices; i++)
		if (image->devices[i].in_use)
			return false;
	return !image->n_groups && !image->n_chains && !image->n_sets;
}

static struct path_entry *path_find(const struct image *image, const char *path)
{
	size_t i;

	for (i = 0; i < image->n_paths; i++)
		if (strcmp(image->paths[i].key.path, path) == 0)
			return &image->paths[i];
	return NULL;
}

/* Points path at the group; the row of a group that had it is taken over. */
static int set_path(struct image *image, const char *path, uint32_t group)
{
	struct path_entry *entry = path_find(image, path);

	if (!entry) {
		entry = ARRAY_ADD(image, paths);
		if (!entry)
			return -ENOMEM;
		strcpy(entry->key.path, path);
	}
	entry->value.group = group;
	image_sort(image);
	return 0;
}

static uint32_t free_uid(const struct image *image, const char *name)
{
	uint32_t uid = group_row_hash(name);
	size_t i;

again:
	for (i = 0; i < image->n_groups; i++) {
		if (uid && image->groups[i].uid != uid)
			continue;
		uid++;
		goto again;
	}
	for (i = 0; i < image->n_peers; i++) {
		if (image->peers[i].uid != uid)
			continue;
		uid++;
		goto again;
	}
	return uid ? uid : 1;
}

int adhoc_add_group(struct image *image, const struct group_row *like,
		    const char *name, const char *path, struct err *err)
{
	struct group_row row = *like, *place;
	int r;

	if (!row.uid)
		row.uid = free_uid(image, name);
	row.file = 0;
	row.line = 0;
	r = image_add_string(image, name, &row.name);
	if (r == 0)
		r = image_add_string(image, path, &row.matches);
	if (r == 0)
		r = set_path(image, path, image->n_groups);
	place = r == 0 ? ARRAY_ADD(image, groups) : NULL;
	if (!place)
		return err_set(err, -ENOMEM, "add group '%s'", name);
	*place = row;
	return 0;
}

int adhoc_remove(struct image *image, size_t index)
{
	size_t i, kept = 0;

	memmove(&image->groups[index], &image->groups[index + 1],
		(image->n_groups - index - 1) * sizeof(*image->groups));
	image->n_groups--;
	for (i = 0; i < image->n_paths; i++) {
		struct path_entry *entry = &image->paths[i];

		if (entry->value.group == index)
			continue;
		entry->value.group -= entry->value.group > index;
		image->paths[kept++] = *entry;
	}
	image->n_paths = kept;
	for (i = 0; i < image->n_globs; i++)
		image->globs[i].group -= image->globs[i].group > index;
	for (i = 0; i < image->n_devices; i++) {
		struct device_row *device = &image->devices[i];

		if (device->group == NONE)
			continue;
		if (device->group == index)
			*device = (struct device_row){ 0 };
		else
			device->group -= device->group > index;
	}
	return image_pack_strings(image);
}
