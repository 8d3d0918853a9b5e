/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in tables of flows, and what they take. */
#include <bpf/bpf.h>
#include <time.h>

#include "cgroup/flow_tables_own.h"
#include "cgroup/map_memory.h"
#include "pins/layout.h"

uint32_t flow_ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000000000 + now.tv_nsec) >> FLOW_TICK;
}

static uint64_t load(const __u64 *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static void count_line(const struct flow_line *line, uint32_t now,
		       struct flow_figures *figures)
{
	uint32_t way, tag, until;

	for (way = 0; way < FLOW_WAYS; way++) {
		tag = __atomic_load_n(&line->tags[way], __ATOMIC_RELAXED);
		until = __atomic_load_n(&line->untils[way], __ATOMIC_RELAXED);
		if (!tag)
			continue;
		if ((int32_t)(until - now) < 0) {
			figures->expired++;
			continue;
		}
		figures->held++;
		figures->proven += tag & FLOW_PROVEN;
	}
}

int flow_figures_read(int flows, uint32_t share, struct flow_figures *ret,
		      struct err *err)
{
	CLEANUP(flow_map_close) struct flow_map map = { 0 };
	struct flow_figures figures = { 0 };
	const struct flow_head *head;
	uint32_t i, now;
	int r;

	r = share ? flow_map_open(flows, share, &map) : 0;
	if (r == -EPROTO)
		return layout_misfit("flows", err);
	if (r < 0)
		return err_set(err, r, "read a table of flows");
	if (map.blocks) {
		head = &map.blocks[0].head;
		figures.limit = head->room;
		figures.opened = load(&head->opened);
		figures.evicted = load(&head->evicted);
		figures.expired = load(&head->expired);
		figures.full = load(&head->full);
	}
	now = flow_ticks_now();
	for (i = 1; i <= flow_map_lines(&map); i++)
		count_line(&map.blocks[i].line, now, &figures);
	*ret = figures;
	return 0;
}

static int set_times(int flows, const struct flow_want *want)
{
	CLEANUP(flow_map_close) struct flow_map map = { 0 };
	int r = flow_map_open(flows, want->share, &map);

	if (r == 0 && map.blocks)
		flow_times_set(&map.blocks[0].head, want->room);
	return r;
}

int flow_tables_tidy(int flows, const struct image *image,
		     const struct image *was, struct err *err)
{
	CLEANUP(flow_wants_freep) struct flow_wants *wants = flow_wants_new();
	CLEANUP(flow_wants_freep) struct flow_wants *had = flow_wants_new();
	size_t i;
	int r = wants && had ? 0 : -ENOMEM;

	if (r == 0)
		r = flow_wants_collect(image, wants);
	if (r == 0)
		r = flow_wants_collect(was, had);
	for (i = 0; r == 0 && i < wants->n_list; i++)
		r = set_times(flows, &wants->list[i]);
	if (r == -EPROTO)
		return layout_misfit("flows", err);
	if (r < 0)
		return err_set(err, r, "set the times of flows");
	for (i = 0; i < had->n_list; i++) {
		had->list[i].fd = -1;
		had->list[i].is_due =
			!flow_wants_find(wants, had->list[i].share);
	}
	return flow_wants_put(flows, had, err);
}

int flow_tables_memory(int flows, const struct image *image, uint64_t *sum)
{
	CLEANUP(flow_wants_freep) struct flow_wants *wants = flow_wants_new();
	uint32_t id;
	size_t i;
	int r = wants ? flow_wants_collect(image, wants) : -ENOMEM;

	if (r == 0)
		r = map_memory(flows, sum);
	for (i = 0; r == 0 && i < wants->n_list; i++)
		r = map_memory_inside(flows, wants->list[i].share, 0, sum, &id);
	return r;
}
