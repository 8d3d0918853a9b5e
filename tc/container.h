/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a container's traffic can be held: the host side of the veths of the
 * network namespace that its processes are in.  What leaves the host side
 * arrives in the container, so its queue is the container's `in` limit.
 */
#ifndef WEIR_TC_CONTAINER_H
#define WEIR_TC_CONTAINER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/* The host side of a veth. */
struct container_veth {
	uint32_t ifindex; /* in our namespace */
	char name[IFNAMSIZ];
	uint32_t inner_ifindex; /* in the container's */
	char inner_name[IFNAMSIZ];
	uint64_t netns; /* inode number of the container's namespace */
};

struct container {
	struct container_veth *veths;
	size_t n_veths;
	size_t n_processes; /* that were looked at */
	size_t n_host;	    /* of those, in our own namespace */
	bool has_other_way; /* in, but by the veths: a macvlan, hardware */
	bool truncated;	    /* more than CONTAINER_PROCESSES_MAX */
};

#define CONTAINER_PROCESSES_MAX 65536
#define CONTAINER_FOLDERS_MAX	4096 /* cgroups below the one asked for */

/*
 * Finds containers; remembers namespaces and our own links between questions,
 * so that many cgroups cost one look at each namespace.  Make a new one to
 * see changes.
 */
struct container_finder;

int container_finder_new(struct container_finder **ret_finder, struct err *err);
void container_finder_free(struct container_finder *finder);
DEFINE_CLEANUP(struct container_finder *, container_finder_free);

/*
 * cgroup: its folder in the file system (mount point and path).  All
 * processes in it and below count; those that vanish meanwhile do not.  A
 * cgroup whose processes are all in our namespace has no veths and is no
 * error.  Two cgroups in one namespace get the same veths: netns tells.
 * -ENOENT where the cgroup has gone; -EACCES or -ENOENT with a sentence that
 * names /proc where that cannot be read.
 */
int container_find(struct container_finder *finder, const char *cgroup,
		   struct container *ret_container, struct err *err);
void container_clear(struct container *container);

#endif
