/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/world.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "tc/container.h"

void world_clear(struct world *world)
{
	size_t i;

	found_cgroups_clear(&world->found);
	anchors_clear(&world->wanted);
	for (i = 0; i < world->n_netns; i++) {
		free(world->netns[i].name);
		netns_view_closep(&world->netns[i].view);
	}
	free(world->netns);
	*world = (struct world){ 0 };
}

/* Takes view over, also on failure. */
static int keep_netns(struct world *world, const char *name,
		      struct netns_view *view, struct netns_view **ret_view,
		      struct err *err)
{
	CLEANUP(netns_view_closep) struct netns_view *owned = view;
	AUTO_FREE char *copy = name ? strdup(name) : NULL;
	struct world_netns *netns;

	netns = copy || !name ? ARRAY_ADD(world, netns) : NULL;
	if (!netns)
		return err_set(err, -ENOMEM, "look at a network namespace");
	netns->name = TAKE_PTR(copy);
	netns->view = TAKE_PTR(owned);
	*ret_view = view;
	return 0;
}

int world_netns(struct world *world, const char *name,
		struct netns_view **ret_view, struct err *err)
{
	struct netns_view *view = NULL;
	size_t i;
	int r;

	for (i = 0; i < world->n_netns; i++) {
		const struct world_netns *netns = &world->netns[i];

		if (!netns->name || strcmp(netns->name, name) != 0)
			continue;
		*ret_view = netns->view;
		return 0;
	}
	r = netns_view_open(*name ? name : NULL, &view, err);
	return r < 0 ? r : keep_netns(world, name, view, ret_view, err);
}

int world_netns_by_id(struct world *world, const char *name, uint64_t id,
		      struct netns_view **ret_view, struct err *err)
{
	struct netns_view *view = NULL;
	struct err ignored;
	size_t i;
	int r;

	world_netns(world, name, &view, &ignored);
	for (i = 0; i < world->n_netns; i++) {
		if (world->netns[i].view->id != id)
			continue;
		*ret_view = world->netns[i].view;
		return 0;
	}
	r = netns_view_open_id(id, &view, err);
	return r < 0 ? r : keep_netns(world, NULL, view, ret_view, err);
}

/* Rules name interfaces of our own namespace; one that is not there is 0. */
static int resolve_ifaces(struct world *world, struct image *image,
			  struct err *err)
{
	struct netns_view *view;
	size_t i;
	int r;

	for (i = 0; i < image->n_rules; i++) {
		struct rule_row *rule = &image->rules[i];
		const struct link *link;

		if (!(rule->looks & LOOK_IFINDEX))
			continue;
		r = world_netns(world, "", &view, err);
		if (r < 0)
			return r;
		link = links_by_name(&view->links,
				     image_string(image, rule->iface));
		rule->ifindex = link ? link->ifindex : 0;
	}
	return 0;
}

/* ------------------------------------------------- containers' veths */

/* A row that neither this image nor the live one uses; index 0 is none. */
static int free_device(struct image *image, const struct image *live,
		       uint32_t *ret_index)
{
	uint32_t index;

	for (index = 1; index < DEVICES_MAX; index++) {
		if (index < image->n_devices && image->devices[index].in_use)
			continue;
		if (index < live->n_devices && live->devices[index].in_use)
			continue;
		while (image->n_devices <= index)
			if (!ARRAY_ADD(image, devices))
				return -ENOMEM;
		*ret_index = index;
		return 0;
	}
	return -ENOSPC;
}

/*
 * The row that the live image has for this veth; 0 if none.  One of the same
 * number is the same as long as its name or its container is: both change
 * where a device of that number was made anew.
 */
static uint32_t live_veth(const struct image *live,
			  const struct container_veth *veth, uint64_t cgroup)
{
	uint32_t i;

	for (i = 1; i < live->n_devices; i++) {
		const struct device_row *device = &live->devices[i];

		if (device->in_use && device->group != NONE &&
		    device->ifindex == veth->ifindex &&
		    (device->cgroup == cgroup ||
		     strcmp(image_string(live, device->name), veth->name) == 0))
			return i;
	}
	return 0;
}

/* Whether some row of the image is this device already. */
static bool is_taken(const struct image *image, uint32_t ifindex,
		     const char *name)
{
	size_t i;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *device = &image->devices[i];

		if (device->in_use && !*image_string(image, device->netns) &&
		    (device->ifindex == ifindex ||
		     strcmp(image_string(image, device->name), name) == 0))
			return true;
	}
	return false;
}

/*
 * The name may be there already, from the veth's row in force: a policy that
 * is applied again and again must not grow.
 */
static int name_veth(struct image *image, const char *name, str_off *ret_off)
{
	const char *at = image->strings, *end = at + image->n_strings;

	while (at < end) {
		if (strcmp(at, name) == 0) {
			*ret_off = at - image->strings;
			return 0;
		}
		at += strlen(at) + 1;
	}
	return image_add_string(image, name, ret_off);
}

static int add_veth(struct image *image, const struct image *live,
		    const struct found_cgroup *cgroup,
		    const struct container_veth *veth)
{
	const struct group_row *group = &image->groups[cgroup->group];
	uint32_t index = live_veth(live, veth, cgroup->id);
	struct device_row *row;
	str_off name;
	int r;

	r = name_veth(image, veth->name, &name);
	if (r < 0)
		return r;
	while (index && image->n_devices <= index)
		if (!ARRAY_ADD(image, devices))
			return -ENOMEM;
	if (!index) {
		r = free_device(image, live, &index);
		if (r < 0)
			return r;
	}
	row = &image->devices[index];
	*row = (struct device_row){
		.in_use = 1,
		.ifindex = veth->ifindex,
		.chain_out = NONE,
		.chain_in = NONE,
		.group = cgroup->group,
		.cgroup = cgroup->id,
		.out = group->in,
		.line = group->line,
		.file = group->file,
		.name = name,
	};
	return 0;
}

static int add_veths(const struct kernel *kernel, struct image *image,
		     const struct found_cgroups *found, struct err *err)
{
	CLEANUP(container_finder_freep) struct container_finder *finder = NULL;
	size_t i, j;
	int r;

	for (i = 0; i < found->n_list; i++) {
		CLEANUP(container_clear) struct container container = { 0 };
		const struct found_cgroup *cgroup = &found->list[i];
		char path[PATH_MAX];

		if (!image_group_wants_queue(image, cgroup->group) ||
		    find_is_disputed(image, found, i))
			continue;
		if (!finder) {
			r = container_finder_new(&finder, err);
			if (r < 0)
				return r;
		}
		snprintf(path, sizeof(path), "%s%s", kernel->mount,
			 cgroup->path);
		r = container_find(finder, path, &container, err);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return err_wrap(err, r, "cgroup '%s'", cgroup->path);
		for (j = 0; j < container.n_veths; j++) {
			const struct container_veth *veth = &container.veths[j];

			if (is_taken(image, veth->ifindex, veth->name))
				continue;
			r = add_veth(image, kernel->live, cgroup, veth);
			if (r < 0)
				return err_set(err, r, "device '%s'",
					       veth->name);
		}
	}
	return 0;
}

int world_read(const struct kernel *kernel, struct image *image,
	       struct world *ret_world, struct err *err)
{
	CLEANUP(world_clear) struct world world = { 0 };
	int r;

	r = find_cgroups(kernel->mount, image, &world.found, err);
	if (r == 0)
		r = anchors_wanted(kernel->mount, image, &world.wanted, err);
	if (r == 0)
		r = resolve_ifaces(&world, image, err);
	if (r == 0)
		r = add_veths(kernel, image, &world.found, err);
	if (r < 0)
		return r;
	*ret_world = world;
	world = (struct world){ 0 };
	return 0;
}
