/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine has now that an image is about: its cgroups, and the
 * network namespaces its devices are in.
 */
#ifndef WEIR_CTL_WORLD_H
#define WEIR_CTL_WORLD_H

#include "cgroup/anchor.h"
#include "cgroup/find.h"
#include "ctl/kernel.h"
#include "tc/device.h"

struct world_netns {
	char *name; /* "" is our own; NULL: found by its id */
	struct netns_view *view;
};

struct world {
	struct found_cgroups found; /* that groups of the image match */
	struct anchors wanted;	    /* where programs are to be */
	uint32_t needed;	    /* hooks, of programs_needed */
	struct world_netns *netns;
	size_t n_netns;
};

/*
 * Looks around for an image, and fills in what it leaves open: the ifindex
 * of its rules, who shares the limits of its devices, and a device row for each
 * veth of a container whose group limits what arrives.  One that two groups
 * match has none: policers hold both limits there, as they hold them from its
 * first packet on.
 */
int world_read(const struct kernel *kernel, struct image *image,
	       struct world *ret_world, struct err *err);
void world_clear(struct world *world);

/*
 * A namespace by name, "" for our own, looked at once.  -ENOENT where there
 * is none of that name.
 */
int world_netns(struct world *world, const char *name,
		struct netns_view **ret_view, struct err *err);

/*
 * A namespace by its id: first of all the one that has this name now.
 * -ENOENT where it has gone, -EXDEV where that cannot be told from here.
 */
int world_netns_by_id(struct world *world, const char *name, uint64_t id,
		      struct netns_view **ret_view, struct err *err);

#endif
