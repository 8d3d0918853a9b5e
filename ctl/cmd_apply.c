/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/edit.h"
#include "ctl/files.h"
#include "ctl/runs.h"
#include "ctl/say.h"
#include "ctl/ssh.h"

/* What the files say, and beside it the commands that run under a limit. */
static int make(const struct call *call, void *what, struct kernel *kernel,
		struct image **ret_image)
{
	CLEANUP(image_freep) struct image *image = NULL;
	struct policy *const *policy = what;
	struct err err;
	int status;

	status = files_compile(*policy, kernel->live, &image);
	if (status != EXIT_DONE)
		return status;
	if (runs_keep(kernel, call->dry_run, image, &err) < 0)
		return say_err(&err);
	*ret_image = TAKE_PTR(image);
	return EXIT_DONE;
}

/* Once it is done, it may be too late to read it. */
static void warn(void *what, const struct kernel *kernel,
		 const struct image *image)
{
	(void)what;
	ssh_warn(image, kernel->mount);
}

static void forget(void *what)
{
	struct policy **policy = what;

	files_freep(policy);
	*policy = NULL;
}

int cmd_apply(const struct call *call)
{
	CLEANUP(files_freep) struct policy *policy = NULL;
	struct edit edit = {
		.make = make,
		.planned = warn,
		.forget = forget,
		.refuses_conflict = true,
		.tells_waiting = true,
		.settles = true,
	};
	int status;

	status = files_read(call, &policy);
	if (status != EXIT_DONE)
		return status;
	edit.what = &policy;
	return edit_policy(call, &edit);
}
