/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/edit.h"

#include <unistd.h>

#include "ctl/device_traces.h"
#include "ctl/lock.h"
#include "ctl/plan.h"
#include "ctl/quotas.h"
#include "ctl/say.h"
#include "ctl/shares.h"
#include "rules/adhoc.h"
#include "rules/describe.h"

/* What is not in force as the policy says. */
static void tell_waiting(const struct plan *plan)
{
	const struct image *image = plan->image;
	char name[DESCRIBE_MAX];
	struct err err;
	size_t i;

	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *row = &image->devices[i];

		if (!row->in_use || row->ifindex || row->group != NONE)
			continue;
		describe_device_name(image, row, name);
		say("device %s waits until %s is there", name,
		    row->netns_id ? "it" : "that network namespace");
	}
	for (i = 0; i < plan->devices.left.n_list; i++) {
		device_trace_left(&plan->devices.left.list[i], "apply", &err);
		say("%s", err.msg);
	}
}

/* Prints what was, or would be, done. */
static int report(const struct call *call, const struct edit *edit,
		  const struct plan *plan, uint32_t generation)
{
	if (edit->quiet)
		return EXIT_DONE;
	if (call->json)
		return plan_print_json(plan, generation);
	if (call->dry_run || !plan_is_empty(plan))
		plan_print(plan);
	return EXIT_DONE;
}

/* As clear does; but what is still to be cleared is told by the pins. */
static int unload_if_nothing(struct kernel *kernel, const struct plan *plan,
			     struct err *err)
{
	struct err ignored;

	if (!adhoc_is_nothing(plan->image) ||
	    device_traces_check(kernel, &ignored) < 0)
		return 0;
	return kernel_unload(kernel, err);
}

/* Where there is nothing to change. */
static int settle(struct kernel *kernel, const struct plan *plan,
		  struct err *err)
{
	int r = plan_settle(kernel, err);

	return r < 0 ? r : quotas_refresh(kernel, &plan->world.found, err);
}

static int carry_out(const struct call *call, const struct edit *edit,
		     struct kernel *kernel)
{
	uint32_t generation = kernel->generation;
	struct err err;
	int try, r;

	for (try = 1;; try++) {
		CLEANUP(plan_clear) struct plan plan = { 0 };
		struct image *image = NULL;
		int status;

		status = edit->make(call, edit->what, kernel, &image);
		if (status != EXIT_DONE)
			return status;
		r = plan_make(kernel, image, &plan, &err);
		if (r == 0 && edit->refuses_conflict)
			r = find_conflict(plan.image, &plan.world.found, &err);
		if (r == 0 && edit->refuses_conflict)
			r = shares_check(plan.image, &err);
		if (r == 0 && edit->planned && try == 1 &&
		    !plan_is_empty(&plan))
			edit->planned(edit->what, kernel, plan.image);
		if (r == 0 && !call->dry_run && !plan_is_empty(&plan))
			r = plan_carry_out(kernel, &plan, &err);
		else if (r == 0 && !call->dry_run && kernel->loaded)
			r = settle(kernel, &plan, &err);
		if (r == 0 && !call->dry_run && edit->carried_out)
			r = edit->carried_out(edit->what, kernel, &err);
		if (r == 0 && !call->dry_run && edit->clears)
			r = unload_if_nothing(kernel, &plan, &err);
		if (r == 0) {
			status = report(call, edit, &plan, kernel->generation);
			if (edit->tells_waiting)
				tell_waiting(&plan);
			return status;
		}
		if (!plan_is_outdated(r) || try == PLAN_TRIES ||
		    kernel->generation != generation)
			return say_err(&err);
	}
}

/*
 * The next change must not be written before all programs are through that
 * still read what was in force before this one: some milliseconds, for which a
 * process of its own waits, to give back memory then.  It has the lock
 * meanwhile.  Where it is killed, or was never made, the next change waits
 * itself.
 */
static void settle_later(struct kernel *kernel)
{
	/* What there is at a fork is copied when it is freed. */
	image_freep(&kernel->live);
	kernel->live = NULL;
	if (fork() != 0)
		return;
	/* Nobody is to wait for its end in order to read ours. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	tables_release(kernel->tables);
	_exit(EXIT_DONE);
}

int edit_policy(const struct call *call, const struct edit *edit)
{
	AUTO_CLOSE int lock = -1; /* first: what is read in place needs it */
	CLEANUP(kernel_close) struct kernel kernel = { 0 };
	struct err err, ignored;
	bool had_pins, had_policy;
	uint32_t generation;
	int status;

	if (kernel_open_to_edit(&call->places, &lock, &kernel, &err) < 0)
		return say_err(&err);
	if (edit->locked)
		edit->locked(edit->what);
	had_pins = kernel.had_pins;
	generation = kernel.generation;
	had_policy = generation > 0;
	if (edit->only_if_live && !had_policy)
		status = EXIT_DONE;
	else
		status = carry_out(call, edit, &kernel);
	/*
	 * A first apply that did not come to pass leaves nothing behind.  The
	 * pins of one that was killed stay, and those of another version: they
	 * tell of what it did.
	 */
	if (!had_pins && kernel.generation == 0 && !call->dry_run &&
	    !edit->only_if_live)
		kernel_unload(&kernel, &ignored);
	if (edit->forget)
		edit->forget(edit->what);
	if (!kernel.loaded)
		lock_remove(call->places.run);
	else if (edit->settles && kernel.generation != generation)
		settle_later(&kernel);
	return status;
}
