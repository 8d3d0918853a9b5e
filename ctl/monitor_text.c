/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "ctl/monitor.h"
#include "ctl/say.h"
#include "rules/describe.h"
#include "rules/unit.h"

/* The time of day is enough for who looks on. */
static const char *time_of_day(const struct event_place *place, int *ret_length)
{
	const char *begin = strchr(place->moment, 'T');

	*ret_length = begin ? (int)strcspn(begin + 1, "Z") : 0;
	return begin ? begin + 1 : "";
}

#define END_MAX (INET6_ADDRSTRLEN + 16)

/* "192.0.2.1:80", "[::1]:80", or "*" for what is not known. */
static void format_end(const struct monitor_event *event, const char *address,
		       unsigned int port, char ret_text[static END_MAX])
{
	const char *left = strchr(address, ':') ? "[" : "";
	const char *right = *left ? "]" : "";

	if (!*address)
		address = "*";
	if (event->flags & EVENT_PORTS && port)
		snprintf(ret_text, END_MAX, "%s%s%s:%u", left, address, right,
			 port);
	else
		snprintf(ret_text, END_MAX, "%s", address);
}

static void put_place(FILE *out, const struct image *image,
		      const struct event_place *place)
{
	if (place->group)
		fprintf(out, ", group %s",
			image_string(image, place->group->name));
	if (place->device)
		fprintf(out, ", device %s",
			image_string(image, place->device->name));
	if (place->cgroup)
		fprintf(out, ", %s", place->cgroup);
	else if (place->cgroup_id)
		fprintf(out, ", cgroup %llu, gone",
			(unsigned long long)place->cgroup_id);
}

static void put_sender(FILE *out, const struct monitor_event *event)
{
	if (event->flags & EVENT_SENDER)
		fprintf(out, ", by %.*s[%u]", EVENT_PROGRAM, event->program,
			event->pid);
}

static void put_ends(FILE *out, const struct told_event *told)
{
	const struct monitor_event *event = told->event;
	char src[END_MAX], dst[END_MAX], protocol[PROTOCOL_TEXT_MAX];

	if (!event->family) {
		fputs(" not IP", out);
		return;
	}
	event_protocol(event, protocol);
	format_end(event, told->src, event->src_port, src);
	format_end(event, told->dst, event->dst_port, dst);
	fprintf(out, " %s", protocol);
	if (event->flags & EVENT_ICMP)
		fprintf(out, " type %u", event->icmp_type);
	fprintf(out, " %s -> %s", src, dst);
}

static void put_rule(FILE *out, const struct told_event *told)
{
	const struct image *image = told->image;

	if (!told->rule || !told->chain)
		return;
	fprintf(out, ", chain %s rule %u (%s:%u)",
		image_string(image, told->chain->name), told->rule->number,
		image_string(image, told->rule->file), told->rule->line);
}

static void put_verdict(FILE *out, const struct told_event *told)
{
	const struct monitor_event *event = told->event;

	fprintf(out, "%s%s %s",
		told->rule ? image_string(told->image, told->rule->log_prefix)
			   : "",
		describe_verdict(event->verdict),
		event->flags & EVENT_OUT ? "out" : "in");
	put_ends(out, told);
	put_place(out, told->image, &told->place);
	put_rule(out, told);
	put_sender(out, event);
}

static void put_connection(FILE *out, const struct told_event *told)
{
	const struct monitor_event *event = told->event;

	fputs(event_kind(event), out);
	if (event->flags & EVENT_STARTED)
		fputs(event->flags & EVENT_OUT ? " out" : " in", out);
	put_ends(out, told);
	put_place(out, told->image, &told->place);
	if (event->kind == EVENT_CLOSED)
		fprintf(out, ", sent %llu, received %llu bytes",
			(unsigned long long)event->bytes,
			(unsigned long long)event->received);
	if (event->kind == EVENT_CLOSED && event->flags & EVENT_STARTED)
		fprintf(out, ", after %.6f s", event_seconds(event));
	put_sender(out, event);
}

static void put_limit(FILE *out, const struct told_limit *told)
{
	char rate[RATE_TEXT_MAX];

	rate_format(told->rate_bytes * 8, rate);
	fprintf(out, "limit %s", told->is_out ? "out" : "in");
	if (told->peer)
		fprintf(out, " %s %s", told->is_out ? "to" : "from",
			image_string(told->image, told->peer->text));
	fprintf(out, " %s", told->rate_bytes ? rate : "quota");
	put_place(out, told->image, &told->place);
	fprintf(out, ", dropped %llu packets (%llu bytes), passed %llu (%llu)",
		(unsigned long long)told->since.dropped_packets,
		(unsigned long long)told->since.dropped_bytes,
		(unsigned long long)told->since.passed_packets,
		(unsigned long long)told->since.passed_bytes);
}

typedef void (*put_fn)(FILE *out, const void *told);

/* NULL: no memory. */
static char *make_line(const struct event_place *place, put_fn put,
		       const void *told)
{
	char *line = NULL;
	const char *at;
	size_t size;
	FILE *out;
	int n;

	out = open_memstream(&line, &size);
	if (!out)
		return NULL;
	at = time_of_day(place, &n);
	fprintf(out, "%.*s ", n, at);
	put(out, told);
	if (fclose(out) == 0)
		return line;
	free(line);
	return NULL;
}

/* Names in it are anybody's: show_text makes them harmless. */
static void print_line(const struct event_place *place, put_fn put,
		       const void *told)
{
	AUTO_FREE char *line = make_line(place, put, told);

	show_text(line);
}

static void put_event(FILE *out, const void *told)
{
	const struct told_event *event = told;

	if (event->event->kind == EVENT_VERDICT)
		put_verdict(out, event);
	else
		put_connection(out, event);
}

static void put_any_limit(FILE *out, const void *told)
{
	put_limit(out, told);
}

void event_print(const struct told_event *told)
{
	print_line(&told->place, put_event, told);
}

void limit_print(const struct told_limit *told)
{
	print_line(&told->place, put_any_limit, told);
}
