/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/adoption.h"

#include <stdio.h>

#include "base/array.h"
#include "cgroup/adopt.h"

static bool is_paced(const struct group_row *group)
{
	return group->out.rate_bytes && group->shape_out == SHAPE_PACE;
}

/* Adds what is known of the limit of a group at a cgroup; 0: at all of its. */
static int add_limit(const struct kernel *kernel, const struct group_row *group,
		     uint64_t cgroup, struct adoption *adoption,
		     struct err *err)
{
	struct adopted_limit *limit = ARRAY_ADD(adoption, limits);
	struct pace pace;
	int r;

	if (!limit)
		return err_set(err, -ENOMEM, "list limits");
	limit->rate = group->out.rate_bytes;
	r = scopes_pace(&kernel->scopes, group->uid, cgroup, &pace, err);
	if (r == 0)
		limit->users = pace.all;
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
	return add_limit(kernel, group, group->share_all ? 0 : cgroup->id,
			 adoption, err);
}

/* Notes a limit's cgroup, and where its sockets are if any are to be paced. */
static int add_place(const struct kernel *kernel,
		     const struct found_cgroup *cgroup, uint32_t index,
		     bool some_are_deaf, struct adoption *adoption,
		     struct err *err)
{
	struct adopted_place *place = ARRAY_ADD(adoption, places);
	char folder[PATH_MAX];

	if (!place)
		return err_set(err, -ENOMEM, "list cgroups");
	*place = (struct adopted_place){ .cgroup = cgroup->id, .limit = index };
	if (adoption->limits[index].users && !some_are_deaf)
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

		if (!is_paced(&image->groups[cgroup->group]))
			continue;
		r = find_limit(kernel, image, cgroup, adoption, by_group, err);
		if (r == 0)
			r = add_place(kernel, cgroup,
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
	r = adoption_make(kernel, plan, n_deaf, &adoption, err);
	if (r == 0)
		r = adopt_sockets(kernel->places->bpffs, &adoption, err);
	return r == -EOPNOTSUPP ? 0 : r;
}
