/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "tc/device.h"

/* The programs make the entry anew. */
static int remove_answers(const struct loader *loader, uint32_t index,
			  struct err *err)
{
	int r = bpf_map_delete_elem(loader->answers, &index);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "remove counters of a device");
	return 0;
}

int device_reset_tally(const struct loader *loader, uint32_t index,
		       struct err *err)
{
	AUTO_FREE struct device_tally *zero = NULL;
	int n = libbpf_num_possible_cpus(), r;

	r = remove_answers(loader, index, err);
	if (r < 0)
		return r;
	zero = n > 0 ? calloc((size_t)n, sizeof(*zero)) : NULL;
	if (!zero)
		return err_set(err, n < 0 ? n : -ENOMEM,
			       "make counters of a device");
	r = bpf_map_update_elem(loader->tallies, &index, zero, BPF_ANY);
	if (r < 0)
		return err_set(err, r, "make counters of a device");
	return 0;
}

int device_remove_tally(const struct loader *loader, uint32_t index,
			struct err *err)
{
	int r = bpf_map_delete_elem(loader->tallies, &index);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "remove counters of a device");
	return remove_answers(loader, index, err);
}

static void add(struct counter *sum, const struct counter *other)
{
	sum->packets += other->packets;
	sum->bytes += other->bytes;
}

/* Over all processors; zero where there is none. */
static int read_tally(const struct loader *loader, uint32_t index,
		      struct device_tally *ret_sum, struct err *err)
{
	AUTO_FREE struct device_tally *values = NULL;
	struct device_tally sum = { 0 };
	int n = libbpf_num_possible_cpus(), i, side, r;

	values = n > 0 ? calloc((size_t)n, sizeof(*values)) : NULL;
	if (!values)
		return err_set(err, n < 0 ? n : -ENOMEM,
			       "read counters of a device");
	r = loader->tallies < 0
		    ? -ENOENT
		    : bpf_map_lookup_elem(loader->tallies, &index, values);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read counters of a device");
	for (i = 0; r == 0 && i < n; i++) {
		for (side = 0; side < 2; side++) {
			add(&sum.side[side].passed,
			    &values[i].side[side].passed);
			add(&sum.side[side].queued,
			    &values[i].side[side].queued);
			add(&sum.side[side].denied,
			    &values[i].side[side].denied);
			add(&sum.side[side].dropped,
			    &values[i].side[side].dropped);
		}
	}
	*ret_sum = sum;
	return 0;
}

static uint64_t above_zero(uint64_t value, uint64_t less)
{
	return value > less ? value - less : 0;
}

/*
 * What went to the queue and neither left it nor waits there was dropped.
 * The kernel counts drops without their bytes, and a long packet as one: it
 * only tells whether there were any, for some packets are always on the way.
 */
static void figures_of(const struct device_have *have, int side,
		       const struct device_tally *tally,
		       struct device_figures *figures)
{
	uint64_t drops = have->mark.retired[side].drops;
	struct counter sent = have->mark.retired[side].sent;
	uint32_t backlog = 0, waiting = 0;
	int turn;

	for (turn = 0; turn < 2; turn++) {
		const struct device_class *class = &have->side[side].turn[turn];

		if (!class->present)
			continue;
		sent.bytes += class->class.stats.bytes;
		sent.packets += class->class.stats.packets;
		drops += class->class.stats.drops;
		backlog += class->class.stats.backlog_bytes;
		waiting += class->class.stats.queued;
	}
	*figures = (struct device_figures){
		.passed = tally->side[side].passed,
		.denied = tally->side[side].denied,
		.dropped = tally->side[side].dropped,
		.backlog_bytes = backlog,
	};
	if (side == SIDE_OUT && have->shape == SHAPE_EDT)
		figures->backlog_bytes = have->root_stats.backlog_bytes;
	add(&figures->passed, &sent);
	if (drops == 0)
		return;
	figures->dropped.bytes += above_zero(tally->side[side].queued.bytes,
					     sent.bytes + backlog);
	figures->dropped.packets += above_zero(tally->side[side].queued.packets,
					       sent.packets + waiting);
}

/* Zero where none was sent. */
static int read_answers(const struct loader *loader, uint32_t index,
			struct device_answers *ret_answers, struct err *err)
{
	struct device_answers answers = { 0 };
	int r = loader->answers < 0 ? -ENOENT
				    : bpf_map_lookup_elem(loader->answers,
							  &index, &answers);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read counters of a device");
	*ret_answers = answers;
	return 0;
}

int device_figures(const struct loader *loader, const struct device_have *have,
		   uint32_t index, struct device_figures ret_sides[static 2],
		   struct err *err)
{
	struct device_answers answers = { 0 };
	struct device_tally tally = { 0 };
	int r, side;

	r = read_tally(loader, index, &tally, err);
	if (r == 0)
		r = read_answers(loader, index, &answers, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s'", have->link.name);
	for (side = 0; side < 2; side++) {
		figures_of(have, side, &tally, &ret_sides[side]);
		ret_sides[side].answered = answers.side[side].sent;
		ret_sides[side].withheld = answers.side[side].withheld;
	}
	return 0;
}

int device_tidy_tallies(const struct loader *loader, const struct image *image,
			struct err *err)
{
	uint32_t index, next;
	int r, removed;

	if (loader->tallies < 0)
		return 0;
	r = bpf_map_get_next_key(loader->tallies, NULL, &next);
	while (r == 0) {
		index = next;
		r = bpf_map_get_next_key(loader->tallies, &index, &next);
		if (index < image->n_devices && image->devices[index].in_use &&
		    image->devices[index].ifindex)
			continue;
		removed = device_remove_tally(loader, index, err);
		if (removed < 0)
			return removed;
	}
	if (r != -ENOENT)
		return err_set(err, r, "list counters of devices");
	return 0;
}
