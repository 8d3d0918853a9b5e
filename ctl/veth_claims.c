/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/veth_claims.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

void veth_claims_clear(struct veth_claims *claims)
{
	free(claims->list);
	free(claims->limits);
	free(claims->places);
	*claims = (struct veth_claims){ 0 };
}

/* ------------------------------------------------------------- reading */

/* Whether the policy names this device itself. */
static bool is_taken(const struct image *image,
		     const struct container_veth *veth)
{
	size_t i;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *device = &image->devices[i];

		if (device->in_use && !*image_string(image, device->netns) &&
		    (device->ifindex == veth->ifindex ||
		     strcmp(image_string(image, device->name), veth->name) ==
			     0))
			return true;
	}
	return false;
}

/* The limit of a group at a cgroup that it was found at. */
static int limit_of(struct veth_claims *claims, const struct image *image,
		    const struct found_cgroup *cgroup, size_t *ret_limit)
{
	struct veth_limit limit = {
		.group = cgroup->group,
		.cgroup = image->groups[cgroup->group].share_all ? 0
								 : cgroup->id,
	};
	struct veth_limit *place;
	size_t i;

	for (i = claims->n_limits; i-- > 0;) {
		*ret_limit = i;
		if (claims->limits[i].group == limit.group &&
		    claims->limits[i].cgroup == limit.cgroup)
			return 0;
	}
	*ret_limit = claims->n_limits;
	place = ARRAY_ADD(claims, limits);
	if (!place)
		return -ENOMEM;
	*place = limit;
	return 0;
}

static int add_claims(struct veth_claims *claims, const struct netns_view *view,
		      const struct image *image,
		      const struct found_cgroups *found, size_t cgroup,
		      const struct container *container)
{
	size_t limit, i;
	int r;

	r = limit_of(claims, image, &found->list[cgroup], &limit);
	if (r < 0)
		return r;
	if (container->n_host || container->has_other_way ||
	    container->truncated)
		claims->limits[limit].mixed = true;
	for (i = 0; i < container->n_veths; i++) {
		struct veth_claim *claim;

		if (is_taken(image, &container->veths[i])) {
			claims->limits[limit].mixed = true;
			continue;
		}
		claim = ARRAY_ADD(claims, list);
		if (!claim)
			return -ENOMEM;
		claim->veth = container->veths[i];
		claim->cgroup = cgroup;
		claim->limit = limit;
		claim->is_foreign =
			device_has_foreign_root(view, claim->veth.ifindex);
	}
	return 0;
}

static int read_claims(const char *mount, const struct netns_view *view,
		       const struct image *image, struct found_cgroups *found,
		       struct veth_claims *claims, struct err *err)
{
	CLEANUP(container_finder_freep) struct container_finder *finder = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < found->n_list; i++) {
		CLEANUP(container_clear) struct container container = { 0 };
		struct found_cgroup *cgroup = &found->list[i];
		char path[PATH_MAX];

		if (!image_group_wants_queue(image, cgroup->group) ||
		    find_is_disputed(image, found, i))
			continue;
		if (!finder)
			r = container_finder_new(&finder, err);
		if (r < 0)
			return r;
		snprintf(path, sizeof(path), "%s%s", mount, cgroup->path);
		r = container_find(finder, path, &container, err);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0)
			return err_wrap(err, r, "cgroup '%s'", cgroup->path);
		cgroup->on_host = container.n_host > 0;
		cgroup->is_behind = container.n_veths > 0 ||
				    container.has_other_way ||
				    container.truncated;
		if (add_claims(claims, view, image, found, i, &container) < 0)
			return err_set(err, -ENOMEM, "look for containers");
	}
	return 0;
}

/* ------------------------------------------------------------- placing */

/* Claims to one veth, by path. */
struct rivals {
	const struct veth_claim *list;
	size_t n_list;
	const struct found_cgroups *found;
};

static const char *path_of(const struct rivals *rivals, size_t i)
{
	return rivals->found->list[rivals->list[i].cgroup].path;
}

static bool is_above(const char *path, const char *other)
{
	size_t length = strlen(path);

	return strncmp(path, other, length) == 0 &&
	       (other[length] == '/' || strcmp(path, "/") == 0);
}

/* The first cgroup that has none of the others below it. */
static size_t innermost(const struct rivals *rivals)
{
	size_t i, j;

	for (i = 0; i < rivals->n_list; i++) {
		for (j = i + 1; j < rivals->n_list; j++)
			if (is_above(path_of(rivals, i), path_of(rivals, j)))
				break;
		if (j >= rivals->n_list)
			return i;
	}
	return 0;
}

/* The next one above it with another limit; n_list: there is none. */
static size_t next_above(const struct rivals *rivals, size_t inner)
{
	size_t i;

	for (i = inner; i-- > 0;)
		if (rivals->list[i].limit != rivals->list[inner].limit &&
		    is_above(path_of(rivals, i), path_of(rivals, inner)))
			return i;
	return rivals->n_list;
}

/* Whether a claim before this one is of the same limit. */
static bool is_repeated(const struct rivals *rivals, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (rivals->list[j].limit == rivals->list[i].limit)
			return true;
	return false;
}

static void count(struct veth_claims *claims, const struct rivals *rivals)
{
	size_t i;

	for (i = 0; i < rivals->n_list; i++)
		if (!is_repeated(rivals, i))
			claims->limits[rivals->list[i].limit].n_veths++;
}

static int place(struct veth_claims *claims, const struct rivals *rivals)
{
	struct veth_place *place = ARRAY_ADD(claims, places);
	size_t inner = innermost(rivals), outer = next_above(rivals, inner), i;
	size_t limit = rivals->list[inner].limit;

	if (!place)
		return -ENOMEM;
	place->veth = &rivals->list->veth;
	place->own = place->pool = NONE_HERE;
	if (claims->limits[limit].n_veths > 1 || rivals->list->is_foreign) {
		place->pool = limit;
	} else {
		place->own = limit;
		if (outer < rivals->n_list)
			place->pool = rivals->list[outer].limit;
	}
	for (i = 0; i < rivals->n_list; i++) {
		limit = rivals->list[i].limit;
		if (limit != place->own && limit != place->pool)
			claims->limits[limit].mixed = true;
	}
	return 0;
}

static int by_veth(const void *a, const void *b)
{
	const struct veth_claim *x = a, *y = b;

	if (x->veth.ifindex != y->veth.ifindex)
		return x->veth.ifindex < y->veth.ifindex ? -1 : 1;
	return x->cgroup < y->cgroup ? -1 : x->cgroup > y->cgroup;
}

/* The claims to the veth of the first one. */
static struct rivals rivals_at(const struct veth_claims *claims, size_t first,
			       const struct found_cgroups *found)
{
	const struct veth_claim *list = &claims->list[first];
	size_t n = 1;

	while (first + n < claims->n_list &&
	       list[n].veth.ifindex == list->veth.ifindex)
		n++;
	return (struct rivals){ list, n, found };
}

int veth_claims_place(struct veth_claims *claims,
		      const struct found_cgroups *found, struct err *err)
{
	struct rivals rivals;
	size_t i;

	if (claims->n_list)
		qsort(claims->list, claims->n_list, sizeof(*claims->list),
		      by_veth);
	for (i = 0; i < claims->n_list; i += rivals.n_list) {
		rivals = rivals_at(claims, i, found);
		count(claims, &rivals);
	}
	for (i = 0; i < claims->n_list; i += rivals.n_list) {
		rivals = rivals_at(claims, i, found);
		if (place(claims, &rivals) < 0)
			return err_set(err, -ENOMEM, "look for containers");
	}
	return 0;
}

int veth_claims_read(const char *mount, const struct netns_view *view,
		     const struct image *image, struct found_cgroups *found,
		     struct veth_claims *ret_claims, struct err *err)
{
	CLEANUP(veth_claims_clear) struct veth_claims claims = { 0 };
	int r;

	r = read_claims(mount, view, image, found, &claims, err);
	if (r == 0)
		r = veth_claims_place(&claims, found, err);
	if (r < 0)
		return r;
	*ret_claims = claims;
	claims = (struct veth_claims){ 0 };
	return 0;
}
