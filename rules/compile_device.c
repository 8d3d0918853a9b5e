/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/group_row.h"

uint32_t compile_keep_states(const struct compiler *c, uint32_t chain_out,
			     uint32_t chain_in)
{
	const struct image *image = c->image;
	uint8_t flags = 0;

	if (chain_out < image->n_chains)
		flags |= image->chains[chain_out].flags;
	if (chain_in < image->n_chains)
		flags |= image->chains[chain_in].flags;
	return flags & CHAIN_STATES ? KEEP_STATES : 0;
}

static bool is_early(const struct rule_row *row)
{
	return row->verdict == ROW_DENY && row->looks & LOOK_SRC &&
	       !(row->looks & ~(LOOK_FAMILY | LOOK_SRC | LOOK_SRC_NOT)) &&
	       !row->does;
}

/* How many rules at the beginning of a chain, or of NONE, are like that. */
static uint16_t count_early(const struct image *image, uint32_t chain)
{
	const struct chain_row *row;
	uint32_t n = 0;

	if (chain >= image->n_chains)
		return 0;
	row = &image->chains[chain];
	while (n < row->walk_count && n < EARLY_MAX &&
	       is_early(&image->rules[row->walk + n]))
		n++;
	return n;
}

/* Also where it has been a container's veth: see live_veth. */
static bool same_device(const struct compiler *c, const struct device_row *row,
			const struct device *device)
{
	const char *netns = device->netns ? device->netns : "";

	return row->in_use && !(row->flags & DEVICE_POOL) &&
	       strcmp(image_string(c->live, row->name), device->name) == 0 &&
	       strcmp(image_string(c->live, row->netns), netns) == 0;
}

/*
 * The index a device has, or one that no device has, containers' veths
 * included; 0 where there is none.
 */
static uint32_t device_index(const struct compiler *c,
			     const struct device *device)
{
	const struct image *live = c->live, *image = c->image;
	size_t n_live = live ? live->n_devices : 0;
	uint32_t i;

	for (i = 1; i < n_live; i++)
		if (same_device(c, &live->devices[i], device))
			return i;
	for (i = 1; i < DEVICES_MAX; i++) {
		if (i < n_live && live->devices[i].in_use)
			continue;
		if (i < image->n_devices && image->devices[i].in_use)
			continue;
		return i;
	}
	return 0;
}

/* What no chain asks for, nobody would be told of. */
static int check_windows(struct compiler *c, const struct device *device,
			 const struct device_row *row)
{
	if (!device->tcp_windows || row->flags & KEEP_STATES || c->failed)
		return 0;
	return compiler_problem(c, &device->where,
				"device '%s' has tcp-windows, but no rule of "
				"its chains looks at states (try deny invalid)",
				device->name);
}

static int compile_device(struct compiler *c, const struct device *device)
{
	uint32_t index = device_index(c, device);
	struct device_row row = { .in_use = 1, .group = NONE };
	int r;

	if (index == 0)
		return compiler_problem(c, &device->where,
					"device '%s' is one too many: at most "
					"%d are possible, with containers'",
					device->name, DEVICES_MAX - 1);
	row.chain_out = compiler_chain(c, &device->where, device->filter_out);
	row.chain_in = compiler_chain(c, &device->where, device->filter_in);
	row.out = limit_row_make(&device->out);
	row.in = limit_row_make(&device->in);
	row.shaper = device->shaper;
	row.shape_out = device_row_shape(device->shaper, &row.out);
	row.takeover = device->takeover;
	row.xdp = device->xdp;
	if (device->xdp != XDP_NO)
		row.early = count_early(c->image, row.chain_in);
	row.flags = compile_keep_states(c, row.chain_out, row.chain_in);
	row.flow_room = flow_room_make(&device->flows);
	row.tcp_windows = device->tcp_windows;
	row.line = device->where.line;
	r = check_windows(c, device, &row);
	if (r == 0)
		r = compiler_file(c, &device->where, &row.file);
	if (r == 0)
		r = compiler_string(c, device->name, &row.name);
	if (r == 0)
		r = compiler_string(c, device->netns, &row.netns);
	if (r < 0)
		return r;
	while (c->image->n_devices <= index)
		if (!ARRAY_ADD(c->image, devices))
			return -ENOMEM;
	c->image->devices[index] = row;
	return 0;
}

int compile_devices(struct compiler *c)
{
	size_t i;
	int r;

	for (i = 0; i < c->policy->n_devices; i++) {
		r = compile_device(c, &c->policy->devices[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
