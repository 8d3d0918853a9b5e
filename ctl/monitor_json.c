/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape is interface: see monitor in JSON in weirctl(8). */
#include <string.h>

#include "ctl/json.h"
#include "ctl/monitor.h"
#include "rules/describe.h"

static json_t *text_or_null(const char *text)
{
	return json_text(text && *text ? text : NULL);
}

static json_t *name_or_null(const struct image *image, bool is_there,
			    str_off name)
{
	return json_text(is_there ? image_string(image, name) : NULL);
}

static json_t *begin(const char *kind, const struct image *image,
		     const struct event_place *place)
{
	const struct group_row *group = place->group;
	const struct device_row *device = place->device;
	json_t *object = json_object();

	json_put(&object, "kind", json_text(kind));
	json_put(&object, "time", json_text(place->moment));
	json_put(&object, "group",
		 name_or_null(image, group, group ? group->name : 0));
	json_put(&object, "cgroup", json_text(place->cgroup));
	json_put(&object, "cgroup_id",
		 place->cgroup_id ? json_count(place->cgroup_id) : json_null());
	json_put(&object, "device",
		 name_or_null(image, device, device ? device->name : 0));
	return object;
}

static json_t *direction_json(const struct monitor_event *event)
{
	if (event->kind != EVENT_VERDICT && !(event->flags & EVENT_STARTED))
		return json_null();
	return json_text(event->flags & EVENT_OUT ? "out" : "in");
}

static json_t *port_json(const struct monitor_event *event, unsigned int port)
{
	return event->flags & EVENT_PORTS && port ? json_count(port)
						  : json_null();
}

static void put_ends(json_t **object, const struct told_event *told)
{
	const struct monitor_event *event = told->event;
	char protocol[PROTOCOL_TEXT_MAX];

	event_protocol(event, protocol);
	json_put(object, "direction", direction_json(event));
	json_put(object, "protocol", text_or_null(protocol));
	json_put(object, "source", text_or_null(told->src));
	json_put(object, "source_port", port_json(event, event->src_port));
	json_put(object, "destination", text_or_null(told->dst));
	json_put(object, "destination_port", port_json(event, event->dst_port));
}

static void put_sender(json_t **object, const struct monitor_event *event)
{
	char program[EVENT_PROGRAM + 1] = "";
	bool is_known = event->flags & EVENT_SENDER;

	memcpy(program, event->program, EVENT_PROGRAM);
	json_put(object, "pid",
		 is_known ? json_count(event->pid) : json_null());
	json_put(object, "program", json_text(is_known ? program : NULL));
}

static const char *hook_name(const struct monitor_event *event)
{
	if (!(event->flags & EVENT_CALL))
		return "packet";
	return event->flags & EVENT_SENDMSG ? "sendmsg" : "connect";
}

static void put_verdict(json_t **object, const struct told_event *told)
{
	const struct monitor_event *event = told->event;
	const struct image *image = told->image;
	const struct rule_row *rule = told->rule;
	const struct chain_row *chain = told->chain;
	bool is_icmp = event->flags & EVENT_ICMP;

	json_put(object, "icmp_type",
		 is_icmp ? json_count(event->icmp_type) : json_null());
	json_put(object, "packet_bytes",
		 event->flags & EVENT_CALL ? json_null()
					   : json_count(event->bytes));
	json_put(object, "hook", json_text(hook_name(event)));
	json_put(object, "verdict",
		 json_text(describe_verdict(event->verdict)));
	json_put(object, "chain",
		 name_or_null(image, chain, chain ? chain->name : 0));
	json_put(object, "rule", rule ? json_count(rule->number) : json_null());
	json_put(object, "text",
		 name_or_null(image, rule, rule ? rule->text : 0));
	json_put(object, "file",
		 name_or_null(image, rule, rule ? rule->file : 0));
	json_put(object, "line", rule ? json_count(rule->line) : json_null());
	json_put(object, "prefix",
		 name_or_null(image, rule && rule->log_prefix,
			      rule ? rule->log_prefix : 0));
}

static void put_connection(json_t **object, const struct monitor_event *event)
{
	if (event->kind != EVENT_CLOSED)
		return;
	json_put(object, "sent_bytes", json_count(event->bytes));
	json_put(object, "received_bytes", json_count(event->received));
	json_put(object, "duration_us",
		 event->flags & EVENT_STARTED
			 ? json_count((event->at_ns - event->began_ns) / 1000)
			 : json_null());
}

void event_print_json(const struct told_event *told)
{
	const struct monitor_event *event = told->event;
	json_t *object = begin(event_kind(event), told->image, &told->place);

	put_ends(&object, told);
	if (event->kind == EVENT_VERDICT)
		put_verdict(&object, told);
	else
		put_connection(&object, event);
	put_sender(&object, event);
	json_print_line(object);
}

void limit_print_json(const struct told_limit *told)
{
	const struct peer_row *peer = told->peer;
	json_t *object = begin("limit", told->image, &told->place);

	json_put(&object, "direction", json_text(told->is_out ? "out" : "in"));
	json_put(&object, "peers",
		 name_or_null(told->image, peer, peer ? peer->text : 0));
	json_put(&object, "limit_bps",
		 told->rate_bytes ? json_count(told->rate_bytes * 8)
				  : json_null());
	json_put(&object, "dropped_packets",
		 json_count(told->since.dropped_packets));
	json_put(&object, "dropped_bytes",
		 json_count(told->since.dropped_bytes));
	json_put(&object, "passed_packets",
		 json_count(told->since.passed_packets));
	json_put(&object, "passed_bytes", json_count(told->since.passed_bytes));
	json_print_line(object);
}

void lost_print_json(uint64_t lost, uint64_t suppressed, bool slept)
{
	json_t *object = json_object();

	json_put(&object, "kind", json_text("lost"));
	json_put(&object, "lost", json_count(lost));
	json_put(&object, "suppressed", json_count(suppressed));
	json_put(&object, "slept", json_boolean(slept));
	json_print_line(object);
}
