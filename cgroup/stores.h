/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores of sets in the kernel: each a map of its own in the array of maps
 * `elements`, read and changed where it is mapped.  Layout: rules/set_abi.h.
 */
#ifndef WEIR_CGROUP_STORES_H
#define WEIR_CGROUP_STORES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/image.h"
#include "rules/set_store.h"

/* A store, mapped.  lines.n is its length.  Not to be copied. */
struct store_map {
	struct set_lines lines;
	struct set_pages pages;
	int fd;
	int protection;
	size_t size;	       /* in whole pages */
	unsigned char *mapped; /* of each piece */
};

/*
 * Maps what is at an index of `elements`: to read all of it, or piece by piece
 * to change a little.  It stays as it was, but for changes to its heads, when
 * another takes its place there.
 */
int store_map_open(int elements, uint32_t store, bool to_change,
		   struct store_map *ret_map, struct err *err);
void store_map_close(struct store_map *map);

/* Puts a store where the index says; who reads meets the old one or this. */
int store_put(int elements, const struct store_content *content,
	      struct err *err);

/*
 * Part of tables_write, when nobody reads the slot any more that it writes:
 * takes away what only the sets there had, `before`, and adds what image has
 * new.
 */
int stores_write(int elements, const struct image *before,
		 const struct image *live, const struct image *image,
		 struct err *err);

/*
 * Part of tables_read: what was changed since sets were written.  Their rows
 * get the elements that they have now, and no digest.
 */
int stores_look(int elements, struct image *image, struct err *err);

#endif
