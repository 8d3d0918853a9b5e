/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "rules/flow_room.h"
#include "rules/policy.h"
#include "rules/quota.h"
#include "rules/unit.h"

const char *describe_shape(unsigned int shape)
{
	static const char *const names[] = { "-", "pace", "edt", "htb",
					     "police" };

	return shape < ARRAY_SIZE(names) ? names[shape] : "?";
}

const char *describe_verdict(unsigned int verdict)
{
	static const char *const names[] = { "deny", "allow", "reject" };

	return verdict < ARRAY_SIZE(names) ? names[verdict] : "?";
}

const char *describe_priority(unsigned int priority)
{
	static const char *const names[] = {
		[PRIORITY_NORMAL] = "normal",
		[PRIORITY_HIGH] = "high",
		[PRIORITY_LOW] = "low",
	};

	return priority < ARRAY_SIZE(names) ? names[priority] : "?";
}

__attribute__((format(printf, 2, 3))) static void append(char *text,
							 const char *fmt, ...)
{
	size_t length = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + length, DESCRIBE_MAX - length, fmt, ap);
	va_end(ap);
}

static void append_rate(char *text, const struct limit_row *limit,
			unsigned int shape)
{
	char rate[RATE_TEXT_MAX], burst[SIZE_TEXT_MAX];

	if (!limit->rate_bytes) {
		append(text, " none");
		return;
	}
	rate_format(limit->rate_bytes * 8, rate);
	size_format(limit->burst_bytes, burst);
	append(text, " %s (burst %s) by %s", rate, burst,
	       describe_shape(shape));
}

static void append_limit(char *text, const char *direction,
			 const struct limit_row *limit, unsigned int shape)
{
	if (!limit->rate_bytes)
		return;
	append(text, ", %s", direction);
	append_rate(text, limit, shape);
}

static void append_peers(char *text, const struct image *image, bool is_out,
			 const struct peer_range *range)
{
	const struct peer_row *peer;
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++) {
		append(text, ", %s %s", is_out ? "out-to" : "in-from",
		       image_string(image, peer->text));
		append_rate(text, &peer->limit, peer->shape);
	}
}

/* What is asked of a table of flows, but for what is usual. */
static void append_flows(char *text, const struct flow_room *room)
{
	size_t i;

	if (room->flows)
		append(text, ", flows %u", room->flows);
	for (i = 0; i < FLOW_TIMES; i++)
		if (room->seconds[i])
			append(text, ", %s %us", term_name(flow_time_terms, i),
			       room->seconds[i]);
}

static void append_chain(char *text, const char *key, const struct image *image,
			 __u32 chain)
{
	if (chain < image->n_chains)
		append(text, ", %s %s", key,
		       image_string(image, image->chains[chain].name));
}

/* "quota 100gb/month of out, then 1mbit" */
static void append_quota(char *text, const struct quota_row *quota)
{
	static const char *const of[] = { "", " of out", " of in", "" };
	char amount[QUOTA_TEXT_MAX], rate[RATE_TEXT_MAX] = "deny";

	if (!quota->bytes)
		return;
	quota_format(quota->bytes, quota->period, amount);
	if (quota->after_rate)
		rate_format(quota->after_rate * 8, rate);
	append(text, ", quota %s%s, then %s", amount, of[quota->counts & 3],
	       rate);
}

static void append_share(char *text, const struct group_row *group)
{
	char rate[RATE_TEXT_MAX];

	if (group->out_min_bytes) {
		rate_format(group->out_min_bytes * 8, rate);
		append(text, ", out-min %s", rate);
	}
	if (group->weight)
		append(text, ", weight %u", group->weight);
	if (group->priority != PRIORITY_NORMAL)
		append(text, ", priority %s",
		       describe_priority(group->priority));
}

void describe_group(const struct image *image, const struct group_row *group,
		    char ret_text[static DESCRIBE_MAX])
{
	const char *matches = image_string(image, group->matches);

	ret_text[0] = '\0';
	for (; *matches; matches++)
		append(ret_text, "%s%c", *matches == '\n' ? "," : "",
		       *matches == '\n' ? ' ' : *matches);
	if (group->share_all)
		append(ret_text, ", all together");
	append_limit(ret_text, "out", &group->out, group->shape_out);
	append_peers(ret_text, image, true, &group->out_to);
	append_limit(ret_text, "in", &group->in, group->shape_in);
	append_peers(ret_text, image, false, &group->in_from);
	append_share(ret_text, group);
	append_quota(ret_text, &group->quota);
	append_chain(ret_text, "filter-out", image, group->chain_out);
	append_chain(ret_text, "filter-in", image, group->chain_in);
	append_flows(ret_text, &group->flow_room);
}

void describe_device(const struct image *image, const struct device_row *device,
		     char ret_text[static DESCRIBE_MAX])
{
	ret_text[0] = '\0';
	append_limit(ret_text, "out", &device->out, device->shape_out);
	append_limit(ret_text, "in", &device->in, SHAPE_HTB);
	append_chain(ret_text, "filter-out", image, device->chain_out);
	append_chain(ret_text, "filter-in", image, device->chain_in);
	append_flows(ret_text, &device->flow_room);
	if (device->tcp_windows)
		append(ret_text, ", tcp-windows");
	if (device->pool && device->pool < image->n_devices)
		append(ret_text, ", first of all through %s",
		       image_string(image, image->devices[device->pool].name));
	if (device->flags & DEVICE_POOL)
		append(ret_text, ", for several veths");
	if (device->flags & DEVICE_MIXED)
		append(ret_text, ", and by police");
	if (device->takeover)
		append(ret_text, ", takeover");
	if (device->xdp != XDP_AUTO)
		append(ret_text, ", xdp %s",
		       device->xdp == XDP_NO ? "no" : "yes");
	if (ret_text[0] == ',')
		memmove(ret_text, ret_text + 2, strlen(ret_text + 2) + 1);
	if (!ret_text[0])
		append(ret_text, "nothing to do");
}

void describe_device_name(const struct image *image,
			  const struct device_row *device,
			  char ret_text[static DESCRIBE_MAX])
{
	const char *netns = image_string(image, device->netns);

	snprintf(ret_text, DESCRIBE_MAX, "%s%s%s",
		 image_string(image, device->name), *netns ? " in netns " : "",
		 netns);
}
