/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "ctl/monitor.h"
#include "rules/terms.h"

#define NSEC_PER_SEC 1000000000LL

/* A cgroup has one path as long as it is there, and its id is no other's. */
struct cgroup_name {
	uint64_t id;
	char path[PATH_MAX];
};

#define CGROUP_NAMES 256

void event_names_clear(struct event_names *names)
{
	if (!names->kernel)
		return;
	close_fdp(&names->mount_fd);
	free(names->cgroups);
	free(names->rules);
}

static int by_counter(const void *a, const void *b)
{
	const struct logging_rule *left = a, *right = b;

	return (left->counter > right->counter) -
	       (left->counter < right->counter);
}

int event_names_renew(struct event_names *names, struct err *err)
{
	const struct image *image = names->kernel->live;
	size_t i, n = image_written(image);
	struct logging_rule *rule;

	names->n_rules = 0;
	for (i = 0; i < n; i++) {
		if (!(image->rules[i].does & DO_LOG))
			continue;
		rule = ARRAY_ADD(names, rules);
		if (!rule)
			return err_set(err, -ENOMEM, "list rules with log");
		*rule = (struct logging_rule){ image->rules[i].counter, i };
	}
	if (names->n_rules)
		qsort(names->rules, names->n_rules, sizeof(*names->rules),
		      by_counter);
	return 0;
}

int event_names_begin(const struct kernel *kernel,
		      struct event_names *ret_names, struct err *err)
{
	CLEANUP(event_names_clear)
	struct event_names names = { .kernel = kernel, .mount_fd = -1 };
	int r;

	names.mount_fd =
		open(kernel->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (names.mount_fd < 0)
		return err_set(err, neg_errno(), "open '%s'", kernel->mount);
	names.cgroups = calloc(CGROUP_NAMES, sizeof(*names.cgroups));
	if (!names.cgroups)
		return err_set(err, -ENOMEM, "listen");
	r = event_names_renew(&names, err);
	if (r < 0)
		return r;
	*ret_names = names;
	names.kernel = NULL;
	return 0;
}

/* NULL where it is gone, or none. */
static const char *cgroup_path(struct event_names *names, uint64_t id)
{
	struct cgroup_name *name = &names->cgroups[id % CGROUP_NAMES];

	if (!id)
		return NULL;
	if (name->id != id || !*name->path) {
		name->id = id;
		find_cgroup_path(names->mount_fd, names->kernel->mount, id,
				 name->path, sizeof(name->path));
	}
	return *name->path ? name->path : NULL;
}

void event_moment(uint64_t at_ns, char ret_text[static MOMENT_MAX])
{
	struct timespec real, now;
	struct tm tm;
	int64_t ns;
	time_t at;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (real.tv_sec - now.tv_sec) * NSEC_PER_SEC +
	     (real.tv_nsec - now.tv_nsec) + (int64_t)at_ns;
	at = ns / NSEC_PER_SEC;
	gmtime_r(&at, &tm);
	snprintf(ret_text, MOMENT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, (int)(ns % NSEC_PER_SEC / 1000));
}

/* The policy of an event, where that is the one that was read. */
static const struct rule_row *find_rule(const struct event_names *names,
					const struct monitor_event *event)
{
	const struct logging_rule key = { .counter = event->counter }, *found;

	if (event->kind != EVENT_VERDICT || !names->n_rules ||
	    event->generation != names->kernel->generation)
		return NULL;
	found = bsearch(&key, names->rules, names->n_rules, sizeof(key),
			by_counter);
	return found ? &names->kernel->live->rules[found->index] : NULL;
}

static const struct group_row *find_group(const struct image *image,
					  uint32_t uid)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (image->groups[i].uid == uid)
			return &image->groups[i];
	return NULL;
}

static const struct device_row *find_device(const struct event_names *names,
					    const struct monitor_event *event)
{
	const struct image *image = names->kernel->live;

	if (event->generation != names->kernel->generation ||
	    event->whose >= image->n_devices ||
	    !image->devices[event->whose].in_use)
		return NULL;
	return &image->devices[event->whose];
}

/* "": all zero, which no packet is from or goes to. */
static void format_address(const __u8 *bytes,
			   char ret_text[static INET6_ADDRSTRLEN])
{
	struct in6_addr address;

	memcpy(&address, bytes, sizeof(address));
	*ret_text = '\0';
	if (IN6_IS_ADDR_UNSPECIFIED(&address))
		return;
	if (IN6_IS_ADDR_V4MAPPED(&address))
		inet_ntop(AF_INET, &address.s6_addr[12], ret_text,
			  INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &address, ret_text, INET6_ADDRSTRLEN);
}

void event_look_up(struct event_names *names, const struct monitor_event *event,
		   struct told_event *ret_told)
{
	const struct image *image = names->kernel->live;
	struct told_event told = { .image = image, .event = event };
	bool at_device = event->flags & EVENT_DEVICE;

	event_moment(event->at_ns, told.place.moment);
	told.place.cgroup_id = event->cgroup;
	told.place.cgroup = cgroup_path(names, event->cgroup);
	if (at_device)
		told.place.device = find_device(names, event);
	else
		told.place.group = find_group(image, event->whose);
	told.rule = find_rule(names, event);
	if (told.rule && told.rule->chain < image->n_chains)
		told.chain = &image->chains[told.rule->chain];
	if (event->family) {
		format_address(event->src, told.src);
		format_address(event->dst, told.dst);
	}
	*ret_told = told;
}

static const struct peer_row *find_peer(const struct image *image,
					const struct peer_range *range,
					uint32_t uid)
{
	const struct peer_row *peer;
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++)
		if (peer->uid == uid)
			return peer;
	return NULL;
}

/* Whose scope it is, and of which limit. */
static bool find_limit(const struct image *image, uint32_t uid,
		       struct told_limit *told)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];
		const struct peer_row *peer;

		peer = find_peer(
			image, told->is_out ? &group->out_to : &group->in_from,
			uid);
		if (group->uid != uid && !peer)
			continue;
		told->place.group = group;
		told->peer = peer;
		told->rate_bytes = peer		  ? peer->limit.rate_bytes
				   : told->is_out ? group->out.rate_bytes
						  : group->in.rate_bytes;
		return true;
	}
	return false;
}

bool event_look_up_limit(struct event_names *names, const struct scope_key *key,
			 struct told_limit *told)
{
	told->image = names->kernel->live;
	told->place.cgroup_id = key->cgroup;
	told->place.cgroup = cgroup_path(names, key->cgroup);
	return find_limit(told->image, key->group_uid, told);
}

void event_protocol(const struct monitor_event *event,
		    char ret_text[static PROTOCOL_TEXT_MAX])
{
	const char *name = term_name(protocol_terms, event->protocol);

	*ret_text = '\0';
	if (event->family && name)
		snprintf(ret_text, PROTOCOL_TEXT_MAX, "%s", name);
	else if (event->family)
		snprintf(ret_text, PROTOCOL_TEXT_MAX, "%u", event->protocol);
}

const char *event_kind(const struct monitor_event *event)
{
	if (event->kind == EVENT_OPENED)
		return "opened";
	return event->kind == EVENT_CLOSED ? "closed" : "verdict";
}

double event_seconds(const struct monitor_event *event)
{
	return (double)(event->at_ns - event->began_ns) / NSEC_PER_SEC;
}
