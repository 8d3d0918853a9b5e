/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/adopt.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cgroup/adopt.skel.h"
#include "cgroup/adopt_abi.h"
#include "cgroup/pace_abi.h"
#include "pins/folder.h"
#include "pins/log.h"
#include "pins/object.h"

DEFINE_CLEANUP(struct adopt_bpf *, adopt_bpf__destroy);
DEFINE_CLEANUP(struct bpf_link *, bpf_link__destroy);

void adoption_clear(struct adoption *adoption)
{
	free(adoption->limits);
	free(adoption->places);
	netns_walk_clear(&adoption->walk);
	*adoption = (struct adoption){ 0 };
}

static int load(const char *dir, const struct adoption *adoption,
		struct adopt_bpf **ret_skel, struct bpf_link **ret_link)
{
	CLEANUP(adopt_bpf__destroyp) struct adopt_bpf *skel = NULL;
	CLEANUP(log_end) struct log log;
	char maps[PATH_MAX];
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	skel = adopt_bpf__open_opts(&opts);
	if (!skel)
		return neg_errno();
	r = bpf_map__set_max_entries(skel->maps.limits, adoption->n_limits);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.places,
					     adoption->n_places);
	if (r == 0)
		r = netns_walk_attach(skel->skeleton, ret_link);
	if (r < 0)
		return r;
	*ret_skel = TAKE_PTR(skel);
	return 0;
}

static int write_places(const struct adopt_bpf *skel,
			const struct adoption *adoption)
{
	int fd = bpf_map__fd(skel->maps.places), r = 0;
	struct adopt_key key = { 0 };
	struct adopt_place value;
	size_t i;

	for (i = 0; r == 0 && i < adoption->n_places; i++) {
		const struct adopted_place *place = &adoption->places[i];

		value.limit = place->limit;
		value.peers = place->peers;
		key.nth = i && place->cgroup == key.cgroup ? key.nth + 1 : 0;
		key.cgroup = place->cgroup;
		r = bpf_map_update_elem(fd, &key, &value, BPF_ANY);
	}
	return r;
}

/* No more than there are users, or sockets that would be some. */
static uint64_t fair_rate(const struct adopted_limit *limit, uint32_t busy)
{
	double users = (double)limit->users / PACE_USER;

	if (!limit->rate)
		return PACE_UNLIMITED;
	users = users > busy ? users : busy;
	users = users > 1 ? users : 1;
	return limit->rate / users > 1 ? limit->rate / users : 1;
}

/* What each socket may have, where the busy ones were counted. */
static int write_fair(const struct adopt_bpf *skel,
		      const struct adoption *adoption)
{
	int fd = bpf_map__fd(skel->maps.limits), r = 0;
	struct adopt_limit limit;
	uint32_t i;

	for (i = 0; r == 0 && i < adoption->n_limits; i++) {
		const struct adopted_limit *from = &adoption->limits[i];

		r = bpf_map_lookup_elem(fd, &i, &limit);
		if (r < 0)
			break;
		limit.fair = fair_rate(from, limit.busy);
		r = bpf_map_update_elem(fd, &i, &limit, BPF_ANY);
	}
	return r;
}

int adopt_sockets(const char *dir, struct adoption *adoption, struct err *err)
{
	CLEANUP(adopt_bpf__destroyp) struct adopt_bpf *skel = NULL;
	CLEANUP(bpf_link__destroyp) struct bpf_link *link = NULL;
	uint32_t zero = 0, none = 0;
	int r;

	if (!adoption->walk.n_list || !adoption->n_places)
		return 0;
	if (load(dir, adoption, &skel, &link) < 0)
		return err_say(err, -EOPNOTSUPP,
			       "this kernel cannot pace connections that are "
			       "open already: what is above the limit drops");
	r = write_places(skel, adoption);
	if (r == 0)
		r = bpf_map_update_elem(bpf_map__fd(skel->maps.deaf), &zero,
					&none, BPF_ANY);
	if (r < 0)
		return err_set(err, r, "say which sockets to pace");
	skel->bss->slot = adoption->slot;
	r = netns_walk_run(&adoption->walk, link, err);
	if (r < 0)
		return r;
	r = write_fair(skel, adoption);
	if (r < 0)
		return err_set(err, r, "share a limit among open sockets");
	skel->bss->telling = true;
	return netns_walk_run(&adoption->walk, link, err);
}

int adopt_count_deaf(const char *dir, uint32_t *ret_count, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char maps[PATH_MAX];
	uint32_t zero = 0;
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = folder_find_pin(maps, "deaf", &fd, err);
	*ret_count = 0;
	if (r == 0 && fd >= 0)
		r = bpf_map_lookup_elem(fd, &zero, ret_count);
	return r < 0 ? err_set(err, r, "count the sockets that hear of nothing")
		     : 0;
}

int adopt_probe(void)
{
	CLEANUP(adopt_bpf__destroyp) struct adopt_bpf *skel = adopt_bpf__open();
	CLEANUP(log_end) struct log log;
	int r;

	log_begin(&log);
	if (!skel)
		return neg_errno();
	r = object_pin_nothing(skel->obj);
	return r < 0 ? r : adopt_bpf__load(skel);
}
