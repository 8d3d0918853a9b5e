/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/adoption.h"

#include <stdio.h>

#include "base/array.h"
#include "cgroup/adopt.h"

/* Some packets of it, or all: the shaper is the group's. */
static bool is_paced(const struct image *image, const struct group_row *group)
{
	const struct peer_row *peer;
	size_t i;

	if (group->out.rate_bytes)
		return group->shape_out == SHAPE_PACE;
	for (i = 0; (peer = image_peer(image, &group->out_to, i)); i++)
		if (peer->shape == SHAPE_PACE)
			return true;
	return false;
}

/* Adds what is known of a limit at a cgroup; 0: at all of its group. */
static int add_limit(const struct kernel *kernel, uint64_t rate, uint32_t uid,
		     uint64_t cgroup, struct adoption *adoption,
		     struct err *err)
{
	struct adopted_limit *limit = ARRAY_ADD(adoption, limits);
	struct pace pace;
	int r;

	if (!limit)
		return err_set(err, -ENOMEM, "list limits");
	limit->rate = rate;
	r = scopes_pace(&kernel->scopes, uid, cgroup, &pace, err);
	if (r == 0)
		limit->users = pace.all;
	return r;
}

/* The group's own, then those by address. */
static int add_limits(const struct kernel *kernel, const struct image *image,
		      const struct group_row *group, uint64_t cgroup,
		      struct adoption *adoption, struct err *err)
{
	const struct peer_row *peer;
	size_t i;
	int r;

	r = add_limit(kernel, group->out.rate_bytes, group->uid, cgroup,
		      adoption, err);
	for (i = 0; r == 0 && (peer = image_peer(image, &group->out_to, i));
	     i++)
		r = add_limit(kernel, peer->limit.rate_bytes, peer->uid, cgroup,
			      adoption, err);
	return r;
}

/* The limit that holds at a cgroup that a group was found at. */
static int find_limit(const struct kernel *kernel, const struct image *image,
		      const struct found_cgroup *cgroup,
		      struct adoption *adoption, uint32_t *by_group,
		      struct err *err)
{
	const struct group_row *group = &image->groups[cgroup->group];
	uint32_t *index = &by_group[cgroup->group];

	if (group->share_all && *index)
		return 0;
	*index = adoption->n_limits + 1;
	return add_limits(kernel, image, group,
			  group->share_all ? 0 : cgroup->id, adoption, err);
}

/*
 * Notes a limit's cgroup, and where its sockets are if any are to be paced. The
 * same limit may hold for other addresses than until now.
 */
static int add_place(const struct kernel *kernel, const struct group_row *group,
		     const struct found_cgroup *cgroup, uint32_t index,
		     bool some_are_deaf, struct adoption *adoption,
		     struct err *err)
{
	struct adopted_place *place = ARRAY_ADD(adoption, places);
	char folder[PATH_MAX];

	if (!place)
		return err_set(err, -ENOMEM, "list cgroups");
	*place = (struct adopted_place){
		.cgroup = cgroup->id,
		.limit = index,
		.peers = group->out_to,
	};
	if (adoption->limits[index].users && !group->out_to.count &&
	    !some_are_deaf)
		return 0;
	snprintf(folder, sizeof(folder), "%s%s", kernel->mount, cgroup->path);
	return netns_walk_add(&adoption->walk, folder, err);
}

static int adoption_make(const struct kernel *kernel, const struct plan *plan,
			 bool some_are_deaf, struct adoption *adoption,
			 struct err *err)
{
	const struct found_cgroups *found = &plan->world.found;
	const struct image *image = plan->image;
	/* Index of a group's limit, and one. */
	AUTO_FREE uint32_t *by_group = NULL;
	size_t i;
	int r = 0;

	by_group = calloc(image->n_groups + 1, sizeof(*by_group));
	if (!by_group)
		return err_set(err, -ENOMEM, "list limits");
	for (i = 0; r == 0 && i < found->n_list; i++) {
		const struct found_cgroup *cgroup = &found->list[i];

		const struct group_row *group = &image->groups[cgroup->group];

		if (!is_paced(image, group))
			continue;
		r = find_limit(kernel, image, cgroup, adoption, by_group, err);
		if (r == 0)
			r = add_place(kernel, group, cgroup,
				      by_group[cgroup->group] - 1,
				      some_are_deaf, adoption, err);
	}
	return r;
}

int adoption_carry_out(const struct kernel *kernel, const struct plan *plan,
		       struct err *err)
{
	CLEANUP(adoption_clear) struct adoption adoption = { 0 };
	uint32_t n_deaf;
	int r;

	r = adopt_count_deaf(kernel->places->bpffs, &n_deaf, err);
	if (r < 0 || (!n_deaf && !plan->writes_tables))
		return r;
	adoption.slot = (kernel->generation + plan->writes_tables) & 1;
	r = adoption_make(kernel, plan, n_deaf, &adoption, err);
	if (r == 0)
		r = adopt_sockets(kernel->places->bpffs, &adoption, err);
	return r == -EOPNOTSUPP ? 0 : r;
}
