/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sets in force, without the rest of the policy: to read and change one
 * takes no longer because there are a hundred thousand rules.
 */
#ifndef WEIR_CGROUP_LIVE_SETS_H
#define WEIR_CGROUP_LIVE_SETS_H

#include "base/cleanup.h"
#include "cgroup/stores.h"
#include "rules/label.h"

/* Descriptors. */
struct live_sets {
	int elements;
	int rows; /* of the slot in force; -1: there is no set */
	int strings;
	int changes; /* cgroup/stamp.h */
	int generation;
	uint32_t number; /* of the generation they are of */
};

#define LIVE_SETS_NONE ((struct live_sets){ -1, -1, -1, -1, -1, 0 })

struct live_set {
	char name[LABEL_MAX + 1];
	struct set_row row;
};

/*
 * What is pinned below dir (maps); -ENOENT, without a sentence, where no policy
 * is in force.
 */
int live_sets_open(const char *dir, struct live_sets *ret_sets,
		   struct err *err);
void live_sets_close(struct live_sets *sets);

/*
 * Whether their policy is in force still.  Who reads without the lock has read
 * something whole only if it is.
 */
bool live_sets_hold(const struct live_sets *sets);

/* The index-th named set.  -ENOENT behind the last one. */
int live_sets_read(const struct live_sets *sets, uint32_t index,
		   struct live_set *ret_set, struct err *err);

/* -ENOENT, without a sentence, where there is none so called. */
int live_sets_find(const struct live_sets *sets, const char *name,
		   struct live_set *ret_set, struct err *err);

/* The elements that the set has now; to be cleared. */
int live_set_elements(const struct live_sets *sets, const struct live_set *set,
		      struct elements *ret_elements, struct err *err);
int live_set_count(const struct live_sets *sets, const struct live_set *set,
		   size_t *ret_n, struct err *err);

/*
 * Changes elements, in one step for packets; seconds: until when.  *ret_n: how
 * many of the changes made a difference.
 */
int live_set_change(const struct live_sets *sets, const struct live_set *set,
		    const struct set_changes *changes, size_t *ret_n,
		    struct err *err);

/* Puts sorted elements in the place of all that the set has. */
int live_set_replace(const struct live_sets *sets, const struct live_set *set,
		     const struct elements *elements, struct err *err);

/* What there is of an element. */
int live_set_look(const struct live_sets *sets, const struct live_set *set,
		  unsigned int family, const struct element *element,
		  struct set_look *ret_look, struct err *err);

#endif
