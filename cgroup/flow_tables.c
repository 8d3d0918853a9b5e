/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/flow_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/crash.h"
#include "cgroup/flow_tables_own.h"
#include "pins/layout.h"
#include "rules/flow_room.h"

/* ------------------------------------------------------------- mapping */

/* How many blocks a table has. */
static int count_blocks(int fd, uint32_t *ret_n)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	if (info.value_size != sizeof(union flow_block) ||
	    info.max_entries < 2 || !(info.map_flags & BPF_F_MMAPABLE))
		return -EPROTO;
	*ret_n = info.max_entries;
	return 0;
}

static int map_table(int fd, struct flow_map *ret_map)
{
	void *blocks;
	uint32_t n;
	int r;

	r = count_blocks(fd, &n);
	if (r < 0)
		return r;
	blocks = mmap(NULL, (size_t)n * sizeof(union flow_block),
		      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (blocks == MAP_FAILED)
		return neg_errno();
	ret_map->blocks = blocks;
	ret_map->n = n;
	return 0;
}

static int open_table(int flows, uint32_t share)
{
	uint32_t id;
	int r;

	r = bpf_map_lookup_elem(flows, &share, &id);
	return r < 0 ? r : bpf_map_get_fd_by_id(id);
}

int flow_map_open(int flows, uint32_t share, struct flow_map *ret_map)
{
	AUTO_CLOSE int fd = open_table(flows, share);

	if (fd == -ENOENT)
		return 0;
	return fd < 0 ? fd : map_table(fd, ret_map);
}

void flow_map_close(struct flow_map *map)
{
	if (map->blocks)
		munmap(map->blocks, (size_t)map->n * sizeof(union flow_block));
	*map = (struct flow_map){ 0 };
}

uint32_t flow_map_lines(const struct flow_map *map)
{
	return map->blocks ? map->blocks[0].head.mask + 1 : 0;
}

/* -------------------------------------------------------------- making */

void flow_times_set(struct flow_head *head, const struct flow_room *room)
{
	uint32_t i;

	for (i = 0; i < FLOW_TIMES; i++)
		__atomic_store_n(
			&head->times[i],
			FLOW_TICKS((uint64_t)flow_room_seconds(room, i)),
			__ATOMIC_RELAXED);
}

/* A power of two. */
static uint32_t lines_for(uint32_t room)
{
	uint32_t lines = 1;

	while (lines < FLOW_LINES(room))
		lines *= 2;
	return lines;
}

static int create(const struct flow_want *want, int *ret_fd,
		  struct flow_map *ret_map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	uint32_t room = want->room->flows ? want->room->flows : want->usual;
	uint32_t lines = lines_for(room);
	uint32_t n = 1 + lines * (want->windows ? 2 : 1);
	AUTO_CLOSE int fd = -1;
	struct flow_head *head;
	int r;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "flow_table", sizeof(uint32_t),
			    sizeof(union flow_block), n, &opts);
	if (fd < 0)
		return fd;
	r = map_table(fd, ret_map);
	if (r < 0)
		return r;
	head = &ret_map->blocks[0].head;
	head->mask = lines - 1;
	head->room = room;
	head->asked = want->room->flows;
	head->windows = want->windows;
	flow_times_set(head, want->room);
	/* Who knows it could send what all falls on one line. */
	if (getrandom(&head->seed, sizeof(head->seed), 0) !=
	    sizeof(head->seed)) {
		flow_map_close(ret_map);
		return -EIO;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * The way for a flow in a line of a table that nobody uses yet, or none.  Its
 * window stays behind: segments that pass before the table is in use would be
 * missing, and so nothing fit any more.
 */
static void put_flow(struct flow_map *to, const struct flow *flow,
		     uint32_t bits, uint32_t until)
{
	const struct flow_head *head = &to->blocks[0].head;
	uint64_t hash = flow_hash(&flow->key, head->seed);
	struct flow_line *line =
		&to->blocks[1 + (FLOW_LINE_OF(hash) & head->mask)].line;
	uint32_t i;

	for (i = 0; i < FLOW_WAYS; i++)
		if (!line->tags[i])
			break;
	if (i == FLOW_WAYS)
		return;
	line->flows[i] = *flow;
	line->flows[i].windowed = 0;
	line->untils[i] = until;
	line->tags[i] = FLOW_TAG_OF(hash) | bits;
}

static void copy_lines(const struct flow_map *from, struct flow_map *to,
		       uint32_t bits)
{
	uint32_t now = flow_ticks_now(), i, way;

	for (i = 1; i <= flow_map_lines(from); i++) {
		const struct flow_line *line = &from->blocks[i].line;

		for (way = 0; way < FLOW_WAYS; way++)
			if (line->tags[way] &&
			    (line->tags[way] & FLOW_BITS) == bits &&
			    (int32_t)(line->untils[way] - now) >= 0)
				put_flow(to, &line->flows[way], bits,
					 line->untils[way]);
	}
}

/* Those that are proven first, as there may be less room. */
static void copy_flows(const struct flow_map *from, struct flow_map *to)
{
	const struct flow_head *head = &from->blocks[0].head;
	struct flow_head *new = &to->blocks[0].head;

	new->opened = head->opened;
	new->evicted = head->evicted;
	new->expired = head->expired;
	new->full = head->full;
	copy_lines(from, to, FLOW_PROVEN | FLOW_FIRM);
	copy_lines(from, to, FLOW_PROVEN);
	copy_lines(from, to, 0);
}

/* Makes what a share is to have; carries: what its table has goes over. */
static int make(int flows, struct flow_want *want, bool carries)
{
	CLEANUP(flow_map_close) struct flow_map from = { 0 }, to = { 0 };
	int r = 0;

	if (carries)
		r = flow_map_open(flows, want->share, &from);
	if (r == 0)
		r = create(want, &want->fd, &to);
	if (r == 0 && from.blocks)
		copy_flows(&from, &to);
	return r;
}

/*
 * Whether the table that is there is another than is wanted, or none is: an
 * apply that was killed may have put it there for a policy that never was in
 * force.  Its head is copied, as to map it all takes longer.
 */
static int differs(int flows, const struct flow_want *want, bool *ret_differs)
{
	AUTO_CLOSE int fd = open_table(flows, want->share);
	union flow_block block;
	uint32_t n, zero = 0;
	int r;

	*ret_differs = true;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = count_blocks(fd, &n);
	if (r == 0)
		r = bpf_map_lookup_elem(fd, &zero, &block);
	if (r < 0)
		return r;
	*ret_differs = block.head.asked != want->room->flows ||
		       block.head.windows != want->windows;
	return 0;
}

/* before: what the policy in force has there, or NULL. */
static int find_due(int flows, const struct flow_want *before,
		    struct flow_want *want)
{
	want->is_due = !before || before->room->flows != want->room->flows ||
		       before->windows != want->windows;
	return want->is_due ? 0 : differs(flows, want, &want->is_due);
}

/* So many descriptors may be open at once. */
#define DUE_MAX 256

/* Of those from *next on that are not as they are to be, up to DUE_MAX. */
static int make_due(int flows, struct flow_wants *wants,
		    const struct flow_wants *had, size_t *next)
{
	size_t n = 0;
	int r = 0;

	for (; r == 0 && n < DUE_MAX && *next < wants->n_list; (*next)++) {
		struct flow_want *want = &wants->list[*next];
		const struct flow_want *before =
			flow_wants_find(had, want->share);

		want->fd = -1;
		r = find_due(flows, before, want);
		if (r == 0 && want->is_due)
			r = make(flows, want, before);
		n += want->is_due;
	}
	return r;
}

int flow_tables_write(int flows, const struct image *image,
		      const struct image *live, struct err *err)
{
	CLEANUP(flow_wants_freep) struct flow_wants *wants = flow_wants_new();
	CLEANUP(flow_wants_freep) struct flow_wants *had = flow_wants_new();
	int r = wants && had ? 0 : -ENOMEM;
	size_t next = 0;

	if (r == 0)
		r = flow_wants_collect(image, wants);
	if (r == 0)
		r = flow_wants_collect(live, had);
	while (r == 0 && next < wants->n_list) {
		r = make_due(flows, wants, had, &next);
		crash_point();
		if (r < 0)
			break;
		r = flow_wants_put(flows, wants, err);
		if (r < 0)
			return r;
	}
	if (r == -EPROTO)
		return layout_misfit("flows", err);
	return r < 0 ? err_set(err, r, "make tables of flows") : 0;
}

int flow_table_put(int flows, uint32_t share, const struct flow_room *room,
		   uint32_t usual, bool windows, struct err *err)
{
	CLEANUP(flow_map_close) struct flow_map map = { 0 };
	struct flow_want want = {
		.room = room, .usual = usual, .windows = windows, .fd = -1
	};
	AUTO_CLOSE int fd = -1;
	int r = create(&want, &fd, &map);

	if (r == 0)
		r = bpf_map_update_elem(flows, &share, &fd, 0);
	return r < 0 ? err_set(err, r, "make a table of flows") : 0;
}
