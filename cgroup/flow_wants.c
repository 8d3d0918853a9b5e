/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tables of flows an image is to have, and putting them there. */
#include <bpf/bpf.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/array.h"
#include "cgroup/flow_tables_own.h"
#include "pins/layout.h"

uint32_t flow_share_of_group(const struct group_row *row)
{
	return row->flags & KEEP_STATES && row->flow_share < FLOW_SHARES
		       ? row->flow_share
		       : 0;
}

uint32_t flow_share_of_device(const struct image *image, size_t index)
{
	const struct device_row *row = &image->devices[index];

	return row->in_use && row->flags & KEEP_STATES && index < DEVICES_MAX
		       ? index
		       : 0;
}

struct flow_wants *flow_wants_new(void)
{
	return calloc(1, sizeof(struct flow_wants));
}

void flow_wants_free(struct flow_wants *wants)
{
	size_t i;

	for (i = 0; wants && i < wants->n_list; i++)
		if (wants->list[i].is_due)
			close_fdp(&wants->list[i].fd);
	if (wants)
		free(wants->list);
	free(wants);
}

/* Two groups have one table where one was made of the other. */
static int add_want(struct flow_wants *wants, uint32_t share,
		    const struct flow_room *room, bool windows)
{
	struct flow_want *want;

	if (!share || wants->has[share])
		return 0;
	want = ARRAY_ADD(wants, list);
	if (!want)
		return -ENOMEM;
	want->share = share;
	want->room = room;
	want->windows = windows;
	wants->has[share] = wants->n_list;
	return 0;
}

/* So that all of them together stay below FLOW_ROOM_ALL. */
static uint32_t usual_room(size_t n, uint32_t most)
{
	uint32_t room = n ? FLOW_ROOM_ALL / n : most;

	if (room > most)
		return most;
	return room < FLOW_ROOM_MIN ? FLOW_ROOM_MIN : room;
}

int flow_wants_collect(const struct image *image, struct flow_wants *wants)
{
	size_t i, n_groups;
	int r = 0;

	for (i = 0; image && r == 0 && i < image->n_groups; i++)
		r = add_want(wants, flow_share_of_group(&image->groups[i]),
			     &image->groups[i].flow_room, false);
	n_groups = wants->n_list;
	for (i = 1; image && r == 0 && i < image->n_devices; i++)
		r = add_want(wants, flow_share_of_device(image, i),
			     &image->devices[i].flow_room,
			     image->devices[i].tcp_windows != 0);
	for (i = 0; i < wants->n_list; i++)
		wants->list[i].usual =
			i < n_groups ? usual_room(n_groups, FLOW_ROOM_GROUP)
				     : usual_room(wants->n_list - n_groups,
						  FLOW_ROOM_DEVICE);
	return r;
}

const struct flow_want *flow_wants_find(const struct flow_wants *wants,
					uint32_t share)
{
	uint32_t at = wants->has[share];

	return at ? &wants->list[at - 1] : NULL;
}

/* The kernel waits with each until all programs that run are through. */
#define PUT_THREADS 32

struct putting {
	int flows;
	struct flow_wants *wants;
	size_t next; /* of the list */
	int r;
};

static void put(struct putting *all, struct flow_want *want)
{
	int r;

	if (want->fd >= 0)
		r = bpf_map_update_elem(all->flows, &want->share, &want->fd, 0);
	else
		r = bpf_map_delete_elem(all->flows, &want->share);
	/* The outer map is for blocks of another size. */
	if (r == -EINVAL)
		r = -EPROTO;
	if (r < 0 && r != -ENOENT)
		__atomic_store_n(&all->r, r, __ATOMIC_RELAXED);
	close_fdp(&want->fd);
	want->is_due = false;
}

static void *put_some(void *data)
{
	struct putting *all = data;
	size_t i;

	for (;;) {
		i = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED);
		if (i >= all->wants->n_list)
			return NULL;
		if (all->wants->list[i].is_due)
			put(all, &all->wants->list[i]);
	}
}

static int put_all(int flows, struct flow_wants *wants)
{
	struct putting all = { .flows = flows, .wants = wants };
	pthread_t threads[PUT_THREADS];
	size_t i, n = 0, due = 0;

	for (i = 0; i < wants->n_list; i++)
		due += wants->list[i].is_due;
	while (n + 1 < due && n < PUT_THREADS &&
	       pthread_create(&threads[n], NULL, put_some, &all) == 0)
		n++;
	put_some(&all);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return all.r;
}

int flow_wants_put(int flows, struct flow_wants *wants, struct err *err)
{
	int r = put_all(flows, wants);

	if (r == -EPROTO)
		return layout_misfit("flows", err);
	return r < 0 ? err_set(err, r, "write the tables of flows") : 0;
}
