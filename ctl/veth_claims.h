/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which limits on what arrives hold at which veths of containers, and where
 * they can wait: the innermost in the veth's own queue, if it is the only veth
 * of that limit and nobody else has a queue there; the one above it, or else
 * the innermost itself, in a pool.  What finds no place is policed.
 */
#ifndef WEIR_CTL_VETH_CLAIMS_H
#define WEIR_CTL_VETH_CLAIMS_H

#include "cgroup/find.h"
#include "rules/image.h"
#include "tc/container.h"
#include "tc/device.h"

/* A limit: a group at a cgroup of its, or over all of them. */
struct veth_limit {
	uint32_t group;
	uint64_t cgroup; /* id; 0: share is all */
	size_t n_veths;
	bool mixed;	/* some of what it limits passes no queue of it */
	uint32_t index; /* of the pool's row: the caller's; 0: none yet */
};

/* A cgroup with a process behind a veth. */
struct veth_claim {
	struct container_veth veth;
	size_t cgroup;	 /* in the list of those found */
	size_t limit;	 /* in the list of limits */
	bool is_foreign; /* somebody's qdisc is the root of the veth */
};

/* A veth with the limits that wait there; NONE_HERE: it has no such. */
struct veth_place {
	const struct container_veth *veth;
	size_t own, pool; /* in the list of limits */
};

#define NONE_HERE SIZE_MAX

struct veth_claims {
	struct veth_claim *list; /* by veth, then by path */
	size_t n_list;
	struct veth_limit *limits;
	size_t n_limits;
	struct veth_place *places; /* by veth */
	size_t n_places;
};

/*
 * mount: of cgroup2; view: of our own namespace.  Veths that the image has as
 * devices are left out.  Notes which of found are on the host, and
 * which behind something.
 */
int veth_claims_read(const char *mount, const struct netns_view *view,
		     const struct image *image, struct found_cgroups *found,
		     struct veth_claims *ret_claims, struct err *err);
/* Of a list of claims and their limits, the rest; found: sorted by path. */
int veth_claims_place(struct veth_claims *claims,
		      const struct found_cgroups *found, struct err *err);
void veth_claims_clear(struct veth_claims *claims);

#endif
