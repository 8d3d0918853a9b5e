/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/image_copy.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

static int copy_rows(void *pcopy, const void *rows, size_t n, size_t size)
{
	void *copy;

	if (n == 0)
		return 0;
	copy = array_make(n, size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, rows, n * size);
	memcpy(pcopy, &copy, sizeof(copy));
	return 0;
}

static int copy_stores(const struct image *image, struct image *copy)
{
	size_t i;

	for (i = 0; i < image->n_stores; i++) {
		const struct store_content *from = &image->stores[i];
		struct store_content *to = ARRAY_ADD(copy, stores);
		size_t size = from->n_lines * sizeof(*from->lines);

		if (!to)
			return -ENOMEM;
		*to = *from;
		to->lines = malloc(size);
		if (!to->lines)
			return -ENOMEM;
		memcpy(to->lines, from->lines, size);
	}
	return 0;
}

#define COPY(table)                                                     \
	({                                                              \
		copy->n_##table = image->n_##table;                     \
		copy_rows(&copy->table, image->table, image->n_##table, \
			  sizeof(*image->table));                       \
	})

int image_copy(const struct image *image, struct image **ret_copy)
{
	CLEANUP(image_freep) struct image *copy = image_new();

	if (!copy)
		return -ENOMEM;
	free(TAKE_PTR(copy->strings));
	if (COPY(chains) < 0 || COPY(rules) < 0 || COPY(class_nodes) < 0 ||
	    COPY(class_buckets) < 0 || COPY(class_entries) < 0 ||
	    COPY(sets) < 0 || copy_stores(image, copy) < 0 ||
	    COPY(ifaces) < 0 || COPY(groups) < 0 || COPY(peers) < 0 ||
	    COPY(paths) < 0 || COPY(globs) < 0 || COPY(devices) < 0 ||
	    COPY(shares) < 0 || COPY(strings) < 0)
		return -ENOMEM;
	*ret_copy = TAKE_PTR(copy);
	return 0;
}
