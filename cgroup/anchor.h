/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anchors: the cgroups that the programs are attached to.  A group is found
 * by the names below its anchor, so the anchor is a cgroup that stays when
 * what the group matches comes and goes: the folder above it.  Where that
 * does not exist yet it is the nearest one that does.  An anchor below
 * another is not needed.
 */
#ifndef WEIR_CGROUP_ANCHOR_H
#define WEIR_CGROUP_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroup/programs.h"
#include "rules/image.h"

struct anchor_point {
	char path[CGROUP_PATH_MAX]; /* below the mount; "": the cgroup is gone
				     */
	uint64_t id;		    /* of the cgroup */
	bool complete; /* every needed hook has the present program */
	bool retired;  /* is attached, but no longer for this generation */
};

struct anchors {
	struct anchor_point *list; /* by id */
	size_t n_list;
};

void anchors_clear(struct anchors *anchors);

/* The anchors that the groups of an image want. */
int anchors_wanted(const char *mount, const struct image *image,
		   struct anchors *ret_anchors, struct err *err);

/* The anchors that are attached, from the pinned links; needed: hooks. */
int anchors_attached(const char *dir, const char *mount,
		     const struct programs *programs, uint32_t needed,
		     uint32_t generation, struct anchors *ret_anchors,
		     struct err *err);

/*
 * Attaches what is missing of the needed hooks at an anchor, and gives links
 * of an older version the present programs.  They do nothing before generation
 * first.
 */
int anchor_attach(const char *dir, const char *mount,
		  const struct anchor_point *point,
		  const struct programs *programs, uint32_t needed,
		  uint32_t first, struct err *err);

/* The programs at the anchor do nothing after generation last. */
int anchor_retire(const char *dir, uint64_t id, uint32_t last, struct err *err);

/* Detaches all programs from an anchor; nothing there is no error. */
int anchor_detach(const char *dir, uint64_t id, struct err *err);

#endif
