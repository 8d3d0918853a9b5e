/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/json.h"
#include "ctl/say.h"
#include "ctl/snapshot.h"
#include "rules/describe.h"
#include "rules/share.h"
#include "rules/unit.h"

static const char *const fault_names[FAULTS] = {
	[FAULT_MEMBER] = "cgroup_not_resolved",
	[FAULT_TOO_MANY] = "cgroup_in_too_many_groups",
	[FAULT_SCOPE] = "limit_without_state",
	[FAULT_ACCOUNT] = "quota_without_account",
};

/* As text; a group may be above all containers. */
#define VETHS_SHOWN 4

static const char *device_state(const struct device_snapshot *entry)
{
	return entry->present ? "attached" : "waits";
}

/* ---------------------------------------------------------------- text */

static void print_limit(const char *direction, const struct limit_row *limit,
			unsigned int shape, const char *where)
{
	char rate[RATE_TEXT_MAX];

	if (!limit->rate_bytes)
		return;
	rate_format(limit->rate_bytes * 8, rate);
	show("      %-3s %s by %s%s", direction, rate, describe_shape(shape),
	     where);
}

static void print_veths(const struct netns_names *names,
			const struct container *box)
{
	char number[32];
	size_t i;

	for (i = 0; i < box->n_veths && i < VETHS_SHOWN; i++) {
		const struct container_veth *veth = &box->veths[i];
		const char *name = netns_names_find(names, veth->netns);

		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)veth->netns);
		show("      veth %s: %s of network namespace %s", veth->name,
		     veth->inner_name, name ? name : number);
	}
	if (i < box->n_veths)
		show("      and %zu veths more", box->n_veths - i);
}

static void print_peers(const char *direction, const char *before,
			const struct image *image,
			const struct peer_range *range)
{
	const struct peer_row *peer;
	char rate[RATE_TEXT_MAX];
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++) {
		rate_format(peer->limit.rate_bytes * 8, rate);
		show("      %-3s %s%s%s %s %s", direction,
		     peer->limit.rate_bytes ? rate : "none",
		     peer->limit.rate_bytes ? " by " : "",
		     peer->limit.rate_bytes ? describe_shape(peer->shape) : "",
		     before, image_string(image, peer->text));
	}
}

static void print_cgroup(const struct snapshot *snapshot,
			 const struct group_row *group,
			 const struct cgroup_snapshot *entry)
{
	const struct image *image = snapshot->kernel.live;
	char where[64] = "";

	show("    %s", entry->cgroup->path);
	if (entry->queue)
		snprintf(where, sizeof(where), " on %s",
			 image_string(image, entry->queue->name));
	print_limit("out", &group->out, group->shape_out, "");
	print_peers("out", "to", image, &group->out_to);
	print_limit("in", &group->in, snapshot_in_shape(entry), where);
	print_peers("in", "from", image, &group->in_from);
	print_veths(&snapshot->netns_names, &entry->box);
	quota_figures_show("      ", &group->quota, &entry->quota);
}

static void print_groups(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	char text[DESCRIBE_MAX];
	size_t i, j, n;

	show("groups");
	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		describe_group(image, group, text);
		show("  %s: %s", image_string(image, group->name), text);
		for (j = n = 0; j < snapshot->n_cgroups; j++) {
			if (snapshot->cgroups[j].cgroup->group != i)
				continue;
			print_cgroup(snapshot, group, &snapshot->cgroups[j]);
			n++;
		}
		if (!n)
			show("    waits for a cgroup");
	}
}

/* Of devices with rules for it: others do without. */
static void print_xdp(const struct device_row *row,
		      const struct device_snapshot *entry)
{
	if (entry->has_xdp)
		show("    its first rules are asked before the stack (xdp)");
	else if (entry->present && xdp_is_asked(row))
		show("    no xdp: %s",
		     *entry->why_no_xdp ? entry->why_no_xdp : "apply again");
}

static void print_devices(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	char name[DESCRIBE_MAX], text[DESCRIBE_MAX];
	size_t i;

	show("devices");
	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *entry = &snapshot->devices[i];
		const struct device_row *row = &image->devices[entry->index];

		describe_device_name(image, row, name);
		describe_device(image, row, text);
		show("  %s: %s%s%s, %s", name, text,
		     row->out_levels ? ", out shared by group" : "",
		     row->flags & DEVICE_SHARED_IN ? ", in shared by group"
						   : "",
		     entry->present ? "attached" : "waits until it is there");
		print_xdp(row, entry);
	}
}

static void print_tables(const struct snapshot *snapshot)
{
	/* In tenths of a MB, rounded up: there is always something. */
	uint64_t tenths = (snapshot->memory + 99999) / 100000;

	show("tables: %zu rules, %llu.%llu MB",
	     image_written(snapshot->kernel.live),
	     (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
}

static void print_text(const struct snapshot *snapshot)
{
	size_t i;

	if (!snapshot->kernel.generation) {
		show("no policy is in force");
		return;
	}
	show("generation %u", snapshot->kernel.generation);
	if (snapshot->kernel.live->n_groups)
		print_groups(snapshot);
	if (snapshot->n_devices)
		print_devices(snapshot);
	print_tables(snapshot);
	show("programs");
	for (i = 0; i < snapshot->anchors.n_list; i++) {
		const struct anchor_point *point = &snapshot->anchors.list[i];

		show("  cgroup %s: %s", *point->path ? point->path : "(gone)",
		     *point->path && point->complete ? "attached"
						     : "not attached: apply");
	}
	for (i = 0; i < FAULTS; i++)
		if (snapshot->faults[i])
			show("fault %s: %llu", fault_names[i],
			     (unsigned long long)snapshot->faults[i]);
}

/* ---------------------------------------------------------------- JSON */

static json_t *limit_json(const struct limit_row *limit, unsigned int shape)
{
	json_t *object = json_object();

	if (!limit->rate_bytes)
		return object;
	json_put(&object, "limit_bps", json_count(limit->rate_bytes * 8));
	json_put(&object, "burst_bytes", json_count(limit->burst_bytes));
	json_put(&object, "shaper", json_text(describe_shape(shape)));
	return object;
}

static json_t *veths_json(const struct netns_names *names,
			  const struct container *box)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < box->n_veths; i++) {
		const struct container_veth *veth = &box->veths[i];
		json_t *object = json_object();

		json_put(&object, "name", json_text(veth->name));
		json_put(&object, "ifindex", json_count(veth->ifindex));
		json_put(&object, "inner_name", json_text(veth->inner_name));
		json_put(&object, "netns",
			 json_text(netns_names_find(names, veth->netns)));
		json_put(&object, "netns_inode", json_count(veth->netns));
		json_add(&array, object);
	}
	return array;
}

/* side: what their addresses are called. */
static json_t *peers_json(const struct image *image,
			  const struct peer_range *range, const char *side)
{
	const struct peer_row *peer;
	json_t *list = json_array();
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++) {
		json_t *object = limit_json(&peer->limit, peer->shape);

		json_put(&object, side,
			 json_text(image_string(image, peer->text)));
		json_add(&list, object);
	}
	return list;
}

static json_t *cgroup_json(const struct snapshot *snapshot,
			   const struct group_row *group,
			   const struct cgroup_snapshot *entry)
{
	const struct image *image = snapshot->kernel.live;
	const struct device_row *queue = entry->queue;
	json_t *object = json_object();

	json_put(&object, "path", json_text(entry->cgroup->path));
	json_put(&object, "id", json_count(entry->cgroup->id));
	json_put(&object, "device",
		 json_text(queue ? image_string(image, queue->name) : NULL));
	json_put(&object, "veths",
		 veths_json(&snapshot->netns_names, &entry->box));
	json_put(&object, "out", limit_json(&group->out, group->shape_out));
	json_put(&object, "in",
		 limit_json(&group->in, snapshot_in_shape(entry)));
	json_put(&object, "out_to", peers_json(image, &group->out_to, "to"));
	json_put(&object, "in_from",
		 peers_json(image, &group->in_from, "from"));
	if (group->quota.bytes)
		json_put(&object, "quota",
			 quota_figures_json(&group->quota, &entry->quota));
	return object;
}

static json_t *group_json(const struct snapshot *snapshot, size_t index)
{
	const struct image *image = snapshot->kernel.live;
	const struct group_row *group = &image->groups[index];
	json_t *object = json_object(), *cgroups = json_array();
	size_t i;

	for (i = 0; i < snapshot->n_cgroups; i++)
		if (snapshot->cgroups[i].cgroup->group == index)
			json_add(&cgroups, cgroup_json(snapshot, group,
						       &snapshot->cgroups[i]));
	json_put(&object, "name", json_text(image_string(image, group->name)));
	json_put(&object, "share",
		 json_text(group->share_all ? "all" : "each"));
	json_put(&object, "out_min_bps", json_count(group->out_min_bytes * 8));
	json_put(&object, "weight", json_count(share_of(group).weight));
	json_put(&object, "priority",
		 json_text(describe_priority(group->priority)));
	json_put(&object, "cgroups", cgroups);
	return object;
}

static const char *shared_by(bool groups)
{
	return groups ? "group" : "flow";
}

static json_t *device_json(const struct image *image,
			   const struct device_snapshot *entry)
{
	const struct device_row *row = &image->devices[entry->index];
	const char *group = NULL, *pool = NULL;
	json_t *object = json_object();

	if (row->group < image->n_groups)
		group = image_string(image, image->groups[row->group].name);
	if (row->pool && row->pool < image->n_devices)
		pool = image_string(image, image->devices[row->pool].name);
	json_put(&object, "name", json_text(image_string(image, row->name)));
	json_put(&object, "netns", json_text(image_string(image, row->netns)));
	json_put(&object, "group", json_text(group));
	json_put(&object, "state", json_text(device_state(entry)));
	json_put(&object, "ifindex", json_count(row->ifindex));
	json_put(&object, "pool", json_text(pool));
	json_put(&object, "xdp", json_boolean(entry->has_xdp));
	json_put(&object, "xdp_reason",
		 json_text(*entry->why_no_xdp ? entry->why_no_xdp : NULL));
	json_put(&object, "out_shared_by",
		 json_text(shared_by(row->out_levels)));
	json_put(&object, "in_shared_by",
		 json_text(shared_by(row->flags & DEVICE_SHARED_IN)));
	json_put(&object, "out", limit_json(&row->out, row->shape_out));
	json_put(&object, "in", limit_json(&row->in, SHAPE_HTB));
	return object;
}

static json_t *anchor_json(const struct anchor_point *point)
{
	json_t *object = json_object();

	json_put(&object, "path", json_text(*point->path ? point->path : NULL));
	json_put(&object, "id", json_count(point->id));
	json_put(&object, "attached",
		 json_boolean(*point->path && point->complete));
	return object;
}

static json_t *tables_json(const struct snapshot *snapshot)
{
	json_t *object = json_object();

	json_put(&object, "rules",
		 json_count(image_written(snapshot->kernel.live)));
	json_put(&object, "memory_bytes", json_count(snapshot->memory));
	return object;
}

static json_t *faults_json(const struct snapshot *snapshot)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < FAULTS; i++)
		json_put(&object, fault_names[i],
			 json_count(snapshot->faults[i]));
	return object;
}

static int print_json(const struct snapshot *snapshot)
{
	const struct kernel *kernel = &snapshot->kernel;
	json_t *root = json_object(), *groups = json_array();
	json_t *devices = json_array(), *programs = json_array();
	size_t i;

	for (i = 0; i < kernel->live->n_groups; i++)
		json_add(&groups, group_json(snapshot, i));
	for (i = 0; i < snapshot->n_devices; i++)
		json_add(&devices,
			 device_json(kernel->live, &snapshot->devices[i]));
	for (i = 0; i < snapshot->anchors.n_list; i++)
		json_add(&programs, anchor_json(&snapshot->anchors.list[i]));
	json_put(&root, "generation", json_count(kernel->generation));
	json_put(&root, "groups", groups);
	json_put(&root, "devices", devices);
	json_put(&root, "tables", tables_json(snapshot));
	json_put(&root, "programs", programs);
	json_put(&root, "faults", faults_json(snapshot));
	return json_print(root);
}

int cmd_status(const struct call *call)
{
	CLEANUP(snapshot_clear) struct snapshot snapshot = { 0 };
	struct err err;

	if (snapshot_take(&call->places, &snapshot, &err) < 0 ||
	    snapshot_find_veths(&snapshot, &err) < 0)
		return say_err(&err);
	if (call->json)
		return print_json(&snapshot);
	print_text(&snapshot);
	return EXIT_DONE;
}
