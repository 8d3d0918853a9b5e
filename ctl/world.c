/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/world.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/shares.h"
#include "ctl/veth_rows.h"

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

/* … and sets have names, of any that is there or comes to be. */
static int add_ifaces(struct world *world, struct image *image, struct err *err)
{
	struct netns_view *view;
	size_t i;
	int r;

	image_clear_ifaces(image);
	if (!image_wants_ifaces(image))
		return 0;
	r = world_netns(world, "", &view, err);
	for (i = 0; r == 0 && i < view->links.n_list; i++)
		r = image_add_iface(image, view->links.list[i].ifindex,
				    view->links.list[i].name);
	return r;
}

static int add_veths(const struct kernel *kernel, struct world *world,
		     struct image *image, struct err *err)
{
	struct netns_view *own;
	size_t i;
	int r;

	for (i = 0; i < image->n_groups; i++)
		if (image_group_wants_queue(image, i))
			break;
	if (i == image->n_groups)
		return 0;
	r = world_netns(world, "", &own, err);
	return r < 0 ? r
		     : veth_rows_add(kernel, own, image, &world->found, err);
}

int world_read(const struct kernel *kernel, struct image *image,
	       struct world *ret_world, struct err *err)
{
	CLEANUP(world_clear) struct world world = { 0 };
	int r;

	r = find_cgroups(kernel->mount, image, &world.found, err);
	world.needed = kernel_needs(kernel, image);
	if (r == 0 && world.needed)
		r = anchors_wanted(kernel->mount, image, &world.wanted, err);
	if (r == 0)
		r = resolve_ifaces(&world, image, err);
	if (r == 0)
		r = add_ifaces(&world, image, err);
	if (r == 0)
		r = add_veths(kernel, &world, image, err);
	if (r == 0)
		r = shares_fill(image, kernel->live, &world.found, err);
	if (r < 0)
		return r;
	*ret_world = world;
	world = (struct world){ 0 };
	return 0;
}
