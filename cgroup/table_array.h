/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table whose inner map is an array of rows.  It is mapped into memory to be
 * written and read: a call for each row would take most of the time of an
 * apply.  There is room for more rows than it has, all zero, so that the next
 * policy can be written into the same map.  Only for table_*.c.
 */
#ifndef WEIR_CGROUP_TABLE_ARRAY_H
#define WEIR_CGROUP_TABLE_ARRAY_H

#include <stddef.h>
#include <stdint.h>

/*
 * At the end of the last row of the map, which is none of the table's.  No
 * index that a program has leads there; should one, the row says nothing, as
 * what a row says is before its end.
 */
struct table_end {
	uint32_t rows;	  /* of the table */
	uint32_t settled; /* see table_array_settle */
};

/* A new map with room for n rows; its descriptor. */
int table_array_create(const char *name, size_t row_size, size_t n);

/*
 * Puts size bytes of rows, the last filled up with zero, in place of those that
 * are there.  -ENOSPC, and nothing is written, where they do not fit, or would
 * leave most of it empty.
 */
int table_array_write(int fd, size_t row_size, const void *rows, size_t size);

/* Memory of its own with all rows, at least one.  -EPROTO: of another size. */
int table_array_read(int fd, size_t row_size, void **ret_rows, size_t *ret_n);

/*
 * Likewise, but of the kernel's, to be unmapped: what is written into the map
 * later on is seen here.  -ENOTSUP: not one row behind the other.
 */
int table_array_map(int fd, size_t row_size, void **ret_rows, size_t *ret_n,
		    size_t *ret_size);

/* Notes a generation with the table, or what was noted last; 0 at first. */
int table_array_settle(int fd, uint32_t generation);
int table_array_settled(int fd, uint32_t *ret_generation);

#endif
