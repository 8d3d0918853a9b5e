/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/image.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"

struct image *image_new(void)
{
	CLEANUP(image_freep) struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->strings = calloc(1, 1);
	if (!image->strings)
		return NULL;
	image->n_strings = 1;
	return TAKE_PTR(image);
}

static void rows_free(const struct image *image, void *rows)
{
	size_t i;

	for (i = 0; i < image->n_mappings; i++) {
		if (image->mappings[i].rows != rows)
			continue;
		munmap(rows, image->mappings[i].size);
		return;
	}
	free(rows);
}

void image_free(struct image *image)
{
	size_t i;

	if (!image)
		return;
	rows_free(image, image->chains);
	rows_free(image, image->rules);
	rows_free(image, image->class_nodes);
	rows_free(image, image->class_buckets);
	rows_free(image, image->class_entries);
	rows_free(image, image->sets);
	for (i = 0; i < image->n_stores; i++)
		free(image->stores[i].lines);
	free(image->stores);
	rows_free(image, image->ifaces);
	rows_free(image, image->groups);
	rows_free(image, image->peers);
	rows_free(image, image->paths);
	rows_free(image, image->globs);
	rows_free(image, image->devices);
	rows_free(image, image->shares);
	rows_free(image, image->strings);
	free(image->mappings);
	free(image);
}

/* Where the last text in the table begins, if that is text; else 0. */
static size_t last_string(const struct image *image, const char *text,
			  size_t length)
{
	size_t start = image->n_strings - 1 - length;

	if (length + 1 >= image->n_strings || image->strings[start - 1] ||
	    memcmp(image->strings + start, text, length) != 0)
		return 0;
	return start;
}

int image_add_string(struct image *image, const char *text, str_off *ret_off)
{
	size_t length = text ? strlen(text) : 0, last;
	char *added;

	if (length == 0) {
		*ret_off = 0;
		return 0;
	}
	last = last_string(image, text, length);
	if (last > 0) {
		*ret_off = last;
		return 0;
	}
	if (image->n_strings + length + 1 > UINT32_MAX)
		return -ENOMEM;
	added = array_extend(&image->strings, &image->n_strings, 1, length + 1);
	if (!added)
		return -ENOMEM;
	memcpy(added, text, length + 1);
	*ret_off = added - image->strings;
	return 0;
}

const char *image_string(const struct image *image, str_off off)
{
	if (off >= image->n_strings ||
	    !memchr(image->strings + off, '\0', image->n_strings - off))
		return "";
	return image->strings + off;
}

bool image_wants_ifaces(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		if (image->rules[i].looks & LOOK_IFACES)
			return true;
	return false;
}

void image_clear_ifaces(struct image *image)
{
	free(image->ifaces);
	image->ifaces = NULL;
	image->n_ifaces = 0;
}

int image_add_iface(struct image *image, uint32_t ifindex, const char *name)
{
	struct iface_entry *added = ARRAY_ADD(image, ifaces);

	if (!added)
		return -ENOMEM;
	added->key.ifindex = ifindex;
	strncpy((char *)added->value.halves, name, sizeof(added->value) - 1);
	return 0;
}

size_t image_written(const struct image *image)
{
	size_t i, n = 0;

	for (i = 0; i < image->n_chains; i++)
		n += image->chains[i].count;
	return n < image->n_rules ? n : image->n_rules;
}

const struct peer_row *image_peer(const struct image *image,
				  const struct peer_range *range, size_t index)
{
	if (index >= range->count || range->first + index >= image->n_peers)
		return NULL;
	return &image->peers[range->first + index];
}

uint32_t image_group_flags(const struct image *image, uint32_t group)
{
	return group < image->n_groups ? image->groups[group].flags : 0;
}

bool image_group_wants_queue(const struct image *image, uint32_t group)
{
	const struct group_row *row;

	if (group >= image->n_groups)
		return false;
	row = &image->groups[group];
	return row->in.rate_bytes &&
	       (row->shape_in == SHAPE_HTB || row->shape_in == SHAPE_EDT);
}

static int compare_paths(const void *va, const void *vb)
{
	const struct path_entry *a = va, *b = vb;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By device and side, then by cgroup. */
static int compare_shares(const void *va, const void *vb)
{
	const struct share_key *a = va, *b = vb;
	int r = compare_numbers(a->device, b->device);

	if (r == 0)
		r = compare_numbers(a->side, b->side);
	return r ? r : compare_numbers(a->cgroup, b->cgroup);
}

const struct share_entry *image_share(const struct image *image,
				      const struct share_key *key)
{
	if (!image->shares)
		return NULL;
	return bsearch(key, image->shares, image->n_shares,
		       sizeof(*image->shares), compare_shares);
}

static int compare_ifaces(const void *va, const void *vb)
{
	const struct iface_key *a = va, *b = vb;

	return compare_numbers(a->ifindex, b->ifindex);
}

/* Tables that were made in order, as most are, are only looked through. */
static void sort_table(void *rows, size_t n, size_t size,
		       int (*compare)(const void *, const void *))
{
	const char *row = rows;
	size_t i;

	for (i = 1; i < n; i++)
		if (compare(row + (i - 1) * size, row + i * size) > 0)
			break;
	if (i < n)
		qsort(rows, n, size, compare);
}

void image_sort(struct image *image)
{
	sort_table(image->paths, image->n_paths, sizeof(*image->paths),
		   compare_paths);
	sort_table(image->ifaces, image->n_ifaces, sizeof(*image->ifaces),
		   compare_ifaces);
	sort_table(image->shares, image->n_shares, sizeof(*image->shares),
		   compare_shares);
}
