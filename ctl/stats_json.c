/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape is interface: see STATISTICS in weirctl(8). */
#include "ctl/json.h"
#include "ctl/stats.h"
#include "rules/describe.h"

static void put_limit(json_t **object, const struct limit_row *limit,
		      unsigned int shape)
{
	json_put(object, "limit_bps", json_count(limit->rate_bytes * 8));
	json_put(object, "shaper", json_text(describe_shape(shape)));
}

static void put_passed(json_t **object, const struct tally *tally)
{
	json_put(object, "passed_bytes", json_count(tally->passed_bytes));
	json_put(object, "passed_packets", json_count(tally->passed_packets));
}

static void put_dropped(json_t **object, const struct tally *tally)
{
	json_put(object, "dropped_bytes", json_count(tally->dropped_bytes));
	json_put(object, "dropped_packets", json_count(tally->dropped_packets));
}

/* One direction of a group at a cgroup; {} where nothing is asked of it. */
static json_t *direction(const struct limit_row *limit, unsigned int shape,
			 uint32_t chain, bool has_quota,
			 const struct tally *tally)
{
	json_t *object = json_object();

	if (limit->rate_bytes) {
		put_limit(&object, limit, shape);
		put_passed(&object, tally);
	}
	if (limit->rate_bytes || has_quota) {
		put_dropped(&object, tally);
	}
	if (limit->rate_bytes || chain != NONE || has_quota)
		json_put(&object, "denied_packets",
			 json_count(tally->denied_packets));
	return object;
}

/* The limits by address; side: what the addresses are called. */
static json_t *peers_json(const struct image *image,
			  const struct peer_range *range,
			  const struct tally *tallies, const char *side)
{
	const struct peer_row *peer;
	json_t *list = json_array();
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++) {
		json_t *object = json_object();

		json_put(&object, side,
			 json_text(image_string(image, peer->text)));
		if (peer->limit.rate_bytes)
			put_limit(&object, &peer->limit, peer->shape);
		put_passed(&object, &tallies[i]);
		put_dropped(&object, &tallies[i]);
		json_add(&list, object);
	}
	return list;
}

static json_t *share_json(const struct image *image,
			  const struct share_snapshot *share)
{
	const struct share_entry *entry = share->entry;
	const struct device_row *row = &image->devices[entry->key.device];
	json_t *object = json_object();

	json_put(&object, "device", json_text(image_string(image, row->name)));
	json_put(&object, "netns", json_text(image_string(image, row->netns)));
	json_put(&object, "side",
		 json_text(entry->key.side == SIDE_OUT ? "out" : "in"));
	json_put(&object, "sure_bps", json_count(entry->value.sure_bytes * 8));
	json_put(&object, "passed_bytes", json_count(share->stats.bytes));
	json_put(&object, "passed_packets", json_count(share->stats.packets));
	json_put(&object, "dropped_packets", json_count(share->stats.drops));
	json_put(&object, "backlog_bytes",
		 json_count(share->stats.backlog_bytes));
	return object;
}

static json_t *shares_json(const struct snapshot *snapshot,
			   const struct found_cgroup *cgroup)
{
	json_t *shares = json_array();
	size_t i;

	for (i = 0; i < snapshot->n_shares; i++)
		if (snapshot_share_is_of(&snapshot->shares[i], cgroup))
			json_add(&shares, share_json(snapshot->kernel.live,
						     &snapshot->shares[i]));
	return shares;
}

static json_t *cgroup_json(const struct snapshot *snapshot,
			   const struct group_row *group,
			   const struct cgroup_snapshot *entry)
{
	const struct image *image = snapshot->kernel.live;
	json_t *object = json_object();

	json_put(&object, "path", json_text(entry->cgroup->path));
	json_put(&object, "id", json_count(entry->cgroup->id));
	json_put(&object, "out",
		 direction(&group->out, group->shape_out, group->chain_out,
			   group->quota.bytes, &entry->out));
	json_put(&object, "in",
		 direction(&group->in, snapshot_in_shape(entry),
			   group->chain_in, group->quota.bytes, &entry->in));
	json_put(&object, "out_to",
		 peers_json(image, &group->out_to,
			    snapshot->peers + entry->out_to, "to"));
	json_put(&object, "in_from",
		 peers_json(image, &group->in_from,
			    snapshot->peers + entry->in_from, "from"));
	if (group->quota.bytes)
		json_put(&object, "quota",
			 quota_figures_json(&group->quota, &entry->quota));
	json_put(&object, "shares", shares_json(snapshot, entry->cgroup));
	return object;
}

/* Of a table of flows; null without one. */
static json_t *flows_json(const struct flow_figures *flows)
{
	json_t *object;

	if (!flows->limit)
		return json_null();
	object = json_object();
	json_put(&object, "limit", json_count(flows->limit));
	json_put(&object, "held", json_count(flows->held));
	json_put(&object, "proven", json_count(flows->proven));
	json_put(&object, "opened", json_count(flows->opened));
	json_put(&object, "expired", json_count(flows->expired));
	json_put(&object, "evicted", json_count(flows->evicted));
	json_put(&object, "full", json_count(flows->full));
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
	json_put(&object, "cgroups", cgroups);
	json_put(&object, "flows", flows_json(&snapshot->group_flows[index]));
	return object;
}

static json_t *side_json(const struct limit_row *limit, unsigned int shape,
			 uint32_t chain, const struct device_figures *figures)
{
	json_t *object = json_object();

	if (!limit->rate_bytes && chain == NONE)
		return object;
	if (limit->rate_bytes)
		put_limit(&object, limit, shape);
	json_put(&object, "passed_bytes", json_count(figures->passed.bytes));
	json_put(&object, "passed_packets",
		 json_count(figures->passed.packets));
	json_put(&object, "dropped_bytes", json_count(figures->dropped.bytes));
	json_put(&object, "dropped_packets",
		 json_count(figures->dropped.packets));
	json_put(&object, "denied_packets",
		 json_count(figures->denied.packets));
	json_put(&object, "answered_packets", json_count(figures->answered));
	json_put(&object, "withheld_packets", json_count(figures->withheld));
	return object;
}

static json_t *device_json(const struct image *image,
			   const struct device_snapshot *entry)
{
	const struct device_row *row = &image->devices[entry->index];
	json_t *object = json_object();

	json_put(&object, "name", json_text(image_string(image, row->name)));
	json_put(&object, "netns", json_text(image_string(image, row->netns)));
	json_put(&object, "present", json_boolean(entry->present));
	json_put(&object, "out",
		 side_json(&row->out, row->shape_out, row->chain_out,
			   &entry->figures[SIDE_OUT]));
	json_put(&object, "in",
		 side_json(&row->in, SHAPE_HTB, row->chain_in,
			   &entry->figures[SIDE_IN]));
	json_put(&object, "flows", flows_json(&entry->flows));
	return object;
}

static json_t *rule_json(const struct snapshot *snapshot, size_t index)
{
	const struct image *image = snapshot->kernel.live;
	const struct rule_row *rule = &image->rules[index];
	const struct counter *counter = &snapshot->rules[index];
	json_t *object = json_object();

	json_put(&object, "number", json_count(rule->number));
	json_put(&object, "text", json_text(image_string(image, rule->text)));
	json_put(&object, "packets", json_count(counter->packets));
	json_put(&object, "bytes", json_count(counter->bytes));
	return object;
}

static json_t *chain_json(const struct snapshot *snapshot, size_t index)
{
	const struct image *image = snapshot->kernel.live;
	const struct chain_row *chain = &image->chains[index];
	const struct counter *counter = &snapshot->chains[index];
	json_t *object = json_object(), *rules = json_array();
	size_t i;

	for (i = chain->first; i < chain->first + chain->count; i++)
		json_add(&rules, rule_json(snapshot, i));
	json_put(&object, "name", json_text(image_string(image, chain->name)));
	json_put(&object, "policy",
		 json_text(chain->policy == ROW_NONE
				   ? NULL
				   : describe_verdict(chain->policy)));
	json_put(&object, "policy_packets", json_count(counter->packets));
	json_put(&object, "policy_bytes", json_count(counter->bytes));
	json_put(&object, "rules", rules);
	return object;
}

static json_t *set_json(const char *name, const struct set_row *set)
{
	json_t *object = json_object();

	json_put(&object, "name", json_text(name));
	json_put(&object, "elements", json_count(set->elements));
	return object;
}

int stats_print_json(const struct call *call, const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	json_t *root = json_object();
	json_t *groups = json_array(), *devices = json_array();
	json_t *chains = json_array(), *sets = json_array();
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (stats_wanted(call,
				 image_string(image, image->groups[i].name)))
			json_add(&groups, group_json(snapshot, i));
	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_snapshot *entry = &snapshot->devices[i];
		const struct device_row *row = &image->devices[entry->index];

		if (row->group == NONE &&
		    stats_wanted(call, image_string(image, row->name)))
			json_add(&devices, device_json(image, entry));
	}
	for (i = 0; i < image->n_chains; i++)
		if (stats_wanted(call,
				 image_string(image, image->chains[i].name)))
			json_add(&chains, chain_json(snapshot, i));
	for (i = 0; i < image->n_sets; i++) {
		const char *name = image_string(image, image->sets[i].name);

		if (*name && stats_wanted(call, name))
			json_add(&sets, set_json(name, &image->sets[i]));
	}
	json_put(&root, "groups", groups);
	json_put(&root, "devices", devices);
	json_put(&root, "chains", chains);
	json_put(&root, "sets", sets);
	return json_print(root);
}
