/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/json.h"
#include "ctl/say.h"
#include "ctl/snapshot.h"
#include "rules/describe.h"
#include "rules/unit.h"

static const char *const fault_names[FAULTS] = {
	[FAULT_MEMBER] = "cgroup_not_resolved",
	[FAULT_TOO_MANY] = "cgroup_in_too_many_groups",
	[FAULT_SCOPE] = "limit_without_state",
};

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
	printf("      %-3s %s by %s%s\n", direction, rate,
	       describe_shape(shape), where);
}

static void print_groups(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	char text[DESCRIBE_MAX];
	size_t i, j;

	puts("groups");
	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		describe_group(image, group, text);
		printf("  %s: %s\n", image_string(image, group->name), text);
		for (j = 0; j < snapshot->n_cgroups; j++) {
			const struct cgroup_snapshot *entry =
				&snapshot->cgroups[j];
			char where[64] = "";

			if (entry->cgroup->group != i)
				continue;
			printf("    %s\n", entry->cgroup->path);
			if (entry->veth)
				snprintf(
					where, sizeof(where), " on %s",
					image_string(image, entry->veth->name));
			print_limit("out", &group->out, group->shape_out, "");
			print_limit("in", &group->in, snapshot_in_shape(entry),
				    where);
		}
	}
}

static void print_devices(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	char name[DESCRIBE_MAX], text[DESCRIBE_MAX];
	size_t i;

	puts("devices");
	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *entry = &snapshot->devices[i];
		const struct device_row *row = &image->devices[entry->index];

		describe_device_name(image, row, name);
		describe_device(image, row, text);
		printf("  %s: %s, %s\n", name, text,
		       entry->present ? "attached" : "waits until it is there");
	}
}

static void print_text(const struct snapshot *snapshot)
{
	size_t i;

	if (!snapshot->kernel.generation) {
		puts("no policy is in force");
		return;
	}
	printf("generation %u\n", snapshot->kernel.generation);
	if (snapshot->kernel.live->n_groups)
		print_groups(snapshot);
	if (snapshot->n_devices)
		print_devices(snapshot);
	puts("programs");
	for (i = 0; i < snapshot->anchors.n_list; i++) {
		const struct anchor_point *point = &snapshot->anchors.list[i];

		printf("  cgroup %s: %s\n",
		       *point->path ? point->path : "(gone)",
		       *point->path && point->complete ? "attached"
						       : "not attached: apply");
	}
	for (i = 0; i < FAULTS; i++)
		if (snapshot->faults[i])
			printf("fault %s: %llu\n", fault_names[i],
			       (unsigned long long)snapshot->faults[i]);
}

/* ---------------------------------------------------------------- JSON */

static json_t *limit_json(const struct limit_row *limit, unsigned int shape)
{
	if (!limit->rate_bytes)
		return json_object();
	return json_pack("{s:I, s:I, s:s}", "limit_bps",
			 (json_int_t)(limit->rate_bytes * 8), "burst_bytes",
			 (json_int_t)limit->burst_bytes, "shaper",
			 describe_shape(shape));
}

static json_t *cgroup_json(const struct image *image,
			   const struct group_row *group,
			   const struct cgroup_snapshot *entry)
{
	return json_pack(
		"{s:s, s:I, s:s?, s:o, s:o}", "path", entry->cgroup->path, "id",
		(json_int_t)entry->cgroup->id, "device",
		entry->veth ? image_string(image, entry->veth->name) : NULL,
		"out", limit_json(&group->out, group->shape_out), "in",
		limit_json(&group->in, snapshot_in_shape(entry)));
}

static json_t *groups_json(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *groups = json_array(), *cgroups;
	size_t i, j;

	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		cgroups = json_array();
		for (j = 0; j < snapshot->n_cgroups; j++)
			if (snapshot->cgroups[j].cgroup->group == i)
				json_add(&cgroups,
					 cgroup_json(image, group,
						     &snapshot->cgroups[j]));
		json_add(&groups,
			 json_pack("{s:s, s:s, s:o}", "name",
				   image_string(image, group->name), "share",
				   group->share_all ? "all" : "each", "cgroups",
				   cgroups));
	}
	return groups;
}

static json_t *devices_json(const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *devices = json_array();
	size_t i;

	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *entry = &snapshot->devices[i];
		const struct device_row *row = &image->devices[entry->index];
		const char *group = NULL;

		if (row->group < image->n_groups)
			group = image_string(image,
					     image->groups[row->group].name);
		json_add(&devices,
			 json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o, s:o}",
				   "name", image_string(image, row->name),
				   "netns", image_string(image, row->netns),
				   "group", group, "state", device_state(entry),
				   "ifindex", row->ifindex, "out",
				   limit_json(&row->out, SHAPE_HTB), "in",
				   limit_json(&row->in, SHAPE_HTB)));
	}
	return devices;
}

static json_t *anchors_json(const struct snapshot *snapshot)
{
	json_t *anchors = json_array();
	size_t i;

	for (i = 0; i < snapshot->anchors.n_list; i++) {
		const struct anchor_point *point = &snapshot->anchors.list[i];

		json_add(&anchors,
			 json_pack("{s:s?, s:I, s:b}", "path",
				   *point->path ? point->path : NULL, "id",
				   (json_int_t)point->id, "attached",
				   *point->path && point->complete));
	}
	return anchors;
}

static int print_json(const struct snapshot *snapshot)
{
	json_t *faults = json_object();
	size_t i;

	for (i = 0; i < FAULTS; i++)
		json_put(&faults, fault_names[i],
			 json_integer((json_int_t)snapshot->faults[i]));
	return json_print(json_pack("{s:I, s:o, s:o, s:o, s:o}", "generation",
				    (json_int_t)snapshot->kernel.generation,
				    "groups", groups_json(snapshot), "devices",
				    devices_json(snapshot), "programs",
				    anchors_json(snapshot), "faults", faults));
}

int cmd_status(const struct call *call)
{
	CLEANUP(snapshot_clear) struct snapshot snapshot = { 0 };
	struct err err;

	if (snapshot_take(&call->places, &snapshot, &err) < 0)
		return say_err(&err);
	if (call->json)
		return print_json(&snapshot);
	print_text(&snapshot);
	return EXIT_DONE;
}
