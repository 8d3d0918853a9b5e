/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/crash.h"
#include "cgroup/flow_tables.h"
#include "cgroup/lift.h"
#include "ctl/adoption.h"
#include "ctl/plan.h"
#include "ctl/quotas.h"
#include "ctl/say.h"
#include "tc/xdp.h"

/*
 * The order matters: see "Order of an apply" in docs/design.md.  Up to the
 * switch nothing that a packet meets has changed.
 */

static bool is_wanted(const struct plan *plan, uint64_t id)
{
	size_t i;

	for (i = 0; i < plan->world.wanted.n_list; i++)
		if (plan->world.wanted.list[i].id == id)
			return true;
	return false;
}

/* New anchors work from the generation to come on, old ones up to now. */
static int prepare_anchors(struct kernel *kernel, struct plan *plan,
			   struct err *err)
{
	const char *dir = kernel->places->bpffs;
	size_t i;
	int r;

	for (i = 0; i < plan->world.wanted.n_list; i++) {
		crash_point();
		r = anchor_attach(dir, kernel->mount,
				  &plan->world.wanted.list[i],
				  &kernel->programs, plan->world.needed,
				  kernel->generation + 1, err);
		if (r < 0)
			return r;
	}
	for (i = 0; i < plan->attached.n_list; i++) {
		uint64_t id = plan->attached.list[i].id;

		if (is_wanted(plan, id))
			continue;
		r = anchor_retire(dir, id, kernel->generation, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare(struct kernel *kernel, struct plan *plan, struct err *err)
{
	int r;

	r = device_steps_do(&plan->devices, &plan->devices.before, plan->image,
			    err);
	if (r == 0)
		r = prepare_anchors(kernel, plan, err);
	crash_point();
	if (r == 0)
		r = quotas_prepare(kernel, plan->image, err);
	if (r == 0)
		r = tables_write(kernel->tables, plan->image, kernel->live,
				 err);
	crash_point();
	return r;
}

/* Whose `in` limit waits in a queue of this row, all of it; 0: nobody's. */
static uint64_t queued_by(const struct image *image,
			  const struct device_row *row)
{
	if (!row->in_use || !row->out_class || row->group >= image->n_groups ||
	    row->flags & DEVICE_MIXED)
		return 0;
	return queued_key(&image->groups[row->group], row->cgroup);
}

static bool has_key(const uint64_t *keys, size_t n, uint64_t key)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (keys[i] == key)
			return true;
	return false;
}

static bool is_queued(const struct image *image, uint64_t key)
{
	size_t i;

	for (i = 1; i < image->n_devices; i++)
		if (queued_by(image, &image->devices[i]) == key)
			return true;
	return false;
}

/*
 * The `in` limits that wait in no queue of this image are policed from now on.
 * Before the switch, or for a moment nothing would hold them behind it.
 */
static int forget_queued(const struct kernel *kernel, const struct image *image,
			 struct err *err)
{
	AUTO_FREE uint64_t *keys = NULL;
	size_t n, i;
	int r;

	r = scopes_list_queued(&kernel->scopes, &keys, &n, err);
	for (i = 0; r == 0 && i < n; i++)
		if (!is_queued(image, keys[i]))
			r = scopes_set_queued(&kernel->scopes, keys[i], false,
					      err);
	return r;
}

/* Those that wait in one are not, behind the switch. */
static int note_queued(const struct kernel *kernel, const struct image *image,
		       struct err *err)
{
	AUTO_FREE uint64_t *keys = NULL;
	size_t n, i;
	int r;

	r = scopes_list_queued(&kernel->scopes, &keys, &n, err);
	for (i = 1; r == 0 && i < image->n_devices; i++) {
		uint64_t key = queued_by(image, &image->devices[i]);

		if (key && !has_key(keys, n, key))
			r = scopes_set_queued(&kernel->scopes, key, true, err);
	}
	return r;
}

/*
 * Sockets below anchors that are no more were told their rate by programs
 * that will not tell them another.
 */
static int lift(struct kernel *kernel, const struct plan *plan, struct err *err)
{
	CLEANUP(netns_walk_clear) struct netns_walk walk = { 0 };
	char path[PATH_MAX];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->attached.n_list; i++) {
		const struct anchor_point *point = &plan->attached.list[i];

		if (is_wanted(plan, point->id) || !*point->path)
			continue;
		snprintf(path, sizeof(path), "%s%s", kernel->mount,
			 point->path);
		r = netns_walk_add(&walk, path, err);
	}
	if (r == 0 && walk.n_list)
		r = lift_sockets(kernel->places->bpffs, &walk, err);
	if (r == -EOPNOTSUPP) {
		say("%s", err->msg);
		return 0;
	}
	return r;
}

/* What packets do not meet any more. */
static int tidy(struct kernel *kernel, struct plan *plan, struct err *err)
{
	const char *dir = kernel->places->bpffs;
	size_t i;
	int r;

	r = note_queued(kernel, plan->image, err);
	/* Killed in it, the next still sees by the anchors what is to be
	 * lifted. */
	if (r == 0)
		r = lift(kernel, plan, err);
	for (i = 0; r == 0 && i < plan->attached.n_list; i++) {
		uint64_t id = plan->attached.list[i].id;

		crash_point();
		if (!is_wanted(plan, id))
			r = anchor_detach(dir, id, err);
	}
	if (r == 0)
		r = device_steps_do(&plan->devices, &plan->devices.after,
				    plan->image, err);
	crash_point();
	if (r == 0)
		r = tables_tidy_limits(kernel->tables, plan->image,
				       kernel->live, err);
	if (r == 0)
		r = flow_tables_tidy(kernel->tables->flows, plan->image,
				     kernel->live, err);
	if (r == 0)
		r = device_tidy_tallies(&kernel->loader, plan->image, err);
	if (r == 0)
		r = scopes_tidy(&kernel->scopes, plan->image,
				&plan->world.found, err);
	if (r == 0)
		r = quotas_settle(kernel, plan->image, kernel->live,
				  &plan->world.found, err);
	if (r == 0)
		r = programs_tidy(dir, err);
	if (r == 0)
		r = loader_tidy(dir, err);
	if (r == 0)
		r = xdp_tidy(dir, err);
	return r;
}

/* Takes back what a failed apply did; what was in force still is. */
static void take_back(struct kernel *kernel, struct plan *plan)
{
	struct err ignored;
	size_t i;

	note_queued(kernel, kernel->live, &ignored);
	flow_tables_write(kernel->tables->flows, kernel->live, kernel->live,
			  &ignored);
	device_plan_undo(&plan->devices);
	for (i = 0; i < plan->world.wanted.n_list; i++) {
		const struct anchor_point *point = &plan->world.wanted.list[i];
		bool was_there = false;
		size_t j;

		for (j = 0; j < plan->attached.n_list; j++)
			was_there |= plan->attached.list[j].id == point->id;
		if (!was_there)
			anchor_detach(kernel->places->bpffs, point->id,
				      &ignored);
	}
}

int plan_carry_out(struct kernel *kernel, struct plan *plan, struct err *err)
{
	int r;

	r = kernel_load(kernel, plan->image, err);
	if (r < 0)
		return r;
	r = prepare(kernel, plan, err);
	/* In time: what it paces is charged from the switch on. */
	if (r == 0)
		r = adoption_carry_out(kernel, plan, err);
	if (r == 0)
		r = forget_queued(kernel, plan->image, err);
	crash_point();
	if (r == 0)
		r = tables_switch(kernel->tables, kernel->generation + 1, err);
	if (r < 0) {
		take_back(kernel, plan);
		return r;
	}
	crash_point();
	kernel->generation++;
	r = tidy(kernel, plan, err);
	if (r < 0)
		return err_wrap(err, r,
				"the new policy is in force, but tidying up "
				"stopped");
	return 0;
}

int plan_settle(struct kernel *kernel, struct err *err)
{
	int r = forget_queued(kernel, kernel->live, err);

	if (r == 0)
		r = note_queued(kernel, kernel->live, err);
	/* Of an apply that was killed there may be others. */
	if (r == 0)
		r = flow_tables_write(kernel->tables->flows, kernel->live,
				      kernel->live, err);
	if (r == 0)
		r = flow_tables_tidy(kernel->tables->flows, kernel->live, NULL,
				     err);
	return r < 0 ? r : tables_end_changes(kernel->tables, err);
}
