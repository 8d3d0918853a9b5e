/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/scopes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "pins/folder.h"

void scopes_close(struct scopes *scopes)
{
	close_fdp(&scopes->scopes);
	close_fdp(&scopes->queued);
	close_fdp(&scopes->faults);
}

int scopes_open(const char *dir, struct scopes *ret_scopes, struct err *err)
{
	CLEANUP(scopes_close) struct scopes scopes = { -1, -1, -1 };
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = folder_open_pin(maps, "scopes", &scopes.scopes, err);
	if (r == 0)
		r = folder_open_pin(maps, "queued", &scopes.queued, err);
	if (r == 0)
		r = folder_open_pin(maps, "faults", &scopes.faults, err);
	if (r < 0)
		return r;
	*ret_scopes = scopes;
	scopes = (struct scopes){ -1, -1, -1 };
	return 0;
}

/* All zero where nothing was sent yet. */
static int read_scope(const struct scopes *scopes, uint32_t group_uid,
		      uint64_t cgroup, struct scope *ret_scope, struct err *err)
{
	struct scope_key key = { .cgroup = cgroup, .group_uid = group_uid };
	int r;

	*ret_scope = (struct scope){ 0 };
	r = bpf_map_lookup_elem_flags(scopes->scopes, &key, ret_scope,
				      BPF_F_LOCK);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read the state of a group");
	return 0;
}

int scopes_tally(const struct scopes *scopes, uint32_t group_uid,
		 uint64_t cgroup, struct tally *ret_out, struct tally *ret_in,
		 struct err *err)
{
	struct scope scope;
	int r;

	r = read_scope(scopes, group_uid, cgroup, &scope, err);
	if (r < 0)
		return r;
	*ret_out = scope.out_tally;
	*ret_in = scope.in_tally;
	return 0;
}

int scopes_pace(const struct scopes *scopes, uint32_t group_uid,
		uint64_t cgroup, struct pace *ret_pace, struct err *err)
{
	struct scope scope;
	int r;

	r = read_scope(scopes, group_uid, cgroup, &scope, err);
	if (r == 0)
		*ret_pace = scope.out;
	return r;
}

static bool is_found(const struct found_cgroups *found, uint32_t group,
		     uint64_t cgroup)
{
	size_t i;

	for (i = 0; i < found->n_list; i++)
		if (found->list[i].id == cgroup &&
		    found->list[i].group == group)
			return true;
	return false;
}

static bool peers_have(const struct image *image,
		       const struct peer_range *range, uint32_t uid)
{
	const struct peer_row *peer;
	size_t i;

	for (i = 0; (peer = image_peer(image, range, i)); i++)
		if (peer->uid == uid)
			return true;
	return false;
}

/* Whether the state is that of the group, or of one of its limits. */
static bool group_has(const struct image *image, const struct group_row *group,
		      uint32_t uid)
{
	return group->uid == uid || peers_have(image, &group->out_to, uid) ||
	       peers_have(image, &group->in_from, uid);
}

/* Two groups may have the same limits by address, at cgroups of their own. */
static bool is_needed(const struct scope_key *key, const struct image *image,
		      const struct found_cgroups *found)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (group_has(image, &image->groups[i], key->group_uid) &&
		    (!key->cgroup || is_found(found, i, key->cgroup)))
			return true;
	return false;
}

int scopes_tidy(const struct scopes *scopes, const struct image *image,
		const struct found_cgroups *found, struct err *err)
{
	struct scope_key key, next;
	int r;

	r = bpf_map_get_next_key(scopes->scopes, NULL, &next);
	while (r == 0) {
		key = next;
		r = bpf_map_get_next_key(scopes->scopes, &key, &next);
		if (!is_needed(&key, image, found))
			bpf_map_delete_elem(scopes->scopes, &key);
	}
	if (r != -ENOENT)
		return err_set(err, r, "tidy the state of groups");
	return 0;
}

static int compare_tallies(const void *va, const void *vb)
{
	const struct scope_key *a = &((const struct scope_tally *)va)->key;
	const struct scope_key *b = &((const struct scope_tally *)vb)->key;

	if (a->cgroup != b->cgroup)
		return a->cgroup < b->cgroup ? -1 : 1;
	return (a->group_uid > b->group_uid) - (a->group_uid < b->group_uid);
}

struct tally_list {
	struct scope_tally *list;
	size_t n_list;
};

/*
 * Behind one that is removed meanwhile the kernel begins anew: then the list
 * ends there, and the next one has the rest.
 */
static int list_scopes(const struct scopes *scopes, struct tally_list *list)
{
	struct scope_key key, *last = NULL;
	struct scope_tally *entry;
	struct scope scope;
	int r;

	while ((r = bpf_map_get_next_key(scopes->scopes, last, &key)) == 0) {
		last = &key;
		r = bpf_map_lookup_elem_flags(scopes->scopes, &key, &scope,
					      BPF_F_LOCK);
		if (r < 0)
			break;
		entry = ARRAY_ADD(list, list);
		if (!entry)
			return -ENOMEM;
		*entry = (struct scope_tally){ key, scope.out_tally,
					       scope.in_tally };
	}
	return r == -ENOENT ? 0 : r;
}

int scopes_list(const struct scopes *scopes, struct scope_tally **ret_list,
		size_t *ret_n, struct err *err)
{
	struct tally_list list = { 0 };
	int r = list_scopes(scopes, &list);

	if (r < 0) {
		free(list.list);
		return err_set(err, r, "list the state of groups");
	}
	if (list.n_list)
		qsort(list.list, list.n_list, sizeof(*list.list),
		      compare_tallies);
	*ret_list = list.list;
	*ret_n = list.n_list;
	return 0;
}

int scopes_set_queued(const struct scopes *scopes, uint64_t cgroup, bool queued,
		      struct err *err)
{
	uint32_t one = 1;
	int r;

	if (queued)
		r = bpf_map_update_elem(scopes->queued, &cgroup, &one, 0);
	else
		r = bpf_map_delete_elem(scopes->queued, &cgroup);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "note that a cgroup has a queue");
	return 0;
}

struct id_list {
	uint64_t *ids;
	size_t n_ids;
};

int scopes_list_queued(const struct scopes *scopes, uint64_t **ret_ids,
		       size_t *ret_n, struct err *err)
{
	struct id_list list = { 0 };
	uint64_t key, *entry;
	int r;

	r = bpf_map_get_next_key(scopes->queued, NULL, &key);
	while (r == 0) {
		entry = ARRAY_ADD(&list, ids);
		if (!entry) {
			free(list.ids);
			return err_set(err, -ENOMEM, "list queues");
		}
		*entry = key;
		r = bpf_map_get_next_key(scopes->queued, entry, &key);
	}
	if (r != -ENOENT) {
		free(list.ids);
		return err_set(err, r, "list queues");
	}
	*ret_ids = list.ids;
	*ret_n = list.n_ids;
	return 0;
}

int scopes_faults(const struct scopes *scopes, uint64_t ret_counts[FAULTS],
		  struct err *err)
{
	int cpus = libbpf_num_possible_cpus(), cpu, r;
	AUTO_FREE uint64_t *values = NULL;
	uint32_t i;

	if (cpus < 0)
		return err_set(err, cpus, "count processors");
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return err_set(err, -ENOMEM, "read faults");
	for (i = 0; i < FAULTS; i++) {
		r = bpf_map_lookup_elem(scopes->faults, &i, values);
		if (r < 0)
			return err_set(err, r, "read faults");
		ret_counts[i] = 0;
		for (cpu = 0; cpu < cpus; cpu++)
			ret_counts[i] += values[cpu];
	}
	return 0;
}
