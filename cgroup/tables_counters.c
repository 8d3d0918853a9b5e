/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "cgroup/tables.h"
#include "rules/flow_abi.h"

static int open_chunk(int counters, uint32_t chunk)
{
	uint32_t id;
	int r;

	r = bpf_map_lookup_elem(counters, &chunk, &id);
	return r < 0 ? r : bpf_map_get_fd_by_id(id);
}

/* New elements of an array are zero. */
static int ensure_chunk(int counters, uint32_t chunk)
{
	AUTO_CLOSE int inner = open_chunk(counters, chunk);

	if (inner >= 0)
		return 0;
	if (inner != -ENOENT)
		return inner;
	inner = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counter_chunk",
			       sizeof(uint32_t), sizeof(struct counter),
			       COUNTER_CHUNK, NULL);
	if (inner < 0)
		return inner;
	return bpf_map_update_elem(counters, &chunk, &inner, 0);
}

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

struct preparation {
	int counters;
	int cpus;
	unsigned char *known; /* a bit per counter of the live image */
	size_t n_known;	      /* counters that known has room for */
	void *zeroes;	      /* an element: a value per processor */
};

static int note_known(void *data, uint32_t counter)
{
	struct preparation *prep = data;

	if (counter / 8 < prep->n_known / 8)
		prep->known[counter / 8] |= 1 << (counter % 8);
	return 0;
}

static int prepare_counter(void *data, uint32_t counter)
{
	struct preparation *prep = data;
	uint32_t index = counter % COUNTER_CHUNK;
	AUTO_CLOSE int inner = -1;

	if (counter / 8 >= prep->n_known / 8)
		return -E2BIG;
	if (prep->known[counter / 8] >> (counter % 8) & 1)
		return 0;
	inner = ensure_chunk(prep->counters, counter / COUNTER_CHUNK);
	if (inner < 0)
		return inner;
	inner = open_chunk(prep->counters, counter / COUNTER_CHUNK);
	if (inner < 0)
		return inner;
	return bpf_map_update_elem(inner, &index, prep->zeroes, 0);
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

int tables_prepare_counters(const struct tables *tables,
			    const struct image *image, const struct image *live,
			    struct err *err)
{
	struct preparation prep = { .counters = tables->counters,
				    .n_known = COUNTER_CHUNK * COUNTER_CHUNKS };
	AUTO_FREE unsigned char *known = NULL;
	AUTO_FREE void *zeroes = NULL;
	int r;

	prep.cpus = libbpf_num_possible_cpus();
	if (prep.cpus < 0)
		return err_set(err, prep.cpus, "count processors");
	known = calloc(prep.n_known / 8, 1);
	zeroes = calloc(prep.cpus, sizeof(struct counter));
	if (!known || !zeroes)
		return err_set(err, -ENOMEM, "prepare counters");
	prep.known = known;
	prep.zeroes = zeroes;
	for_each_counter(live, note_known, &prep);
	r = for_each_counter(image, prepare_counter, &prep);
	if (r == 0)
		r = ensure_limits(tables, image);
	if (r < 0)
		return err_set(err, r, "prepare counters");
	return 0;
}

static bool limit_is_used(const struct image *image, uint32_t counter)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		if (image->rules[i].looks & LOOK_LIMIT &&
		    image->rules[i].counter == counter)
			return true;
	return false;
}

int tables_tidy_limits(const struct tables *tables, const struct image *image,
		       struct err *err)
{
	uint32_t key, next;
	int r;

	r = bpf_map_get_next_key(tables->rule_limits, NULL, &next);
	while (r == 0) {
		key = next;
		r = bpf_map_get_next_key(tables->rule_limits, &key, &next);
		if (!limit_is_used(image, key))
			bpf_map_delete_elem(tables->rule_limits, &key);
	}
	if (r != -ENOENT)
		return err_set(err, r, "tidy rule limits");
	return 0;
}

int tables_counter(const struct tables *tables, uint32_t counter,
		   struct counter *ret_sum, struct err *err)
{
	AUTO_CLOSE int inner =
		open_chunk(tables->counters, counter / COUNTER_CHUNK);
	uint32_t index = counter % COUNTER_CHUNK;
	int i, r, cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct counter *values = NULL;
	struct counter sum = { 0 };

	if (inner < 0 || cpus < 0)
		return err_set(err, inner < 0 ? inner : cpus, "open counters");
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return err_set(err, -ENOMEM, "read a counter");
	r = bpf_map_lookup_elem(inner, &index, values);
	if (r < 0)
		return err_set(err, r, "read counter %u", counter);
	for (i = 0; i < cpus; i++) {
		sum.packets += values[i].packets;
		sum.bytes += values[i].bytes;
	}
	*ret_sum = sum;
	return 0;
}
