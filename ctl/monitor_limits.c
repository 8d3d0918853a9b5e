/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits that drop.  What they drop is counted anyway: who listens looks at the
 * figures once a second, and no packet is the slower for it.
 */
#include <string.h>
#include <time.h>

#include "ctl/monitor.h"

void limits_seen_clear(struct limits_seen *seen)
{
	free(seen->list);
	*seen = (struct limits_seen){ 0 };
}

static int compare_keys(const struct scope_key *a, const struct scope_key *b)
{
	if (a->cgroup != b->cgroup)
		return a->cgroup < b->cgroup ? -1 : 1;
	return (a->group_uid > b->group_uid) - (a->group_uid < b->group_uid);
}

static struct tally tally_since(const struct tally *now,
				const struct tally *before)
{
	return (struct tally){
		now->passed_bytes - before->passed_bytes,
		now->passed_packets - before->passed_packets,
		now->dropped_bytes - before->dropped_bytes,
		now->dropped_packets - before->dropped_packets,
		now->denied_packets - before->denied_packets,
	};
}

/* What is told of, and to whom. */
struct look {
	struct event_names *names;
	uint32_t group_uid;
	told_limit_fn fn;
	void *data;
	uint64_t at_ns;
};

static void look_at(const struct look *look, const struct scope_key *key,
		    bool is_out, const struct tally *now,
		    const struct tally *before)
{
	struct told_limit told = { .is_out = is_out,
				   .since = tally_since(now, before) };

	if (now->dropped_packets <= before->dropped_packets)
		return;
	event_moment(look->at_ns, told.place.moment);
	if (!event_look_up_limit(look->names, key, &told))
		return;
	if (!look->group_uid || told.place.group->uid == look->group_uid)
		look->fn(look->data, &told);
}

/* Both lists are by key. */
static void compare(const struct look *look, const struct limits_seen *before,
		    const struct limits_seen *now)
{
	const struct scope_tally nothing = { 0 };
	size_t i, j = 0;

	for (i = 0; i < now->n_list; i++) {
		const struct scope_tally *is = &now->list[i], *was = &nothing;

		while (j < before->n_list &&
		       compare_keys(&before->list[j].key, &is->key) < 0)
			j++;
		if (j < before->n_list &&
		    compare_keys(&before->list[j].key, &is->key) == 0)
			was = &before->list[j];
		look_at(look, &is->key, true, &is->out, &was->out);
		look_at(look, &is->key, false, &is->in, &was->in);
	}
}

int limits_look(struct limits_seen *seen, struct event_names *names,
		uint32_t group_uid, told_limit_fn fn, void *data,
		struct err *err)
{
	struct look look = { names, group_uid, fn, data, 0 };
	struct limits_seen now = { .begun = true };
	struct timespec at;
	int r;

	r = scopes_list(&names->kernel->scopes, &now.list, &now.n_list, err);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &at);
	look.at_ns = at.tv_sec * 1000000000ULL + at.tv_nsec;
	if (seen->begun)
		compare(&look, seen, &now);
	limits_seen_clear(seen);
	*seen = now;
	return 0;
}
