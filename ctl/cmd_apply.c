/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/files.h"
#include "ctl/lock.h"
#include "ctl/plan.h"
#include "ctl/say.h"

/* Prints what was, or would be, done. */
static int report(const struct call *call, const struct plan *plan,
		  uint32_t generation)
{
	if (call->json)
		return plan_print_json(plan, generation);
	if (call->dry_run || !plan_is_empty(plan))
		plan_print(plan);
	return EXIT_DONE;
}

static int apply_policy(const struct call *call, const struct policy *policy,
			struct kernel *kernel)
{
	uint32_t generation = kernel->generation;
	struct err err;
	int try, r;

	for (try = 1;; try++) {
		CLEANUP(plan_clear) struct plan plan = { 0 };
		struct image *image = NULL;
		int status;

		status = files_compile(policy, kernel->live, &image);
		if (status != EXIT_DONE)
			return status;
		r = plan_make(kernel, image, &plan, &err);
		if (r == 0 && !call->dry_run && !plan_is_empty(&plan))
			r = plan_carry_out(kernel, &plan, &err);
		if (r == 0)
			return report(call, &plan, kernel->generation);
		if (!plan_is_outdated(r) || try == PLAN_TRIES ||
		    kernel->generation != generation)
			return say_err(&err);
	}
}

int cmd_apply(const struct call *call)
{
	CLEANUP(kernel_close) struct kernel kernel = { 0 };
	CLEANUP(files_freep) struct policy *policy = NULL;
	AUTO_CLOSE int lock = -1;
	struct err err, ignored;
	bool was_loaded;
	int status;

	status = files_read(call, &policy);
	if (status != EXIT_DONE)
		return status;
	if (kernel_open_locked(&call->places, &lock, &kernel, &err) < 0)
		return say_err(&err);
	was_loaded = kernel.generation > 0;
	if (!call->dry_run && kernel_load(&kernel, &err) < 0)
		status = say_err(&err);
	else
		status = apply_policy(call, policy, &kernel);
	/* A first apply that did not come to pass leaves nothing behind. */
	if (!was_loaded && kernel.generation == 0) {
		if (!call->dry_run)
			kernel_unload(&kernel, &ignored);
		lock_remove(call->places.run);
	}
	return status;
}
