/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/table_array.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/err.h"

/* Room for rows that are still to come. */
#define ROOM_LEAST 16

/* The kernel's array of values; each begins at a multiple of 8 bytes. */
struct mapping {
	char *rows;
	size_t n, stride, row_size;
};

static void mapping_end(struct mapping *mapping)
{
	if (mapping->rows)
		munmap(mapping->rows, mapping->n * mapping->stride);
}

static struct table_end *end_of(const struct mapping *mapping)
{
	return (struct table_end *)(mapping->rows +
				    (mapping->n - 1) * mapping->stride +
				    mapping->row_size -
				    sizeof(struct table_end));
}

static void set_count(const struct mapping *mapping, size_t n)
{
	__atomic_store_n(&end_of(mapping)->rows, n, __ATOMIC_SEQ_CST);
}

static char *row_at(const struct mapping *mapping, size_t index)
{
	return mapping->rows + index * mapping->stride;
}

/* row_size 0: whatever it is.  What has another layout is another version's. */
static int mapping_begin(int fd, size_t row_size, int protection,
			 struct mapping *ret_mapping)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	struct mapping mapping;
	void *rows;
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	if ((row_size && info.value_size != row_size) ||
	    info.value_size < sizeof(struct table_end) ||
	    !(info.map_flags & BPF_F_MMAPABLE))
		return -EPROTO;
	mapping.n = info.max_entries;
	mapping.row_size = info.value_size;
	mapping.stride = (info.value_size + 7) & ~(size_t)7;
	rows = mmap(NULL, mapping.n * mapping.stride, protection, MAP_SHARED,
		    fd, 0);
	if (rows == MAP_FAILED)
		return neg_errno();
	mapping.rows = rows;
	*ret_mapping = mapping;
	return 0;
}

int table_array_create(const char *name, size_t row_size, size_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t room = n + n / 8 + 2;

	if (room < ROOM_LEAST && row_size < 4096)
		room = ROOM_LEAST;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t),
			      row_size, room, &opts);
}

static bool fits(const struct mapping *mapping, size_t n)
{
	return n < mapping->n && mapping->n <= 4 * n + ROOM_LEAST;
}

static void put_rows(const struct mapping *mapping, const char *rows,
		     size_t size, size_t n)
{
	size_t i;

	if (mapping->stride == mapping->row_size) {
		memcpy(mapping->rows, rows, size);
		memset(mapping->rows + size, 0, n * mapping->stride - size);
		return;
	}
	for (i = 0; i < n; i++)
		memcpy(row_at(mapping, i), rows + i * mapping->row_size,
		       mapping->row_size);
}

int table_array_write(int fd, size_t row_size, const void *rows, size_t size)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	size_t n = (size + row_size - 1) / row_size, had;
	int r;

	r = mapping_begin(fd, row_size, PROT_READ | PROT_WRITE, &mapping);
	if (r < 0)
		return r;
	if (!fits(&mapping, n))
		return -ENOSPC;
	had = end_of(&mapping)->rows;
	if (had >= mapping.n)
		return -EPROTO;
	/* Whoever is killed in between leaves none that is not counted. */
	if (had < n)
		set_count(&mapping, n);
	put_rows(&mapping, rows, size, n);
	if (had > n)
		memset(row_at(&mapping, n), 0, (had - n) * mapping.stride);
	set_count(&mapping, n);
	return 0;
}

/* To be read, with n of the table's rows. */
static int mapping_read(int fd, size_t row_size, struct mapping *ret_mapping,
			size_t *ret_n)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	size_t n;
	int r;

	r = mapping_begin(fd, row_size, PROT_READ, &mapping);
	if (r < 0)
		return r;
	n = end_of(&mapping)->rows;
	if (n == 0 || n >= mapping.n)
		return -EPROTO;
	*ret_mapping = mapping;
	mapping.rows = NULL;
	*ret_n = n;
	return 0;
}

int table_array_read(int fd, size_t row_size, void **ret_rows, size_t *ret_n)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	size_t n, i;
	char *rows;
	int r;

	r = mapping_read(fd, row_size, &mapping, &n);
	if (r < 0)
		return r;
	rows = array_make(n, row_size);
	if (!rows)
		return -ENOMEM;
	if (mapping.stride == row_size)
		memcpy(rows, mapping.rows, n * row_size);
	for (i = 0; mapping.stride != row_size && i < n; i++)
		memcpy(rows + i * row_size, row_at(&mapping, i), row_size);
	*ret_rows = rows;
	*ret_n = n;
	return 0;
}

int table_array_map(int fd, size_t row_size, void **ret_rows, size_t *ret_n,
		    size_t *ret_size)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	int r;

	r = mapping_read(fd, row_size, &mapping, ret_n);
	if (r < 0)
		return r;
	if (mapping.stride != row_size)
		return -ENOTSUP;
	*ret_size = mapping.n * mapping.stride;
	*ret_rows = TAKE_PTR(mapping.rows);
	return 0;
}

int table_array_settle(int fd, uint32_t generation)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	int r;

	r = mapping_begin(fd, 0, PROT_READ | PROT_WRITE, &mapping);
	if (r < 0)
		return r;
	end_of(&mapping)->settled = generation;
	return 0;
}

int table_array_settled(int fd, uint32_t *ret_generation)
{
	CLEANUP(mapping_end) struct mapping mapping = { 0 };
	int r;

	r = mapping_begin(fd, 0, PROT_READ, &mapping);
	if (r < 0)
		return r;
	*ret_generation = end_of(&mapping)->settled;
	return 0;
}
