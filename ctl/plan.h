/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apply is read, plan, carry out.  A plan is the difference between an image
 * and what is in force; --dry-run prints it, plan_carry_out does it.
 */
#ifndef WEIR_CTL_PLAN_H
#define WEIR_CTL_PLAN_H

#include "ctl/device_plan.h"
#include "ctl/kernel.h"
#include "ctl/world.h"
#include "rules/image_diff.h"

struct plan {
	struct image *image; /* belongs to the plan */
	struct world world;
	struct anchors attached; /* that are there now */
	struct device_plan devices;
	struct changes changes; /* everything that will be done, in words */
	bool writes_tables;	/* a new generation is needed */
};

/* Takes image over, also on failure. */
int plan_make(struct kernel *kernel, struct image *image, struct plan *ret_plan,
	      struct err *err);
void plan_clear(struct plan *plan);

bool plan_is_empty(const struct plan *plan);

/*
 * A cgroup or a device may go away while a plan is made or carried out, and
 * as a rule that is nobody's error: then make it again, so many times.
 */
#define PLAN_TRIES 10

static inline bool plan_is_outdated(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* Either prints the changes, a line each, or as one JSON document. */
void plan_print(const struct plan *plan);
int plan_print_json(const struct plan *plan, uint32_t generation);

/*
 * Carries the plan out.  A failure before the switch undoes what was done,
 * and the old policy stays in force; one after it leaves the new policy in
 * force and something to tidy up for the next apply, and says so.
 */
int plan_carry_out(struct kernel *kernel, struct plan *plan, struct err *err);

/*
 * Where a plan is empty: makes good what an apply that was killed behind the
 * switch left, and no plan shows: which limits wait in a queue.
 */
int plan_settle(struct kernel *kernel, struct err *err);

#endif
