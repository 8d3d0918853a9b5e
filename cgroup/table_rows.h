/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of an image to and from one inner map; only for tables.c. */
#ifndef WEIR_CGROUP_TABLE_ROWS_H
#define WEIR_CGROUP_TABLE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/image.h"

enum table_kind {
	TABLE_ARRAY,   /* an ARRAY with a row per element */
	TABLE_STRINGS, /* an ARRAY of pages */
	TABLE_HASH,    /* a HASH: each row is a key, with its value behind it */
};

struct table_def {
	const char *map; /* its pin, and the name of the field */
	enum table_kind kind;
	size_t key_size;    /* of a hash; else 0 */
	size_t size;	    /* of a row in struct image, bytes */
	size_t rows_offset; /* of the pointer in struct image */
	size_t count_offset;
};

size_t table_rows_count(const struct table_def *def, const struct image *image);

/* The same rows in both; false where other is NULL. */
bool table_rows_equal(const struct table_def *def, const struct image *image,
		      const struct image *other);

/* Whether its map can be written again, with other rows. */
bool table_rows_is_array(const struct table_def *def);

/* A new map with room for the rows of image; its descriptor. */
int table_rows_create(const struct table_def *def, const struct image *image);

/* -ENOSPC: an array has not the room for it, or far too much. */
int table_rows_write(const struct table_def *def, int fd,
		     const struct image *image);

/*
 * Sets the table's pointer and count in image, which has none yet.  in_place:
 * an array is not copied, and changes when somebody writes the map.
 */
int table_rows_read(const struct table_def *def, int fd, bool in_place,
		    struct image *image);

#endif
