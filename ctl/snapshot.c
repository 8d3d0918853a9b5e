/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/snapshot.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/device_rows.h"
#include "tc/device_share.h"

void snapshot_clear(struct snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->n_cgroups; i++)
		container_clear(&snapshot->cgroups[i].box);
	free(snapshot->cgroups);
	netns_names_clear(&snapshot->netns_names);
	free(snapshot->peers);
	free(snapshot->devices);
	free(snapshot->shares);
	free(snapshot->group_flows);
	free(snapshot->rules);
	free(snapshot->chains);
	anchors_clear(&snapshot->anchors);
	world_clear(&snapshot->world);
	kernel_close(&snapshot->kernel);
}

unsigned int snapshot_in_shape(const struct cgroup_snapshot *cgroup)
{
	if (!cgroup->queue)
		return SHAPE_POLICE;
	/* At a device, what arrives waits at its ifb. */
	return cgroup->queue->group == NONE ? SHAPE_HTB
					    : cgroup->queue->shape_out;
}

bool snapshot_share_is_of(const struct share_snapshot *share,
			  const struct found_cgroup *cgroup)
{
	return share->entry->key.cgroup == cgroup->id &&
	       share->entry->value.group == cgroup->group;
}

/* Whether a row holds the limit on what arrives of a group at a cgroup. */
static bool holds(const struct image *image, const struct device_row *row,
		  const struct found_cgroup *cgroup)
{
	return row->in_use && row->out_class && row->group == cgroup->group &&
	       row->cgroup == (image->groups[cgroup->group].share_all
				       ? 0
				       : cgroup->id);
}

/* The veth, pool or device where what arrives for a cgroup waits. */
static const struct device_row *queue_of(const struct image *image,
					 const struct found_cgroup *cgroup)
{
	size_t i;

	for (i = 1; i < image->n_devices; i++)
		if (holds(image, &image->devices[i], cgroup))
			return &image->devices[i];
	if (!image_group_wants_queue(image, cgroup->group))
		return NULL;
	for (i = 1; i < image->n_devices; i++) {
		struct share_key key = { cgroup->id, image->devices[i].ifindex,
					 SHARE_WAITS };
		const struct share_entry *entry = image_share(image, &key);

		if (image->devices[i].in_class && entry &&
		    !*image_string(image, image->devices[i].netns) &&
		    entry->value.group == cgroup->group)
			return &image->devices[i];
	}
	return NULL;
}

/* What waits for a device's share was dropped by that. */
static void add_share_drops(const struct snapshot *snapshot,
			    struct cgroup_snapshot *entry)
{
	size_t i;

	for (i = 0; i < snapshot->n_shares; i++) {
		const struct share_snapshot *share = &snapshot->shares[i];

		if (share->entry->key.side == SIDE_IN &&
		    snapshot_share_is_of(share, entry->cgroup))
			entry->in.dropped_packets += share->stats.drops;
	}
}

/* The scope counts what the police drops; its queues count by themselves. */
static void add_queue_drops(const struct snapshot *snapshot,
			    struct cgroup_snapshot *entry)
{
	const struct image *image = snapshot->kernel.live;
	size_t i;

	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *device = &snapshot->devices[i];
		const struct device_row *row = &image->devices[device->index];
		const struct counter *dropped =
			&device->figures[SIDE_OUT].dropped;

		if (!holds(image, row, entry->cgroup))
			continue;
		entry->in.dropped_bytes += dropped->bytes;
		entry->in.dropped_packets += dropped->packets;
	}
}

/* Of the limits by address that a group has in one direction, at a cgroup. */
static int take_peers(struct snapshot *snapshot, const struct peer_range *range,
		      bool is_out, uint64_t cgroup, size_t *ret_first,
		      struct err *err)
{
	const struct peer_row *peer;
	size_t i;
	int r = 0;

	*ret_first = snapshot->n_peers;
	for (i = 0;
	     r == 0 && (peer = image_peer(snapshot->kernel.live, range, i));
	     i++) {
		struct tally *tally = ARRAY_ADD(snapshot, peers), other;

		if (!tally)
			return err_set(err, -ENOMEM, "take a snapshot");
		r = scopes_tally(&snapshot->kernel.scopes, peer->uid, cgroup,
				 is_out ? tally : &other,
				 is_out ? &other : tally, err);
	}
	return r;
}

/* Behind the devices, as some of them are the queues of cgroups. */
static int take_cgroups(struct snapshot *snapshot, struct err *err)
{
	const struct image *image = snapshot->kernel.live;
	const struct found_cgroups *found = &snapshot->world.found;
	size_t i;
	int r;

	for (i = 0; i < found->n_list; i++) {
		const struct found_cgroup *cgroup = &found->list[i];
		const struct group_row *group = &image->groups[cgroup->group];
		uint64_t id = group->share_all ? 0 : cgroup->id;
		struct cgroup_snapshot *entry = ARRAY_ADD(snapshot, cgroups);

		if (!entry)
			return err_set(err, -ENOMEM, "take a snapshot");
		entry->cgroup = cgroup;
		entry->queue = queue_of(image, cgroup);
		r = scopes_tally(&snapshot->kernel.scopes, group->uid, id,
				 &entry->out, &entry->in, err);
		if (r == 0)
			r = take_peers(snapshot, &group->out_to, true, id,
				       &entry->out_to, err);
		if (r == 0)
			r = take_peers(snapshot, &group->in_from, false, id,
				       &entry->in_from, err);
		if (r == 0)
			r = quota_figures_read(&snapshot->kernel, group,
					       cgroup->path, &entry->quota,
					       err);
		if (r < 0)
			return r;
		add_queue_drops(snapshot, entry);
		add_share_drops(snapshot, entry);
	}
	return 0;
}

/* What each that shares the limit of a side has of it. */
static int take_shares(struct snapshot *snapshot, uint32_t index, int side,
		       const struct netns_view *view, const struct link *link,
		       struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	const struct image *image = snapshot->kernel.live;
	const struct device_row *row = &image->devices[index];
	uint32_t class = side == SIDE_OUT ? row->out_class : row->in_class;
	size_t i;
	int r;

	r = classes_read(view->conn, link, &classes, err);
	for (i = 0; r == 0 && i < image->n_shares; i++) {
		const struct share_entry *entry = &image->shares[i];
		struct share_snapshot *share;

		if (entry->key.device != index || !entry->key.cgroup ||
		    entry->key.side != (uint32_t)side)
			continue;
		share = ARRAY_ADD(snapshot, shares);
		if (!share)
			return err_set(err, -ENOMEM, "take a snapshot");
		share->entry = entry;
		device_share_stats(&classes, DEVICE_CLASS_TURN(class),
				   entry->value.number, &share->stats);
	}
	return r;
}

static int take_all_shares(struct snapshot *snapshot, uint32_t index,
			   const struct netns_view *view,
			   const struct device_have *have, struct err *err)
{
	const struct device_row *row = &snapshot->kernel.live->devices[index];
	int r = 0;

	if (row->out_levels)
		r = take_shares(snapshot, index, SIDE_OUT, view, &have->link,
				err);
	if (r == 0 && row->flags & DEVICE_SHARED_IN && have->ifb.ifindex)
		r = take_shares(snapshot, index, SIDE_IN, view, &have->ifb,
				err);
	return r;
}

static int take_xdp(const struct snapshot *snapshot,
		    const struct device_have *have,
		    struct device_snapshot *entry, struct err *err)
{
	const char *dir = snapshot->kernel.places->bpffs;
	const struct device_row *row =
		&snapshot->kernel.live->devices[entry->index];
	int r;

	r = xdp_read(dir, entry->index, &have->link, &entry->has_xdp, err);
	if (r < 0 || entry->has_xdp)
		return r;
	xdp_hindrance(dir, row, have, entry->has_xdp, entry->why_no_xdp);
	return 0;
}

static int take_device(struct snapshot *snapshot, uint32_t index,
		       struct err *err)
{
	const struct image *image = snapshot->kernel.live;
	const struct device_row *row = &image->devices[index];
	struct device_snapshot *entry = ARRAY_ADD(snapshot, devices);
	struct device_have have;
	struct netns_view *view;
	int r;

	if (!entry)
		return err_set(err, -ENOMEM, "take a snapshot");
	entry->index = index;
	r = flow_figures_read(snapshot->kernel.tables->flows,
			      flow_share_of_device(image, index), &entry->flows,
			      err);
	if (r < 0)
		return r;
	r = device_row_netns(image, row, &snapshot->world, &view, err);
	if (r == 0)
		r = device_read(view, &snapshot->kernel.loader,
				image_string(image, row->name), index, &have,
				err);
	if (r == -ENOENT || r == -ENODEV || r == -EXDEV)
		return 0;
	if (r < 0)
		return r;
	if (have.link.ifindex != row->ifindex)
		return 0;
	entry->present = true;
	r = device_figures(&snapshot->kernel.loader, &have, index,
			   entry->figures, err);
	if (r == 0)
		r = take_xdp(snapshot, &have, entry, err);
	return r < 0 ? r : take_all_shares(snapshot, index, view, &have, err);
}

static int take_devices(struct snapshot *snapshot, struct err *err)
{
	const struct image *live = snapshot->kernel.live;
	uint32_t i;
	int r = 0;

	for (i = 1; r == 0 && i < live->n_devices; i++)
		if (live->devices[i].in_use)
			r = take_device(snapshot, i, err);
	return r;
}

static int take_group_flows(struct snapshot *snapshot, struct err *err)
{
	const struct image *image = snapshot->kernel.live;
	size_t i;
	int r = 0;

	snapshot->group_flows =
		calloc(image->n_groups + 1, sizeof(struct flow_figures));
	if (!snapshot->group_flows)
		return err_set(err, -ENOMEM, "take a snapshot");
	for (i = 0; r == 0 && i < image->n_groups; i++)
		r = flow_figures_read(snapshot->kernel.tables->flows,
				      flow_share_of_group(&image->groups[i]),
				      &snapshot->group_flows[i], err);
	return r;
}

static int take_counters(struct snapshot *snapshot, struct err *err)
{
	const struct image *image = snapshot->kernel.live;
	int r;

	snapshot->rules = calloc(image->n_rules + 1, sizeof(struct counter));
	snapshot->chains = calloc(image->n_chains + 1, sizeof(struct counter));
	if (!snapshot->rules || !snapshot->chains)
		return err_set(err, -ENOMEM, "take a snapshot");
	r = tables_counters(snapshot->kernel.tables, image, snapshot->rules,
			    snapshot->chains, err);
	if (r == 0)
		r = tables_memory(snapshot->kernel.tables, image,
				  &snapshot->memory, err);
	return r;
}

int snapshot_find_veths(struct snapshot *snapshot, struct err *err)
{
	CLEANUP(container_finder_freep) struct container_finder *finder = NULL;
	char path[PATH_MAX];
	struct err ignored;
	size_t i;
	int r;

	if (!snapshot->n_cgroups)
		return 0;
	r = netns_names_read(&snapshot->netns_names, err);
	if (r == 0)
		r = container_finder_new(&finder, err);
	if (r < 0)
		return r;
	for (i = 0; i < snapshot->n_cgroups; i++) {
		struct cgroup_snapshot *entry = &snapshot->cgroups[i];

		snprintf(path, sizeof(path), "%s%s", snapshot->kernel.mount,
			 entry->cgroup->path);
		container_find(finder, path, &entry->box, &ignored);
	}
	return 0;
}

static int take(struct snapshot *snapshot, struct err *err)
{
	struct kernel *kernel = &snapshot->kernel;
	int r;

	r = find_cgroups(kernel->mount, kernel->live, &snapshot->world.found,
			 err);
	if (r == 0)
		r = anchors_attached(
			kernel->places->bpffs, kernel->mount, &kernel->programs,
			kernel_needs(kernel, kernel->live), kernel->generation,
			&snapshot->anchors, err);
	if (r == 0)
		r = take_devices(snapshot, err);
	if (r == 0)
		r = take_cgroups(snapshot, err);
	if (r == 0)
		r = take_group_flows(snapshot, err);
	if (r == 0)
		r = take_counters(snapshot, err);
	if (r == 0)
		r = scopes_faults(&kernel->scopes, snapshot->faults, err);
	return r;
}

int snapshot_take(const struct places *places, struct snapshot *ret_snapshot,
		  struct err *err)
{
	CLEANUP(snapshot_clear) struct snapshot snapshot = { 0 };
	int r;

	r = kernel_open(places, &snapshot.kernel, err);
	if (r == 0 && snapshot.kernel.generation)
		r = take(&snapshot, err);
	if (r < 0)
		return r;
	*ret_snapshot = snapshot;
	snapshot = (struct snapshot){ 0 };
	return 0;
}
