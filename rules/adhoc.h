/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the policy in force that no file says: another rate for a group,
 * and groups of their own for a cgroup (GROUP_LIMITED, called like the
 * cgroup) or for a running command (GROUP_RUN, "run:N").  A file's group
 * cannot be called like either.  All work on a copy of the image in force.
 */
#ifndef WEIR_RULES_ADHOC_H
#define WEIR_RULES_ADHOC_H

#include <stdbool.h>

#include "base/err.h"
#include "rules/image.h"

/* What `weirctl limit` asks for.  A rate of 0 is no limit. */
struct adhoc_limit {
	const char *target; /* a group's name, or the path of a cgroup */
	bool has_out, has_in;
	uint64_t out_bps, in_bps;
};

/*
 * -ENOENT, with the nearest name, for a group that is not there; -EINVAL for
 * a path that cannot be a cgroup's, or a limit that the group cannot have.
 */
int adhoc_limit(struct image *image, const struct adhoc_limit *limit,
		struct err *err);

/*
 * The group in force that is called so, or that a cgroup is in by its path;
 * nothing is changed.  -ENOENT.
 */
int adhoc_find_target(const struct image *image, const char *target,
		      size_t *ret_index, struct err *err);

/* Whether some group, of a file or not, matches the cgroup at path. */
bool adhoc_is_matched(const struct image *image, const char *path);

struct adhoc_run {
	const char *name; /* "run:1234" */
	const char *path; /* of its cgroup */
	uint64_t out_bps, in_bps;
	const char *filter_out; /* the name of a chain, or NULL */
};

/* -ENOENT for a chain that is not there; -EINVAL for a path too long. */
int adhoc_add_run(struct image *image, const struct adhoc_run *run,
		  struct err *err);

/*
 * Takes the group of a run over into an image made from files.  -ENOENT where
 * that has not the chain that the run is filtered by.
 */
int adhoc_keep_run(struct image *image, const struct image *live, size_t index,
		   struct err *err);

/* Takes a group out, with all that is only its own. */
int adhoc_remove(struct image *image, size_t index);

/* The index of the group of that name, or n_groups. */
size_t adhoc_find(const struct image *image, const char *name);

/* Whether the image says nothing at all. */
bool adhoc_is_nothing(const struct image *image);

#endif
