/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel cannot do by itself: make queues for what arrives in
 * containers that start later, fit devices out that appear later, and attach
 * the programs again where a top-level cgroup was made anew, tell connections
 * that hear of nothing what is fair now.  It applies the policy in force once
 * more whenever the machine may have changed.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "ctl/adoption.h"
#include "ctl/lock.h"
#include "ctl/plan.h"
#include "ctl/runs.h"
#include "ctl/say.h"
#include "netlink/watch.h"

/*
 * A container's processes enter its namespace some time after the veth is
 * made, and nothing tells of that: so look again this often.
 */
#define LOOK_AGAIN_MS 500

/*
 * Two groups that match one cgroup stop nothing here: whoever can make a cgroup
 * can bring that about.  *skipped says which one has no queue for it, if any.
 */
static int look_once(const struct call *call, struct err *skipped,
		     struct err *err)
{
	CLEANUP(kernel_close) struct kernel kernel = { 0 };
	CLEANUP(plan_clear) struct plan plan = { 0 };
	struct image *image = NULL;
	AUTO_CLOSE int lock = -1;
	int r;

	r = kernel_open_locked(&call->places, &lock, &kernel, err);
	if (r < 0)
		return r;
	if (!kernel.generation) {
		lock_remove(call->places.run);
		return 0;
	}
	r = runs_in_force(&kernel, false, &image, err);
	if (r == 0)
		r = plan_make(&kernel, image, &plan, err);
	if (r == 0)
		find_conflict(plan.image, &plan.world.found, skipped);
	if (r == 0 && plan_is_empty(&plan))
		return adoption_carry_out(&kernel, &plan, err);
	if (r < 0)
		return r;
	r = plan_carry_out(&kernel, &plan, err);
	if (r == 0)
		plan_print(&plan);
	fflush(stdout);
	return r;
}

static int look(const struct call *call, struct err *skipped, struct err *err)
{
	int try, r;

	for (try = 1;; try++) {
		*skipped->msg = '\0';
		r = look_once(call, skipped, err);
		if (!plan_is_outdated(r) || try == PLAN_TRIES)
			return r;
	}
}

/* SIGTERM and SIGINT end the watch between two looks. */
static int open_signals(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_set(err, neg_errno(), "wait for signals") : fd;
}

/* What stays as it was is said once. */
static void say_news(const struct err *news, struct err *last)
{
	if (*news->msg && strcmp(last->msg, news->msg) != 0)
		say_err(news);
	*last = *news;
}

static int watch(const struct call *call, struct err *err)
{
	struct err skipped, last_skipped = { "" }, last = { "" };
	CLEANUP(watch_closep) struct watch *links = NULL;
	AUTO_CLOSE int signals = open_signals(err);
	struct pollfd fds[2];
	int r;

	if (signals < 0)
		return signals;
	r = watch_open(&links, err);
	if (r < 0)
		return r;
	fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = watch_fd(links), .events = POLLIN };
	for (;;) {
		r = look(call, &skipped, err);
		if (r == 0)
			*err->msg = '\0';
		/* What goes wrong is tried again. */
		say_news(err, &last);
		if (r == 0)
			say_news(&skipped, &last_skipped);
		if (poll(fds, 2, LOOK_AGAIN_MS) < 0 && errno != EINTR)
			return err_set(err, neg_errno(), "wait for changes");
		if (fds[0].revents)
			return 0;
		watch_drain(links);
	}
}

int cmd_watch(const struct call *call)
{
	struct err skipped = { "" }, err;
	int r;

	r = call->once ? look(call, &skipped, &err) : watch(call, &err);
	if (*skipped.msg)
		say_err(&skipped);
	return r < 0 ? say_err(&err) : EXIT_DONE;
}
