/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in words.  Numbers of the kernel's are looked up in the policy that
 * they are of (monitor_names.c); what comes of it is printed as text or as
 * JSON.
 */
#ifndef WEIR_CTL_MONITOR_H
#define WEIR_CTL_MONITOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgroup/scopes.h"
#include "ctl/kernel.h"
#include "rules/monitor_abi.h"

/* A rule with log, by its counter. */
struct logging_rule {
	uint32_t counter;
	uint32_t index; /* in the image's rules */
};

struct cgroup_name;

/* What events are looked up in. */
struct event_names {
	const struct kernel *kernel; /* with the policy that was read last */
	int mount_fd;		     /* of cgroup2 */
	struct cgroup_name *cgroups; /* those that were met lately */
	struct logging_rule *rules;  /* by counter */
	size_t n_rules;
};

int event_names_begin(const struct kernel *kernel,
		      struct event_names *ret_names, struct err *err);
void event_names_clear(struct event_names *names);

/* After the kernel's policy was read again. */
int event_names_renew(struct event_names *names, struct err *err);

#define MOMENT_MAX 40

/* Who and where: what cannot be told is NULL. */
struct event_place {
	char moment[MOMENT_MAX]; /* "2026-11-29T13:05:49.123456Z" */
	uint64_t cgroup_id;	 /* 0: not known */
	const char *cgroup;	 /* path; until the next event */
	const struct group_row *group;
	const struct device_row *device;
};

/* at_ns: CLOCK_MONOTONIC. */
void event_moment(uint64_t at_ns, char ret_text[static MOMENT_MAX]);

struct told_event {
	struct event_place place;
	const struct image *image;
	const struct monitor_event *event;
	const struct rule_row *rule; /* NULL also where the policy has gone */
	const struct chain_row *chain;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN]; /* "": not known */
};

void event_look_up(struct event_names *names, const struct monitor_event *event,
		   struct told_event *ret_told);

/* A limit that dropped something in the last second or so. */
struct told_limit {
	struct event_place place;
	const struct image *image;
	const struct peer_row *peer; /* of a limit by address, or NULL */
	bool is_out;
	uint64_t rate_bytes;
	struct tally since; /* what was counted since the last look */
};

/* Finds the group of a scope; false where the policy has none. */
bool event_look_up_limit(struct event_names *names, const struct scope_key *key,
			 struct told_limit *told);

/* "tcp", or the number; "" for what is not IP. */
#define PROTOCOL_TEXT_MAX 16
void event_protocol(const struct monitor_event *event,
		    char ret_text[static PROTOCOL_TEXT_MAX]);
const char *event_kind(const struct monitor_event *event);

/* Seconds that a connection was open. */
double event_seconds(const struct monitor_event *event);

/* ---------------------------------- monitor_text.c and monitor_json.c */

/* As one line on standard output; whether that could be written is later. */
void event_print(const struct told_event *told);
void limit_print(const struct told_limit *told);

void event_print_json(const struct told_event *told);
void limit_print_json(const struct told_limit *told);
void lost_print_json(uint64_t lost, uint64_t suppressed, bool slept);

/* -------------------------------------------------- monitor_limits.c */

/* What all scopes had counted when they were looked at last. */
struct limits_seen {
	struct scope_tally *list;
	size_t n_list;
	bool begun;
};

typedef void (*told_limit_fn)(void *data, const struct told_limit *told);

/*
 * Looks once more, and has fn told of those that dropped something; the first
 * time of none.  group_uid: 0 for all.
 */
int limits_look(struct limits_seen *seen, struct event_names *names,
		uint32_t group_uid, told_limit_fn fn, void *data,
		struct err *err);
void limits_seen_clear(struct limits_seen *seen);

#endif
