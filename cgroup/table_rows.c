/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/table_rows.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cgroup/table_array.h"

static char **rows_of(const struct table_def *def, const struct image *image)
{
	return (char **)((char *)image + def->rows_offset);
}

static size_t *count_of(const struct table_def *def, const struct image *image)
{
	return (size_t *)((char *)image + def->count_offset);
}

size_t table_rows_count(const struct table_def *def, const struct image *image)
{
	return *count_of(def, image);
}

bool table_rows_equal(const struct table_def *def, const struct image *image,
		      const struct image *other)
{
	size_t count = table_rows_count(def, image);

	if (!other)
		return false;
	return table_rows_count(def, other) == count &&
	       (count == 0 || memcmp(*rows_of(def, image), *rows_of(def, other),
				     count * def->size) == 0);
}

/* Of strings, a row of the map is a page. */
static size_t map_row(const struct table_def *def)
{
	return def->kind == TABLE_STRINGS ? STRINGS_PAGE : def->size;
}

static size_t map_rows(const struct table_def *def, const struct image *image)
{
	size_t count = table_rows_count(def, image);

	if (def->kind == TABLE_STRINGS)
		return (count + STRINGS_PAGE - 1) / STRINGS_PAGE;
	return count;
}

bool table_rows_is_array(const struct table_def *def)
{
	return def->kind == TABLE_ARRAY || def->kind == TABLE_STRINGS;
}

int table_rows_create(const struct table_def *def, const struct image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	size_t rows = map_rows(def, image);

	if (def->kind == TABLE_HASH)
		return bpf_map_create(BPF_MAP_TYPE_HASH, def->map,
				      def->key_size, def->size - def->key_size,
				      rows, &opts);
	return table_array_create(def->map, map_row(def), rows);
}

static int write_keys(const struct table_def *def, int fd,
		      const struct image *image)
{
	const char *row = *rows_of(def, image);
	size_t i, n = table_rows_count(def, image);
	int r;

	for (i = 0; i < n; i++, row += def->size) {
		r = bpf_map_update_elem(fd, row, row + def->key_size, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int table_rows_write(const struct table_def *def, int fd,
		     const struct image *image)
{
	if (def->kind == TABLE_HASH)
		return write_keys(def, fd, image);
	return table_array_write(fd, map_row(def), *rows_of(def, image),
				 table_rows_count(def, image) * def->size);
}

static int map_size(int fd, uint32_t *ret_entries, uint32_t *ret_value_size)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	*ret_entries = info.max_entries;
	*ret_value_size = info.value_size;
	return 0;
}

/* The keys of a hash, each with its value behind it. */
static int read_keys(int fd, size_t key_size, size_t row_size, char **prows,
		     size_t *n)
{
	uint32_t entries, value_size;
	AUTO_FREE char *rows = NULL;
	char *key = NULL, *next;
	size_t count;
	int r;

	r = map_size(fd, &entries, &value_size);
	if (r < 0)
		return r;
	if (row_size != key_size + value_size)
		return -EPROTO;
	rows = calloc(entries, row_size);
	if (!rows)
		return -ENOMEM;
	for (count = 0; count < entries; count++) {
		next = rows + count * row_size;
		r = bpf_map_get_next_key(fd, key, next);
		if (r == -ENOENT)
			break;
		if (r == 0)
			r = bpf_map_lookup_elem(fd, next, next + key_size);
		if (r < 0)
			return r;
		key = next;
	}
	*prows = TAKE_PTR(rows);
	*n = count;
	return 0;
}

/* Without what fills up the last page, but for the NUL of the last text. */
static size_t strings_used(const char *strings, size_t size)
{
	while (size > 1 && !strings[size - 1] && !strings[size - 2])
		size--;
	return size;
}

/* As table_array_read, with the image's note where the rows are mapped. */
static int map_rows_of(const struct table_def *def, int fd, struct image *image,
		       void **ret_rows, size_t *ret_n)
{
	struct image_mapping *mapping;
	int r;

	mapping = ARRAY_ADD(image, mappings);
	if (!mapping)
		return -ENOMEM;
	r = table_array_map(fd, map_row(def), ret_rows, ret_n, &mapping->size);
	if (r < 0)
		image->n_mappings--;
	else
		mapping->rows = *ret_rows;
	return r;
}

int table_rows_read(const struct table_def *def, int fd, bool in_place,
		    struct image *image)
{
	void *rows = NULL;
	size_t n;
	int r;

	if (def->kind == TABLE_HASH)
		return read_keys(fd, def->key_size, def->size,
				 rows_of(def, image), count_of(def, image));
	r = in_place ? map_rows_of(def, fd, image, &rows, &n) : -ENOTSUP;
	if (r == -ENOTSUP)
		r = table_array_read(fd, map_row(def), &rows, &n);
	if (r < 0)
		return r;
	free(*rows_of(def, image));
	*rows_of(def, image) = rows;
	if (def->kind == TABLE_STRINGS)
		n = strings_used(rows, n * STRINGS_PAGE);
	*count_of(def, image) = n;
	return 0;
}
