/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "base/array.h"
#include "cgroup/counter_chunks.h"
#include "cgroup/tables.h"
#include "pins/layout.h"
#include "rules/flow_abi.h"
#include "rules/monitor_abi.h"

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

	if (bit_is_set(prep->known, counter))
		return 0;
	r = chunk_go_to(&prep->chunk, prep->counters, counter / COUNTER_CHUNK);
	if (r < 0)
		return r;
	for (cpu = 0; cpu < prep->chunk.cpus; cpu++)
		memset(&prep->chunk.cells[cpu * COUNTER_CHUNK +
					  counter % COUNTER_CHUNK],
		       0, sizeof(struct counter_cell));
	return 0;
}

/* A rule that stays keeps its tokens; a new one begins with all of them. */
static int ensure_limit(const struct tables *tables,
			const struct rule_row *rule)
{
	const struct rule_limit full = { 0 };
	int r;

	r = bpf_map_update_elem(tables->rule_limits, &rule->counter, &full,
				BPF_NOEXIST);
	return r == -EEXIST ? 0 : r;
}

static bool is_of_rule(const struct rule_log *log, const struct rule_row *rule)
{
	return log->interval_ns == rule->log_interval_ns &&
	       log->burst_ns == rule->log_burst_ns;
}

/*
 * Likewise.  What another rule of this counter has left, where an apply was
 * killed before it was taken away, is replaced.
 */
static int ensure_log(const struct tables *tables, const struct rule_row *rule)
{
	struct rule_log log = { .interval_ns = rule->log_interval_ns,
				.burst_ns = rule->log_burst_ns },
			old;
	int r;

	r = bpf_map_update_elem(tables->rule_logs, &rule->counter, &log,
				BPF_NOEXIST);
	if (r != -EEXIST)
		return r;
	r = bpf_map_lookup_elem_flags(tables->rule_logs, &rule->counter, &old,
				      BPF_F_LOCK);
	if (r == 0 && !is_of_rule(&old, rule))
		r = bpf_map_update_elem(tables->rule_logs, &rule->counter, &log,
					BPF_F_LOCK);
	return r;
}

static int ensure_tokens(const struct tables *tables, const struct image *image)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < image->n_rules; i++) {
		const struct rule_row *rule = &image->rules[i];

		if (rule->looks & LOOK_LIMIT)
			r = ensure_limit(tables, rule);
		if (r == 0 && rule->does & DO_LOG)
			r = ensure_log(tables, rule);
	}
	return r;
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
		r = ensure_tokens(tables, image);
	if (r < 0)
		return err_set(err, r, "prepare counters");
	return 0;
}

/* What keeps tokens. */
enum {
	HAS_LIMIT = 1 << 0,
	HAS_LOG = 1 << 1,
};

static unsigned int what_has(const struct rule_row *rule)
{
	return (rule->looks & LOOK_LIMIT ? HAS_LIMIT : 0) |
	       (rule->does & DO_LOG ? HAS_LOG : 0);
}

static unsigned int what_any_has(const struct image *image)
{
	unsigned int what = 0;
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		what |= what_has(&image->rules[i]);
	return what;
}

/* Removes what no rule of image has any more.  -ENOENT: it is through. */
static int tidy_map(int fd, const struct image *image, unsigned int what)
{
	AUTO_FREE unsigned char *used = calloc(COUNTERS_MAX / 8, 1);
	uint32_t key, next;
	size_t i;
	int r;

	if (!used)
		return -ENOMEM;
	for (i = 0; i < image->n_rules; i++)
		if (what_has(&image->rules[i]) & what)
			bit_set(used, image->rules[i].counter);
	r = bpf_map_get_next_key(fd, NULL, &next);
	while (r == 0) {
		key = next;
		r = bpf_map_get_next_key(fd, &key, &next);
		if (!bit_is_set(used, key))
			bpf_map_delete_elem(fd, &key);
	}
	return r;
}

int tables_tidy_limits(const struct tables *tables, const struct image *image,
		       const struct image *was, struct err *err)
{
	const struct {
		int fd;
		unsigned int what;
	} maps[] = {
		{ tables->rule_limits, HAS_LIMIT },
		{ tables->rule_logs, HAS_LOG },
	};
	unsigned int any = what_any_has(image) | what_any_has(was);
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		/* To look through an empty map of this size takes 2 ms. */
		if (!(any & maps[i].what))
			continue;
		r = tidy_map(maps[i].fd, image, maps[i].what);
		if (r != -ENOENT)
			return err_set(err, r, "tidy rule limits");
	}
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
