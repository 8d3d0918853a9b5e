/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory of the kernel's a policy takes. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "cgroup/tables.h"

/* The kernel's own sum for a map, as it tells whoever has it open. */
static int memory_of(int fd, uint64_t *sum)
{
	AUTO_CLOSE int info = -1;
	char path[64], text[1024];
	const char *line;
	uint64_t bytes;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n < 0)
		return neg_errno();
	text[n] = '\0';
	line = strstr(text, "memlock:\t");
	if (!line)
		return -EPROTO;
	line += strlen("memlock:\t");
	if (number_scan(&line, UINT64_MAX, &bytes) < 0)
		return -EPROTO;
	*sum += bytes;
	return 0;
}

/* The map at a place of an array of maps; *ret_id is 0 where there is none. */
static int memory_inside(int outer, uint32_t place, uint32_t but, uint64_t *sum,
			 uint32_t *ret_id)
{
	AUTO_CLOSE int inner = -1;
	uint32_t id;
	int r;

	*ret_id = 0;
	r = bpf_map_lookup_elem(outer, &place, &id);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret_id = id;
	if (id == but)
		return 0;
	inner = bpf_map_get_fd_by_id(id);
	if (inner == -ENOENT) /* it was replaced just now */
		return 0;
	return inner < 0 ? inner : memory_of(inner, sum);
}

/* Both slots may have the same map. */
static int memory_of_table(int outer, uint64_t *sum)
{
	uint32_t first, second;
	int r;

	if (outer < 0)
		return 0;
	r = memory_of(outer, sum);
	if (r == 0)
		r = memory_inside(outer, 0, 0, sum, &first);
	if (r == 0)
		r = memory_inside(outer, 1, first, sum, &second);
	return r;
}

/* Chunks are made from the first on. */
static int memory_of_counters(int counters, uint64_t *sum)
{
	uint32_t chunk, id = 1;
	int r;

	r = memory_of(counters, sum);
	for (chunk = 0; r == 0 && id && chunk < COUNTER_CHUNKS; chunk++)
		r = memory_inside(counters, chunk, 0, sum, &id);
	return r;
}

int tables_memory(const struct tables *tables, uint64_t *ret_bytes,
		  struct err *err)
{
	uint64_t sum = 0;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < N_TABLES; i++)
		r = memory_of_table(tables->slots[i], &sum);
	if (r == 0)
		r = memory_of_counters(tables->counters, &sum);
	if (r == 0)
		r = memory_of(tables->rule_limits, &sum);
	if (r < 0)
		return err_set(err, r, "look at the memory of the tables");
	*ret_bytes = sum;
	return 0;
}
