/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way that a packet takes, and the chains on it. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/explain.h"
#include "netlink/route.h"
#include "rules/adhoc.h"

void explanation_clear(struct explanation *explanation)
{
	found_cgroups_clear(&explanation->found);
	free(explanation->chains);
	*explanation = (struct explanation){ 0 };
}

/* ------------------------------------------------------------ the way */

/*
 * The interface and the host's own address, where the words do not name them:
 * those that the other side is reached by.  Without a way they stay open.
 */
static int follow_route(struct explanation *explanation, struct err *err)
{
	CLEANUP(conn_closep) struct conn *conn = NULL;
	struct sample *sample = &explanation->sample;
	struct sample_end *own, *other;
	struct route route;
	struct err ignored;
	int r;

	own = explanation->is_out ? &sample->src : &sample->dst;
	other = explanation->is_out ? &sample->dst : &sample->src;
	if (!other->has_address || (own->has_address && sample->iface[0]))
		return 0;
	r = conn_open(-1, &conn, err);
	if (r < 0)
		return r;
	if (route_find(conn, &other->address, &route, &ignored) < 0)
		return 0;
	if (!own->has_address && route.has_src) {
		own->address = route.src;
		own->has_address = true;
	}
	if (!sample->iface[0] && !if_indextoname(route.ifindex, sample->iface))
		sample->iface[0] = '\0';
	return 0;
}

static int find_interface(struct explanation *explanation, struct err *err)
{
	const char *name = explanation->sample.iface;

	explanation->ifindex = *name ? if_nametoindex(name) : NONE;
	if (explanation->ifindex == 0)
		return err_say(err, -ENODEV, "there is no interface '%s' here",
			       name);
	return 0;
}

/* -------------------------------------------------------- the chains */

static int meet(struct explanation *explanation, uint32_t group,
		uint32_t device, const char *path, uint32_t chain,
		struct err *err)
{
	struct met_chain *met;

	if (chain >= explanation->image->n_chains)
		return 0;
	met = ARRAY_ADD(explanation, chains);
	if (!met)
		return err_set(err, -ENOMEM, "explain");
	met->group = group;
	met->device = device;
	met->path = path;
	met->chain = chain;
	return 0;
}

static int meet_group(struct explanation *explanation, uint32_t group,
		      const char *path, struct err *err)
{
	const struct group_row *row = &explanation->image->groups[group];

	return meet(explanation, group, NONE, path,
		    explanation->is_out ? row->chain_out : row->chain_in, err);
}

static int meet_device(struct explanation *explanation, uint32_t device,
		       struct err *err)
{
	const struct device_row *row = &explanation->image->devices[device];

	return meet(explanation, NONE, device, NULL,
		    explanation->is_out ? row->chain_out : row->chain_in, err);
}

static bool is_ours(const struct image *image, const struct device_row *row)
{
	return row->in_use && row->group == NONE &&
	       !*image_string(image, row->netns);
}

/* That of the interface, if the policy has it. */
static int meet_interface(struct explanation *explanation, struct err *err)
{
	const struct image *image = explanation->image;
	uint32_t i;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *row = &image->devices[i];

		if (is_ours(image, row) &&
		    strcmp(image_string(image, row->name),
			   explanation->sample.iface) == 0)
			return meet_device(explanation, i, err);
	}
	return 0;
}

/* Whether a cgroup is path, or lies above it. */
static bool is_above(const char *above, const char *path)
{
	size_t n = strlen(above);

	return strncmp(above, path, n) == 0 && (!path[n] || path[n] == '/');
}

/* All that hold for the cgroup, from the root down: the list is by path. */
static int meet_groups(struct explanation *explanation, struct err *err)
{
	const struct found_cgroups *found = &explanation->found;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < found->n_list; i++)
		if (is_above(found->list[i].path, explanation->cgroup))
			r = meet_group(explanation, found->list[i].group,
				       found->list[i].path, err);
	return r;
}

/* ------------------------------------------------------- the target */

/* A cgroup of the group, and how many more there are. */
static void choose_cgroup(struct explanation *explanation, size_t group)
{
	const struct found_cgroups *found = &explanation->found;
	size_t i;

	for (i = 0; i < found->n_list; i++) {
		if (found->list[i].group != group)
			continue;
		if (explanation->cgroup)
			explanation->n_others++;
		else
			explanation->cgroup = found->list[i].path;
	}
}

/* group: NONE, or the one that is meant where none of its cgroups is there. */
static int meet_in_order(struct explanation *explanation, uint32_t group,
			 struct err *err)
{
	int r = follow_route(explanation, err);

	if (r == 0)
		r = find_interface(explanation, err);
	if (r == 0 && !explanation->is_out)
		r = meet_interface(explanation, err);
	if (r == 0 && explanation->cgroup)
		r = meet_groups(explanation, err);
	else if (r == 0 && group != NONE)
		r = meet_group(explanation, group, NULL, err);
	if (r == 0 && explanation->is_out)
		r = meet_interface(explanation, err);
	return r;
}

int explain_meet_cgroup(struct explanation *explanation, const char *mount,
			const char *path, struct err *err)
{
	int r = find_cgroups(mount, explanation->image, &explanation->found,
			     err);

	explanation->cgroup = path;
	return r < 0 ? r : meet_in_order(explanation, NONE, err);
}

static int meet_of_device(struct explanation *explanation, uint32_t device,
			  struct err *err)
{
	const struct image *image = explanation->image;
	const struct device_row *row = &image->devices[device];
	const char *name = image_string(image, row->name);
	struct sample *sample = &explanation->sample;

	if (sample->iface[0] && strcmp(sample->iface, name) != 0)
		return err_say(err, -EINVAL,
			       "device '%s' sees nothing of interface '%s'",
			       name, sample->iface);
	snprintf(sample->iface, sizeof(sample->iface), "%s", name);
	explanation->ifindex = row->ifindex ? row->ifindex : NONE;
	return meet_device(explanation, device, err);
}

static uint32_t find_device(const struct image *image, const char *name)
{
	uint32_t i;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *row = &image->devices[i];

		if (row->in_use && row->group == NONE &&
		    strcmp(image_string(image, row->name), name) == 0)
			return i;
	}
	return NONE;
}

int explain_meet(struct explanation *explanation, const char *mount,
		 const char *target, struct err *err)
{
	uint32_t device = find_device(explanation->image, target);
	struct err no_group;
	size_t group;
	int r;

	explanation->target = target;
	r = adhoc_find_target(explanation->image, target, &group, &no_group);
	if (r == -ENOENT && device != NONE)
		return meet_of_device(explanation, device, err);
	if (r == -ENOENT)
		return err_say(err, r,
			       "there is no group or device '%.80s' in force",
			       target);
	if (r == 0)
		r = find_cgroups(mount, explanation->image, &explanation->found,
				 err);
	else
		*err = no_group;
	if (r < 0)
		return r;
	if (*target == '/')
		explanation->cgroup = target;
	else
		choose_cgroup(explanation, group);
	return meet_in_order(explanation, group, err);
}
