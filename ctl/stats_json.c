/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape is interface: see STATISTICS in weirctl(8). */
#include "ctl/json.h"
#include "ctl/stats.h"
#include "rules/describe.h"

static void put_count(json_t **object, const char *name, uint64_t value)
{
	json_put(object, name, json_integer((json_int_t)value));
}

/* One direction of a group at a cgroup; {} where nothing is asked of it. */
static json_t *direction(const struct limit_row *limit, unsigned int shape,
			 uint32_t chain, const struct tally *tally)
{
	json_t *object = json_object();

	if (limit->rate_bytes) {
		put_count(&object, "limit_bps", limit->rate_bytes * 8);
		json_put(&object, "shaper", json_string(describe_shape(shape)));
		put_count(&object, "passed_bytes", tally->passed_bytes);
		put_count(&object, "passed_packets", tally->passed_packets);
		put_count(&object, "dropped_bytes", tally->dropped_bytes);
		put_count(&object, "dropped_packets", tally->dropped_packets);
	}
	if (limit->rate_bytes || chain != NONE)
		put_count(&object, "denied_packets", tally->denied_packets);
	return object;
}

static json_t *cgroup_json(const struct group_row *group,
			   const struct cgroup_snapshot *entry)
{
	return json_pack("{s:s, s:I, s:o, s:o}", "path", entry->cgroup->path,
			 "id", (json_int_t)entry->cgroup->id, "out",
			 direction(&group->out, group->shape_out,
				   group->chain_out, &entry->out),
			 "in",
			 direction(&group->in, snapshot_in_shape(entry),
				   group->chain_in, &entry->in));
}

static json_t *groups_json(const struct call *call,
			   const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *groups = json_array(), *cgroups;
	size_t i, j;

	for (i = 0; i < image->n_groups; i++) {
		const char *name = image_string(image, image->groups[i].name);

		if (!stats_wanted(call, name))
			continue;
		cgroups = json_array();
		for (j = 0; j < snapshot->n_cgroups; j++)
			if (snapshot->cgroups[j].cgroup->group == i)
				json_add(&cgroups,
					 cgroup_json(&image->groups[i],
						     &snapshot->cgroups[j]));
		json_add(&groups, json_pack("{s:s, s:o}", "name", name,
					    "cgroups", cgroups));
	}
	return groups;
}

static json_t *side_json(const struct limit_row *limit, uint32_t chain,
			 const struct device_figures *figures)
{
	json_t *object = json_object();

	if (!limit->rate_bytes && chain == NONE)
		return object;
	if (limit->rate_bytes) {
		put_count(&object, "limit_bps", limit->rate_bytes * 8);
		json_put(&object, "shaper", json_string("htb"));
	}
	put_count(&object, "passed_bytes", figures->passed.bytes);
	put_count(&object, "passed_packets", figures->passed.packets);
	put_count(&object, "dropped_bytes", figures->dropped.bytes);
	put_count(&object, "dropped_packets", figures->dropped.packets);
	put_count(&object, "denied_packets", figures->denied.packets);
	return object;
}

static json_t *devices_json(const struct call *call,
			    const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *devices = json_array();
	size_t i;

	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *entry = &snapshot->devices[i];
		const struct device_row *row = &image->devices[entry->index];
		const char *name = image_string(image, row->name);

		if (row->group != NONE || !stats_wanted(call, name))
			continue;
		json_add(&devices,
			 json_pack("{s:s, s:s, s:b, s:o, s:o}", "name", name,
				   "netns", image_string(image, row->netns),
				   "present", entry->present, "out",
				   side_json(&row->out, row->chain_out,
					     &entry->figures[SIDE_OUT]),
				   "in",
				   side_json(&row->in, row->chain_in,
					     &entry->figures[SIDE_IN])));
	}
	return devices;
}

static json_t *chains_json(const struct call *call,
			   const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *chains = json_array(), *rules;
	size_t i, j;

	for (i = 0; i < image->n_chains; i++) {
		const struct chain_row *chain = &image->chains[i];
		const char *name = image_string(image, chain->name);

		if (!stats_wanted(call, name))
			continue;
		rules = json_array();
		for (j = chain->first; j < chain->first + chain->count; j++)
			json_add(&rules,
				 json_pack(
					 "{s:i, s:s, s:I, s:I}", "number",
					 image->rules[j].number, "text",
					 image_string(image,
						      image->rules[j].text),
					 "packets",
					 (json_int_t)snapshot->rules[j].packets,
					 "bytes",
					 (json_int_t)snapshot->rules[j].bytes));
		json_add(&chains,
			 json_pack("{s:s, s:s, s:I, s:I, s:o}", "name", name,
				   "policy", describe_verdict(chain->policy),
				   "policy_packets",
				   (json_int_t)snapshot->chains[i].packets,
				   "policy_bytes",
				   (json_int_t)snapshot->chains[i].bytes,
				   "rules", rules));
	}
	return chains;
}

static json_t *sets_json(const struct call *call,
			 const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *sets = json_array();
	size_t i;

	for (i = 0; i < image->n_sets; i++) {
		const char *name = image_string(image, image->sets[i].name);

		if (*name && stats_wanted(call, name))
			json_add(&sets, json_pack("{s:s, s:i}", "name", name,
						  "elements",
						  image->sets[i].elements));
	}
	return sets;
}

int stats_print_json(const struct call *call, const struct snapshot *snapshot)
{
	return json_print(json_pack("{s:o, s:o, s:o, s:o}", "groups",
				    groups_json(call, snapshot), "devices",
				    devices_json(call, snapshot), "chains",
				    chains_json(call, snapshot), "sets",
				    sets_json(call, snapshot)));
}
