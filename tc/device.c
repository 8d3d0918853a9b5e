/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/device.h"

#include <stdio.h>
#include <string.h>

#include "netlink/foreign.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

void device_ifb_name(uint32_t ifindex, char ret_name[static IFNAMSIZ])
{
	snprintf(ret_name, IFNAMSIZ, "weir%u", ifindex);
}

bool device_is_ifb(const struct link *link)
{
	return strcmp(link->kind, "ifb") == 0 &&
	       link->group == DEVICE_IFB_GROUP;
}

uint8_t device_root_shape(const struct qdisc *root)
{
	if (root->handle == DEVICE_MAJOR && strcmp(root->kind, "htb") == 0)
		return SHAPE_HTB;
	if (root->handle == DEVICE_MAJOR_FQ && strcmp(root->kind, "fq") == 0)
		return SHAPE_EDT;
	return SHAPE_NONE;
}

static bool is_foreign_root(const struct qdisc *root)
{
	return root && device_root_shape(root) == SHAPE_NONE &&
	       !qdisc_is_default(root);
}

bool device_has_foreign_root(const struct netns_view *view, uint32_t ifindex)
{
	return is_foreign_root(qdiscs_root(&view->qdiscs, ifindex));
}

static int read_classes(const struct netns_view *view, const struct link *link,
			uint32_t index, struct device_side *side,
			struct err *err)
{
	struct classes classes = { 0 };
	int turn, r;

	r = classes_read(view->conn, link, &classes, err);
	if (r < 0)
		return r;
	for (turn = 0; turn < 2; turn++)
		device_class_find(&classes, DEVICE_CLASS(index, turn),
				  &side->turn[turn]);
	classes_clear(&classes);
	return 0;
}

static int read_root(const struct netns_view *view, uint32_t index,
		     struct device_have *have, struct err *err)
{
	const struct qdisc *root =
		qdiscs_root(&view->qdiscs, have->link.ifindex);

	if (!root || qdisc_is_default(root))
		return 0;
	have->shape = device_root_shape(root);
	if (is_foreign_root(root)) {
		have->root = ROOT_FOREIGN;
		have->foreign = *root;
		return 0;
	}
	have->root = ROOT_OURS;
	have->root_stats = root->stats;
	have->side[SIDE_OUT].has_root = true;
	if (have->shape != SHAPE_HTB)
		return 0;
	return read_classes(view, &have->link, index, &have->side[SIDE_OUT],
			    err);
}

static int read_ifb(const struct netns_view *view, uint32_t index,
		    struct device_have *have, struct err *err)
{
	const struct qdisc *root;
	char name[IFNAMSIZ];
	const struct link *ifb;

	device_ifb_name(have->link.ifindex, name);
	ifb = links_by_name(&view->links, name);
	if (!ifb || !device_is_ifb(ifb))
		return 0;
	have->ifb = *ifb;
	root = qdiscs_root(&view->qdiscs, ifb->ifindex);
	if (!root || device_root_shape(root) != SHAPE_HTB)
		return 0;
	/* One that is down has to be made sure of again. */
	have->side[SIDE_IN].has_root = ifb->flags & IFF_UP;
	return read_classes(view, ifb, index, &have->side[SIDE_IN], err);
}

static void keep_filter(const struct filters *filters, int side,
			struct device_side *have)
{
	const struct filter *filter =
		filters_find(filters, side == SIDE_IN ? HOOK_IN : HOOK_OUT,
			     DEVICE_PRIORITY, DEVICE_HANDLE);

	have->has_filter = filter != NULL;
	if (!filter)
		return;
	have->filter_program = filter->program;
	have->filter_index = filter->classid;
}

/* Without its filter, of this very ifb and index, an ifb is not whole. */
static bool keep_waiting(const struct filters *filters,
			 const struct loader *loader, uint32_t index,
			 struct device_have *have)
{
	const struct filter *filter =
		filters_find(filters, HOOK_IN, DEVICE_WAITING, DEVICE_HANDLE);

	if (!filter || filter->redirect != have->ifb.ifindex ||
	    filter->classid != index ||
	    filter->program != loader->program_id[PROGRAM_WAIT])
		have->side[SIDE_IN].has_root = false;
	return filter;
}

static int read_filters(const struct netns_view *view,
			const struct loader *loader, uint32_t index,
			struct device_have *have, struct err *err)
{
	const struct qdisc *clsact =
		qdiscs_clsact(&view->qdiscs, have->link.ifindex);
	struct filters filters = { 0 };
	int r;

	if (!clsact) {
		have->side[SIDE_IN].has_root = false;
		return 0;
	}
	have->has_clsact = strcmp(clsact->kind, "clsact") == 0;
	have->has_ingress = !have->has_clsact;
	r = filters_read(view->conn, &have->link, &filters, err);
	if (r < 0)
		return r;
	keep_filter(&filters, SIDE_IN, &have->side[SIDE_IN]);
	keep_filter(&filters, SIDE_OUT, &have->side[SIDE_OUT]);
	have->foreign_filters = filters.n_list -
				have->side[SIDE_IN].has_filter -
				have->side[SIDE_OUT].has_filter -
				keep_waiting(&filters, loader, index, have) -
				device_keep_waits(&filters, have);
	filters_clear(&filters);
	return 0;
}

int device_read(const struct netns_view *view, const struct loader *loader,
		const char *name, uint32_t index, struct device_have *ret_have,
		struct err *err)
{
	const struct link *link = links_by_name(&view->links, name);
	struct device_have have = { 0 };
	int r;

	if (!link)
		return err_say(err, -ENODEV, "device '%s': no such device",
			       name);
	have.link = *link;
	r = mark_read(loader, view->id, link->ifindex, &have.mark, err);
	if (index == 0)
		index = have.mark.index;
	if (r == 0)
		r = read_root(view, index, &have, err);
	if (r == 0)
		r = read_ifb(view, index, &have, err);
	if (r == 0)
		r = read_filters(view, loader, index, &have, err);
	if (r < 0)
		return r;
	*ret_have = have;
	return 0;
}

/* What a takeover left that was killed before it touched the original. */
static int forget_foreign(const struct device *device, struct err *err)
{
	char path[PATH_MAX];

	mark_saved_path(device->state_dir, device->view->id,
			device->link.ifindex, path);
	return foreign_forget(device->view->conn, device->link.ifindex, path,
			      DEVICE_IFB_GROUP, err);
}

int device_remove(const struct device *device, struct err *err)
{
	int r;

	r = device_remove_waits(device, 0, err);
	if (r == 0)
		r = device_remove_filter(device, SIDE_IN, err);
	if (r == 0)
		r = device_remove_filter(device, SIDE_OUT, err);
	if (r == 0)
		r = device_remove_root(device, err);
	if (r == 0)
		r = device_remove_ifb(device, err);
	if (r == 0)
		r = forget_foreign(device, err);
	/* A pool is ours as a whole. */
	if (r == 0 && device_is_any_pool(&device->link))
		r = link_remove(device->view->conn, &device->link, err);
	if (r == 0)
		r = mark_remove(device->loader, device->view->id,
				device->link.ifindex, err);
	return r;
}
