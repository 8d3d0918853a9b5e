/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding cgroups: by path, and by a group's patterns. */
#ifndef WEIR_CGROUP_FIND_H
#define WEIR_CGROUP_FIND_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rules/image.h"

struct found_cgroup {
	char *path;	/* below the mount, "/a/b" */
	uint64_t id;	/* what the kernel calls its cgroup id */
	uint32_t group; /* index of the group's row in the image */
	bool takes;	/* a GROUP_LIMITED: no other group has the cgroup */
	bool on_host;	/* a process of it is in our own network namespace */
	bool is_behind; /* one is in another, which packets get to */
};

struct found_cgroups {
	struct found_cgroup *list;
	size_t n_list;
};

void found_cgroups_clear(struct found_cgroups *found);

/* The folder of a cgroup, path "" for the root, as a descriptor. */
int find_open(const char *mount, const char *path);

/* What is in the folder; fd stays open.  NULL with errno. */
DIR *find_entries(int fd);

/* The id of the cgroup at the folder that fd is open on. */
int find_cgroup_id(int fd, uint64_t *ret_id);

/*
 * The path of the cgroup with this id, below the mount, which mount_fd is open
 * on; "" where the cgroup is gone.  size: of ret_path.
 */
void find_cgroup_path(int mount_fd, const char *mount, uint64_t id,
		      char *ret_path, size_t size);

/*
 * The folder that all matches of a pattern are below, "" for the root: its
 * plain beginning, in a buffer of CGROUP_PATH_MAX.  Returns the level of
 * what lies in that folder.
 */
uint32_t find_glob_base(const struct glob_row *glob, char *ret_base);

/*
 * All cgroups below mount that groups of the image match, by path.  Cgroups
 * that vanish meanwhile are left out.
 */
int find_cgroups(const char *mount, const struct image *image,
		 struct found_cgroups *ret_found, struct err *err);

/*
 * Whether another group matches the cgroup at this place of the list, too.  A
 * command's group is no other: it holds beside those of its neighbours.
 */
bool find_is_disputed(const struct image *image,
		      const struct found_cgroups *found, size_t i);

/* Says which cgroup is the first of these, -EEXIST; 0 where there is none. */
int find_conflict(const struct image *image, const struct found_cgroups *found,
		  struct err *err);

#endif
