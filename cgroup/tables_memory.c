/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory of the kernel's a policy takes. */
#include "cgroup/flow_tables.h"
#include "cgroup/map_memory.h"
#include "cgroup/tables.h"

/* Both slots may have the same map. */
static int memory_of_table(int outer, uint64_t *sum)
{
	uint32_t first, second;
	int r;

	if (outer < 0)
		return 0;
	r = map_memory(outer, sum);
	if (r == 0)
		r = map_memory_inside(outer, 0, 0, sum, &first);
	if (r == 0)
		r = map_memory_inside(outer, 1, first, sum, &second);
	return r;
}

/* Chunks are made from the first on. */
static int memory_of_counters(int counters, uint64_t *sum)
{
	uint32_t chunk, id = 1;
	int r;

	r = map_memory(counters, sum);
	for (chunk = 0; r == 0 && id && chunk < COUNTER_CHUNKS; chunk++)
		r = map_memory_inside(counters, chunk, 0, sum, &id);
	return r;
}

int tables_memory(const struct tables *tables, const struct image *image,
		  uint64_t *ret_bytes, struct err *err)
{
	uint64_t sum = 0;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < N_TABLES; i++)
		r = memory_of_table(tables->slots[i], &sum);
	if (r == 0)
		r = memory_of_counters(tables->counters, &sum);
	if (r == 0)
		r = map_memory(tables->rule_limits, &sum);
	if (r == 0)
		r = map_memory(tables->rule_logs, &sum);
	if (r == 0)
		r = flow_tables_memory(tables->flows, image, &sum);
	if (r < 0)
		return err_set(err, r, "look at the memory of the tables");
	*ret_bytes = sum;
	return 0;
}
