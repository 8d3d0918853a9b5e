/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/say.h"
#include "ctl/stats.h"
#include "rules/describe.h"
#include "rules/unit.h"

/* "12.3 MB": for people, so three digits are enough. */
const char *stats_bytes_text(uint64_t bytes, char text[static 32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit < 4) {
		value /= 1000;
		unit++;
	}
	snprintf(text, 32, value < 9.95 && unit ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return text;
}

/* passed_bytes NULL: nobody counts them. */
static void print_flow(const char *direction, const struct limit_row *limit,
		       unsigned int shape, const __u64 *passed_bytes,
		       uint64_t dropped_packets, uint64_t denied_packets)
{
	char rate[RATE_TEXT_MAX] = "-", passed[32] = "-";

	if (limit->rate_bytes)
		rate_format(limit->rate_bytes * 8, rate);
	if (passed_bytes)
		stats_bytes_text(*passed_bytes, passed);
	show("    %-3s %10s %-6s %9s passed %8llu dropped %8llu denied",
	     direction, rate, limit->rate_bytes ? describe_shape(shape) : "",
	     passed, (unsigned long long)dropped_packets,
	     (unsigned long long)denied_packets);
}

/* What passes a group is counted by the programs that hold its limit. */
static void print_tally(const char *direction, const struct limit_row *limit,
			uint32_t chain, unsigned int shape, bool has_quota,
			const struct tally *tally)
{
	if (limit->rate_bytes || chain != NONE || has_quota)
		print_flow(direction, limit, shape,
			   limit->rate_bytes ? &tally->passed_bytes : NULL,
			   tally->dropped_packets, tally->denied_packets);
}

/* Of the limits by address; before: what stands before the addresses. */
static void print_peers(const char *direction, const char *before,
			const struct image *image,
			const struct peer_range *range,
			const struct tally *tallies)
{
	char rate[RATE_TEXT_MAX], passed[32];
	const struct peer_row *peer;
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++) {
		rate_format(peer->limit.rate_bytes * 8, rate);
		show("    %-3s %10s %-6s %9s passed %8llu dropped %s %s",
		     direction, peer->limit.rate_bytes ? rate : "none",
		     peer->limit.rate_bytes ? describe_shape(peer->shape) : "",
		     stats_bytes_text(tallies[i].passed_bytes, passed),
		     (unsigned long long)tallies[i].dropped_packets, before,
		     image_string(image, peer->text));
	}
}

/* What a cgroup has of the limits of devices. */
static void print_shares(const struct snapshot *snapshot,
			 const struct found_cgroup *cgroup)
{
	const struct image *image = snapshot->kernel.live;
	char name[DESCRIBE_MAX], passed[32];
	size_t i;

	for (i = 0; i < snapshot->n_shares; i++) {
		const struct share_snapshot *share = &snapshot->shares[i];

		if (!snapshot_share_is_of(share, cgroup))
			continue;
		describe_device_name(
			image, &image->devices[share->entry->key.device], name);
		show("    %s %s %9s passed %8u dropped", name,
		     share->entry->key.side == SIDE_OUT ? "out" : "in",
		     stats_bytes_text(share->stats.bytes, passed),
		     share->stats.drops);
	}
}

static void print_flows(const struct flow_figures *flows)
{
	if (flows->limit)
		show("  flows %llu of %llu, %llu proven; %llu opened, %llu "
		     "expired, %llu evicted, %llu not let in",
		     (unsigned long long)flows->held,
		     (unsigned long long)flows->limit,
		     (unsigned long long)flows->proven,
		     (unsigned long long)flows->opened,
		     (unsigned long long)flows->expired,
		     (unsigned long long)flows->evicted,
		     (unsigned long long)flows->full);
}

static void print_group(const struct snapshot *snapshot, size_t index)
{
	const struct image *image = snapshot->kernel.live;
	const struct group_row *group = &image->groups[index];
	size_t i, n = 0;

	show("group %s", image_string(image, group->name));
	print_flows(&snapshot->group_flows[index]);
	for (i = 0; i < snapshot->n_cgroups; i++) {
		const struct cgroup_snapshot *entry = &snapshot->cgroups[i];

		if (entry->cgroup->group != index)
			continue;
		n++;
		show("  %s", entry->cgroup->path);
		print_tally("out", &group->out, group->chain_out,
			    group->shape_out, group->quota.bytes, &entry->out);
		print_peers("out", "to", image, &group->out_to,
			    snapshot->peers + entry->out_to);
		print_tally("in", &group->in, group->chain_in,
			    snapshot_in_shape(entry), group->quota.bytes,
			    &entry->in);
		print_peers("in", "from", image, &group->in_from,
			    snapshot->peers + entry->in_from);
		quota_figures_show("    ", &group->quota, &entry->quota);
		print_shares(snapshot, entry->cgroup);
	}
	if (!n)
		show("  (no cgroup of this group is there now)");
}

/* What was told those whose packets a device has rejected. */
static void print_answers(const char *direction,
			  const struct device_figures *figures)
{
	if (figures->answered || figures->withheld)
		show("    %-3s %llu rejected packets answered, %llu too many "
		     "for that",
		     direction, (unsigned long long)figures->answered,
		     (unsigned long long)figures->withheld);
}

static void print_device(const struct snapshot *snapshot,
			 const struct device_snapshot *entry)
{
	const struct image *image = snapshot->kernel.live;
	const struct device_row *row = &image->devices[entry->index];
	const struct device_figures *out = &entry->figures[SIDE_OUT];
	const struct device_figures *in = &entry->figures[SIDE_IN];
	char name[DESCRIBE_MAX];

	describe_device_name(image, row, name);
	show("device %s%s", name, entry->present ? "" : " (not there now)");
	if (row->out.rate_bytes || row->chain_out != NONE)
		print_flow("out", &row->out, row->shape_out, &out->passed.bytes,
			   out->dropped.packets, out->denied.packets);
	if (row->in.rate_bytes || row->chain_in != NONE)
		print_flow("in", &row->in, SHAPE_HTB, &in->passed.bytes,
			   in->dropped.packets, in->denied.packets);
	print_answers("out", out);
	print_answers("in", in);
	print_flows(&entry->flows);
}

static const char *counter_text(const struct counter *counter,
				char text[static 64])
{
	char bytes[32];

	snprintf(text, 64, "%12llu packets %9s",
		 (unsigned long long)counter->packets,
		 stats_bytes_text(counter->bytes, bytes));
	return text;
}

static void print_chain(const struct snapshot *snapshot, size_t index)
{
	const struct image *image = snapshot->kernel.live;
	const struct chain_row *chain = &image->chains[index];
	char counter[64];
	size_t i;

	show("chain %s", image_string(image, chain->name));
	for (i = chain->first; i < chain->first + chain->count; i++) {
		show("%s  %5u = %s", counter_text(&snapshot->rules[i], counter),
		     image->rules[i].number,
		     image_string(image, image->rules[i].text));
	}
	if (chain->policy == ROW_NONE)
		return;
	show("%s  policy = %s", counter_text(&snapshot->chains[index], counter),
	     describe_verdict(chain->policy));
}

void stats_print(const struct call *call, const struct snapshot *snapshot)
{
	const struct image *image = snapshot->kernel.live;
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (stats_wanted(call,
				 image_string(image, image->groups[i].name)))
			print_group(snapshot, i);
	for (i = 0; i < snapshot->n_devices; i++) {
		const struct device_row *row =
			&image->devices[snapshot->devices[i].index];

		if (row->group == NONE &&
		    stats_wanted(call, image_string(image, row->name)))
			print_device(snapshot, &snapshot->devices[i]);
	}
	for (i = 0; i < image->n_chains; i++)
		if (stats_wanted(call,
				 image_string(image, image->chains[i].name)))
			print_chain(snapshot, i);
	for (i = 0; i < image->n_sets; i++) {
		const char *name = image_string(image, image->sets[i].name);

		if (*name && stats_wanted(call, name))
			show("set %s: %u elements", name,
			     image->sets[i].elements);
	}
	if (!snapshot->kernel.generation)
		show("no policy is in force");
}
