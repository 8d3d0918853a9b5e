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
#include "ctl/quota_watch.h"
#include "ctl/quotas.h"
#include "ctl/runs.h"
#include "ctl/say.h"
#include "ctl/shares.h"
#include "netlink/watch.h"

/*
 * A container's processes enter its namespace some time after the veth is
 * made, and nothing tells of that: so look again this often.
 */
#define LOOK_AGAIN_MS 500

/* The clock may have been set, and the ledger may be behind. */
static int keep_quotas(const struct kernel *kernel, const struct plan *plan,
		       struct quota_watch *quotas, struct err *err)
{
	int r = quota_watch_learn(quotas, kernel->live, err);

	if (r == 0 && !quotas->due)
		return quotas_set_calendars(kernel, err);
	if (r == 0)
		r = quotas_refresh(kernel, &plan->world.found, err);
	if (r == 0)
		quota_watch_written(quotas);
	return r;
}

/*
 * Two groups that match one cgroup stop nothing here: whoever can make a cgroup
 * can bring that about.  *skipped says which one has no queue for it, if any.
 */
static int look_once(const struct call *call, struct quota_watch *quotas,
		     struct err *skipped, struct err *err)
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
		quota_watch_clear(quotas);
		lock_remove(call->places.run);
		return 0;
	}
	r = runs_in_force(&kernel, false, &image, err);
	if (r == 0)
		r = plan_make(&kernel, image, &plan, err);
	if (r == 0 &&
	    find_conflict(plan.image, &plan.world.found, skipped) == 0)
		shares_check(plan.image, skipped);
	if (r == 0 && plan_is_empty(&plan)) {
		r = plan_settle(&kernel, err);
		if (r == 0)
			r = adoption_carry_out(&kernel, &plan, err);
		return r < 0 ? r : keep_quotas(&kernel, &plan, quotas, err);
	}
	if (r < 0)
		return r;
	r = plan_carry_out(&kernel, &plan, err);
	if (r < 0)
		return r;
	quota_watch_written(quotas);
	plan_print(&plan);
	fflush(stdout);
	return quota_watch_learn(quotas, plan.image, err);
}

static int look(const struct call *call, struct quota_watch *quotas,
		struct err *skipped, struct err *err)
{
	int try, r;

	for (try = 1;; try++) {
		*skipped->msg = '\0';
		r = look_once(call, quotas, skipped, err);
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

static int wait_for(struct pollfd fds[static 2], int ms, struct err *err)
{
	int n = poll(fds, 2, ms);

	if (n < 0 && errno != EINTR)
		return err_set(err, neg_errno(), "wait for changes");
	return n > 0;
}

/*
 * Waits for a signal, a link, a quota of which more was used than the ledger
 * may be behind, or until it is time to look again.
 */
static int wait_for_news(const struct call *call, struct quota_watch *quotas,
			 struct pollfd fds[static 2], struct err *err)
{
	int left_ms = LOOK_AGAIN_MS, ms, r = 0;

	while (r == 0 && left_ms > 0) {
		r = quota_watch_look(quotas, call->places.bpffs, err);
		if (r < 0)
			return r;
		ms = quotas->due ? 0 : quotas->look_ms;
		if (ms < 0 || ms > left_ms)
			ms = left_ms;
		r = wait_for(fds, ms, err);
		if (quotas->due)
			break;
		left_ms -= ms;
	}
	return r < 0 ? r : 0;
}

static int watch(const struct call *call, struct err *err)
{
	CLEANUP(quota_watch_clear) struct quota_watch quotas = { .due = true };
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
		r = look(call, &quotas, &skipped, err);
		if (r == 0)
			*err->msg = '\0';
		/* What goes wrong is tried again, but not at once. */
		say_news(err, &last);
		if (r == 0) {
			say_news(&skipped, &last_skipped);
			r = wait_for_news(call, &quotas, fds, err);
		} else {
			r = wait_for(fds, LOOK_AGAIN_MS, err);
		}
		if (r < 0)
			return r;
		if (fds[0].revents)
			break;
		watch_drain(links);
	}
	/* What ends watch may end the machine. */
	quotas.due = true;
	return look(call, &quotas, &skipped, err);
}

int cmd_watch(const struct call *call)
{
	CLEANUP(quota_watch_clear) struct quota_watch quotas = { .due = true };
	struct err skipped = { "" }, err;
	int r;

	r = call->once ? look(call, &quotas, &skipped, &err)
		       : watch(call, &err);
	if (*skipped.msg)
		say_err(&skipped);
	return r < 0 ? say_err(&err) : EXIT_DONE;
}
