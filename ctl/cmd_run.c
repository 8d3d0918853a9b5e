/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cgroup/own.h"
#include "ctl/child.h"
#include "ctl/edit.h"
#include "ctl/rate.h"
#include "ctl/runs.h"
#include "ctl/say.h"
#include "rules/adhoc.h"

/* Runs of one process id, should another namespace have it too. */
#define TAGS_MAX 100

struct run {
	struct adhoc_run group;
	char *const *argv;
	char mount[PATH_MAX];	    /* of cgroup2 */
	char path[CGROUP_PATH_MAX]; /* of its cgroup; "": not made yet */
	char name[32];		    /* of its group */
	struct rlimit memlock;	    /* libbpf raises it; not for the command */
	struct child child;
};

/* A cgroup and a group's name that nobody else has. */
static int make_cgroup(struct run *run, const struct image *live, int *ret_fd,
		       struct err *err)
{
	int i, fd = -EEXIST;
	char tag[24];

	for (i = 1; fd == -EEXIST && i <= TAGS_MAX; i++) {
		snprintf(tag, sizeof(tag), i > 1 ? "%d.%d" : "%d", getpid(), i);
		snprintf(run->name, sizeof(run->name), "run:%s", tag);
		if (adhoc_find(live, run->name) == live->n_groups)
			fd = own_make(run->mount, tag, run->path, err);
	}
	*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

/*
 * The command is in its cgroup from here on, so that nobody takes that for
 * one that was left behind; it starts when its limit is in force.
 */
static int begin(struct run *run, const struct kernel *kernel, struct err *err)
{
	AUTO_CLOSE int cgroup = -1;
	int r;

	if (run->child.pid)
		return 0;
	strcpy(run->mount, kernel->mount);
	r = make_cgroup(run, kernel->live, &cgroup, err);
	return r < 0 ? r
		     : child_make(cgroup, run->argv, &run->memlock, &run->child,
				  err);
}

static void hold_signals(void *what)
{
	struct run *run = what;

	child_hold_signals(&run->child);
}

static int make_group(const struct call *call, void *what,
		      struct kernel *kernel, struct image **ret_image)
{
	CLEANUP(image_freep) struct image *image = NULL;
	struct run *run = what;
	struct err err;
	int r;

	r = runs_in_force(kernel, call->dry_run, &image, &err);
	if (r == 0)
		r = begin(run, kernel, &err);
	if (r == 0)
		r = adhoc_add_run(image, &run->group, &err);
	if (r < 0)
		return say_err(&err);
	*ret_image = TAKE_PTR(image);
	return EXIT_DONE;
}

static int make_without(const struct call *call, void *what,
			struct kernel *kernel, struct image **ret_image)
{
	struct err err;

	(void)what;
	if (runs_in_force(kernel, call->dry_run, ret_image, &err) < 0)
		return say_err(&err);
	return EXIT_DONE;
}

static void take_group_away(const struct call *call, const struct run *run)
{
	const struct edit edit = {
		.make = make_without,
		.quiet = true,
		.clears = true,
		.only_if_live = true,
	};

	if (own_remove(run->mount, run->path) == 0)
		edit_policy(call, &edit);
}

/*
 * What the command left running stays limited, as it would by a library that
 * is loaded into it.  A process without anything of the caller's waits for
 * the last of it; should that be killed, the next change tidies up.
 */
static void leave_keeper(const struct call *call, const struct run *run)
{
	int null;

	if (fork() != 0)
		return;
	setsid();
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (chdir("/") < 0)
		_exit(EXIT_WEIR);
	child_restore_signals(&run->child);
	own_wait(run->mount, run->path);
	take_group_away(call, run);
	_exit(EXIT_DONE);
}

static int run_command(const struct call *call, struct run *run)
{
	const struct edit edit = {
		.make = make_group,
		.what = run,
		.locked = hold_signals,
		.quiet = true,
	};
	int status;

	status = edit_policy(call, &edit);
	if (status != EXIT_DONE) {
		child_drop(&run->child);
		if (*run->path)
			own_remove(run->mount, run->path);
		return EXIT_WEIR;
	}
	child_start(&run->child);
	status = child_wait(&run->child);
	if (own_is_busy(run->mount, run->path))
		leave_keeper(call, run);
	else
		take_group_away(call, run);
	return status;
}

int cmd_run(const struct call *call)
{
	struct run run = { .argv = call->args, .child.gate = -1 };
	int status = EXIT_DONE;

	getrlimit(RLIMIT_MEMLOCK, &run.memlock);
	if (!call->n_args) {
		say("run: name the command to run");
		return command_usage(call->command);
	}
	if (!call->out && !call->in && !call->filter_out) {
		say("run: say how to limit it: --out, --in or --filter-out");
		return command_usage(call->command);
	}
	if (call->out)
		status = rate_read("--out", call->out, &run.group.out_bps);
	if (status == EXIT_DONE && call->in)
		status = rate_read("--in", call->in, &run.group.in_bps);
	if (status != EXIT_DONE)
		return status;
	run.group.name = run.name;
	run.group.path = run.path;
	run.group.filter_out = call->filter_out;
	return run_command(call, &run);
}
