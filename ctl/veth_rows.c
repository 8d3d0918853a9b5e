/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/veth_rows.h"

#include <string.h>

#include "base/array.h"
#include "ctl/veth_claims.h"
#include "tc/device.h"

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
		*ret_index = index;
		return 0;
	}
	return -ENOSPC;
}

/*
 * The row that the live image has for this veth; 0 if none.  One of the same
 * number is the same as long as its name or its container is: both change
 * where a device of that number was made anew.  It may have been one that the
 * policy named: its filter says one index, and with another in force there the
 * packets would meet no limit until the switch.
 */
static uint32_t live_veth(const struct image *live,
			  const struct container_veth *veth,
			  const struct veth_limit *limit)
{
	uint32_t i;

	for (i = 1; i < live->n_devices; i++) {
		const struct device_row *device = &live->devices[i];

		if (device->in_use && device->ifindex == veth->ifindex &&
		    !*image_string(live, device->netns) &&
		    ((device->cgroup && device->cgroup == limit->cgroup) ||
		     strcmp(image_string(live, device->name), veth->name) == 0))
			return i;
	}
	return 0;
}

/* The row of the live image that is the pool of the same limit; 0 if none. */
static uint32_t live_pool(const struct image *live, uint32_t group_uid,
			  uint64_t cgroup)
{
	uint32_t i;

	for (i = 1; i < live->n_devices; i++) {
		const struct device_row *device = &live->devices[i];

		if (device->in_use && device->flags & DEVICE_POOL &&
		    device->group < live->n_groups &&
		    live->groups[device->group].uid == group_uid &&
		    device->cgroup == cgroup)
			return i;
	}
	return 0;
}

/*
 * The name may be there already, from the veth's row in force: a policy that
 * is applied again and again must not grow.
 */
static int name_device(struct image *image, const char *name, str_off *ret_off)
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

/* index: of the row in force, or 0; NULL where there is no room. */
static struct device_row *add_row(struct image *image, const struct image *live,
				  const struct veth_limit *limit,
				  uint32_t *index)
{
	const struct group_row *group = &image->groups[limit->group];
	struct device_row *row;

	if (!*index && free_device(image, live, index) < 0)
		return NULL;
	while (image->n_devices <= *index)
		if (!ARRAY_ADD(image, devices))
			return NULL;
	row = &image->devices[*index];
	*row = (struct device_row){
		.in_use = 1,
		.chain_out = NONE,
		.chain_in = NONE,
		.group = limit->group,
		.cgroup = limit->cgroup,
		.out = group->in,
		.shape_out = group->shape_in,
		.flags = limit->mixed ? DEVICE_MIXED : 0,
		.line = group->line,
		.file = group->file,
	};
	return row;
}

static int add_pool(const struct kernel *kernel, struct image *image,
		    struct veth_limit *limit)
{
	const struct group_row *group = &image->groups[limit->group];
	char name[IFNAMSIZ];
	struct device_row *row;

	limit->index = live_pool(kernel->live, group->uid, limit->cgroup);
	row = add_row(image, kernel->live, limit, &limit->index);
	if (!row)
		return -ENOSPC;
	row->flags |= DEVICE_POOL;
	row->shape_out = SHAPE_HTB;
	device_pool_name(kernel->places->bpffs, limit->index, name);
	return name_device(image, name, &row->name);
}

static int add_pools(const struct kernel *kernel, struct image *image,
		     struct veth_claims *claims)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < claims->n_places; i++) {
		size_t pool = claims->places[i].pool;

		if (pool != NONE_HERE && !claims->limits[pool].index)
			r = add_pool(kernel, image, &claims->limits[pool]);
	}
	return r;
}

static int add_veth(const struct kernel *kernel, struct image *image,
		    const struct veth_claims *claims,
		    const struct veth_place *place)
{
	bool has_own = place->own != NONE_HERE;
	const struct veth_limit *limit =
		&claims->limits[has_own ? place->own : place->pool];
	uint32_t index = live_veth(kernel->live, place->veth, limit);
	struct device_row *row = add_row(image, kernel->live, limit, &index);

	if (!row)
		return -ENOSPC;
	row->ifindex = place->veth->ifindex;
	if (!has_own) {
		row->out = (struct limit_row){ 0 };
		row->shape_out = SHAPE_NONE;
	}
	if (place->pool != NONE_HERE)
		row->pool = claims->limits[place->pool].index;
	return name_device(image, place->veth->name, &row->name);
}

int veth_rows_add(const struct kernel *kernel, const struct netns_view *view,
		  struct image *image, struct found_cgroups *found,
		  struct err *err)
{
	CLEANUP(veth_claims_clear) struct veth_claims claims = { 0 };
	size_t i;
	int r;

	r = veth_claims_read(kernel->mount, view, image, found, &claims, err);
	if (r < 0)
		return r;
	r = add_pools(kernel, image, &claims);
	if (r < 0)
		return err_set(err, r, "make queues that veths share");
	for (i = 0; i < claims.n_places; i++) {
		r = add_veth(kernel, image, &claims, &claims.places[i]);
		if (r < 0)
			return err_set(err, r, "device '%s'",
				       claims.places[i].veth->name);
	}
	return 0;
}
