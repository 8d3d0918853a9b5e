/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "cgroup/counter_chunks.h"
#include "cgroup/tables.h"
#include "pins/layout.h"
#include "rules/flow_abi.h"

/* Calls fn with each counter of image. */
static int for_each_counter(const struct image *image,
			    int (*fn)(void *data, uint32_t counter), void *data)
{
	size_t i;
	int r;

	for (i = 0; i < image->n_chains; i++) {
		r = fn(data, image->chains[i].counter);
		if (r < 0)
			return r;
	}
	for (i = 0; i < image->n_rules; i++) {
		r = fn(data, image->rules[i].counter);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A bit per counter there can be.  A live table may be damaged. */
#define COUNTERS_MAX (COUNTER_CHUNK * COUNTER_CHUNKS)

static void bit_set(unsigned char *bits, uint32_t counter)
{
	if (counter < COUNTERS_MAX)
		bits[counter / 8] |= 1 << (counter % 8);
}

static bool bit_is_set(const unsigned char *bits, uint32_t counter)
{
	return counter < COUNTERS_MAX && bits[counter / 8] >> (counter % 8) & 1;
}

struct preparation {
	int counters;
	struct chunk chunk;
	unsigned char *known; /* bits: the counters of the live image */
	bool wanted[COUNTER_CHUNKS];
};

static int note_known(void *data, uint32_t counter)
{
	struct preparation *prep = data;

	bit_set(prep->known, counter);
	return 0;
}

static int note_chunk(void *data, uint32_t counter)
{
	struct preparation *prep = data;

	if (counter >= COUNTERS_MAX)
		return -E2BIG;
	prep->wanted[counter / COUNTER_CHUNK] = true;
	return 0;
}

static int prepare_counter(void *data, uint32_t counter)
{
	struct preparation *prep = data;
	uint32_t cpu;
	int r;

	r = chunk_go_to(&prep->chunk, prep->counters, counter / COUNTER_CHUNK);
	if (r < 0 || bit_is_set(prep->known, counter))
		return r;
	for (cpu = 0; cpu < prep->chunk.cpus; cpu++)
		memset(&prep->chunk.cells[cpu * COUNTER_CHUNK +
					  counter % COUNTER_CHUNK],
		       0, sizeof(struct counter_cell));
	return 0;
}

/* Rules that stay keep their tokens; new ones begin with all of them. */
static int ensure_limits(const struct tables *tables, const struct image *image)
{
	const struct rule_limit full = { 0 };
	size_t i;
	int r;

	for (i = 0; i < image->n_rules; i++) {
		const struct rule_row *rule = &image->rules[i];

		if (!(rule->looks & LOOK_LIMIT))
			continue;
		r = bpf_map_update_elem(tables->rule_limits, &rule->counter,
					&full, BPF_NOEXIST);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* How many rows of cells a chunk has. */
static int count_cpus(uint32_t *ret_cpus, struct err *err)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return err_set(err, cpus, "count processors");
	*ret_cpus = cpus;
	return 0;
}

int tables_prepare_counters(const struct tables *tables,
			    const struct image *image, const struct image *live,
			    struct err *err)
{
	struct preparation prep = { .counters = tables->counters };
	AUTO_FREE unsigned char *known = NULL;
	int r;

	r = count_cpus(&prep.chunk.cpus, err);
	if (r < 0)
		return r;
	known = calloc(COUNTERS_MAX / 8, 1);
	if (!known)
		return err_set(err, -ENOMEM, "prepare counters");
	prep.known = known;
	for_each_counter(live, note_known, &prep);
	r = for_each_counter(image, note_chunk, &prep);
	if (r == 0)
		r = chunks_ensure(prep.counters, prep.wanted, prep.chunk.cpus);
	if (r == 0)
		r = for_each_counter(image, prepare_counter, &prep);
	chunk_close(&prep.chunk);
	if (r == 0)
		r = ensure_limits(tables, image);
	if (r < 0)
		return err_set(err, r, "prepare counters");
	return 0;
}

static bool has_limits(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		if (image->rules[i].looks & LOOK_LIMIT)
			return true;
	return false;
}

int tables_tidy_limits(const struct tables *tables, const struct image *image,
		       const struct image *was, struct err *err)
{
	AUTO_FREE unsigned char *used = NULL;
	uint32_t key, next;
	size_t i;
	int r;

	/* To look through an empty map of this size takes 2 ms. */
	if (!has_limits(image) && !has_limits(was))
		return 0;
	used = calloc(COUNTERS_MAX / 8, 1);
	if (!used)
		return err_set(err, -ENOMEM, "tidy rule limits");
	for (i = 0; i < image->n_rules; i++)
		if (image->rules[i].looks & LOOK_LIMIT)
			bit_set(used, image->rules[i].counter);
	r = bpf_map_get_next_key(tables->rule_limits, NULL, &next);
	while (r == 0) {
		key = next;
		r = bpf_map_get_next_key(tables->rule_limits, &key, &next);
		if (!bit_is_set(used, key))
			bpf_map_delete_elem(tables->rule_limits, &key);
	}
	if (r != -ENOENT)
		return err_set(err, r, "tidy rule limits");
	return 0;
}

#define READ_TRIES 1000

static uint64_t load(const __u64 *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

/*
 * Again, if the program moved something meanwhile.  One that is kept from
 * running in the middle of that, for longer than all tries, is not waited for.
 */
static void cell_read(const struct counter_cell *cell, struct counter *ret)
{
	uint64_t recent, moves;
	int i;

	for (i = 0; i < READ_TRIES; i++) {
		moves = load(&cell->moves);
		recent = load(&cell->recent);
		ret->packets = load(&cell->packets) + counter_packets(recent);
		ret->bytes = load(&cell->bytes) + counter_bytes(recent);
		if (load(&cell->moves) == moves && !(moves % COUNTER_MOVED))
			return;
	}
}

static void chunk_sum(const struct chunk *chunk, uint32_t counter,
		      struct counter *ret_sum)
{
	struct counter sum = { 0 }, one;
	uint32_t cpu;

	for (cpu = 0; cpu < chunk->cpus; cpu++) {
		cell_read(&chunk->cells[cpu * COUNTER_CHUNK +
					counter % COUNTER_CHUNK],
			  &one);
		sum.packets += one.packets;
		sum.bytes += one.bytes;
	}
	*ret_sum = sum;
}

static int read_counter(const struct tables *tables, struct chunk *chunk,
			uint32_t counter, struct counter *ret_sum,
			struct err *err)
{
	int r;

	r = chunk_go_to(chunk, tables->counters, counter / COUNTER_CHUNK);
	if (r == -EPROTO)
		return layout_misfit("counters", err);
	if (r < 0)
		return err_set(err, r, "read counter %u", counter);
	chunk_sum(chunk, counter, ret_sum);
	return 0;
}

int tables_counter(const struct tables *tables, uint32_t counter,
		   struct counter *ret_sum, struct err *err)
{
	CLEANUP(chunk_close) struct chunk chunk = { 0 };
	int r;

	r = count_cpus(&chunk.cpus, err);
	if (r < 0)
		return r;
	return read_counter(tables, &chunk, counter, ret_sum, err);
}

int tables_counters(const struct tables *tables, const struct image *image,
		    struct counter *rules, struct counter *chains,
		    struct err *err)
{
	CLEANUP(chunk_close) struct chunk chunk = { 0 };
	size_t i;
	int r;

	r = count_cpus(&chunk.cpus, err);
	for (i = 0; r == 0 && i < image->n_rules; i++)
		r = read_counter(tables, &chunk, image->rules[i].counter,
				 &rules[i], err);
	for (i = 0; r == 0 && i < image->n_chains; i++)
		r = read_counter(tables, &chunk, image->chains[i].counter,
				 &chains[i], err);
	return r;
}
