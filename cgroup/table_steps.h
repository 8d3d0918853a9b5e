/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done to the maps of one slot; only for tables.c. */
#ifndef WEIR_CGROUP_TABLE_STEPS_H
#define WEIR_CGROUP_TABLE_STEPS_H

#include <stdint.h>

#include "cgroup/table_rows.h"

#define TABLE_STEPS_MAX 32

/* An array of maps that gets another one in the slot, or none: inner is -1. */
struct table_step {
	const struct table_def *def;
	int outer;
	int inner; /* belongs to it */
	uint32_t slot;
	int result;
};

struct table_steps {
	struct table_step list[TABLE_STEPS_MAX];
	size_t n_list;
};

/*
 * Writes the rows of a table, in place where the slot has a map of its own with
 * room for them, and adds a step where it has not.  live: what is in the other
 * slot, or NULL.  Nobody may read the slot.  The step that failed, or NULL.
 */
const struct table_step *table_step_make(struct table_steps *steps,
					 const struct table_def *def, int outer,
					 uint32_t slot,
					 const struct image *image,
					 const struct image *live);

/* Adds a step where a table's map in a slot is large and no other has it. */
void table_step_release(struct table_steps *steps, const struct table_def *def,
			int outer, uint32_t slot);

/* Does all of them at the same time.  One that failed, or NULL. */
const struct table_step *table_steps_do(struct table_steps *steps);

void table_steps_clear(struct table_steps *steps);

#endif
