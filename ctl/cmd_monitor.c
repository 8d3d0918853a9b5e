/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells events as they happen.  It changes nothing that packets meet but that
 * they are told of, and whatever ends it ends that.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/number.h"
#include "cgroup/connections.h"
#include "cgroup/monitor.h"
#include "ctl/lock.h"
#include "ctl/monitor.h"
#include "ctl/say.h"

/* Limits, and what was lost, are looked at so often. */
#define LOOK_MS 1000

/* Events that come while others are told of wait so long: fewer wake-ups. */
#define REST_MS 20

/* Who is in a hurry comes first: what is lost is told. */
#define NICENESS 19

struct listener {
	const struct call *call;
	struct kernel kernel;
	struct event_names names;
	struct monitor *monitor;
	struct connections *connections; /* NULL: not asked for */
	struct limits_seen limits;
	struct monitor_wish wish;
	uint64_t left;		   /* to be told */
	struct monitor_count told; /* what was lost, as far as that was told */
	uint64_t looked_ms;
	bool is_gone; /* who read standard output */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/*
 * What is half written is written to its end; who will not wait for a reader
 * that long says so twice.
 */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop,
				    .sa_flags = SA_RESTART | SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------- telling */

static bool has_reader(struct pollfd *out)
{
	return !(out->revents & (POLLERR | POLLHUP | POLLNVAL));
}

/* That nobody reads any more is no failure. */
static void push(struct listener *listener)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	listener->is_gone = true;
	if (poll(&out, 1, 0) <= 0 || has_reader(&out))
		return;
	__fpurge(stdout);
	clearerr(stdout);
}

/* Nobody is to be told any more. */
static bool is_over(const struct listener *listener)
{
	return listener->left == 0 || listener->is_gone;
}

static int note_told(struct listener *listener)
{
	listener->left--;
	listener->is_gone |= ferror(stdout) != 0;
	return is_over(listener) ? -EPIPE : 0;
}

/* The policy of an event is read when the first of it is met. */
static void follow(struct listener *listener, uint32_t generation)
{
	struct kernel *kernel = &listener->kernel;
	struct err ignored;

	if ((int32_t)(generation - kernel->generation) <= 0)
		return;
	if (kernel_read_live(kernel, &ignored) == 0)
		event_names_renew(&listener->names, &ignored);
}

static int tell_event(void *data, const struct monitor_event *event)
{
	struct listener *listener = data;
	struct told_event told;

	if (is_over(listener))
		return -EPIPE;
	follow(listener, event->generation);
	event_look_up(&listener->names, event, &told);
	if (listener->call->json)
		event_print_json(&told);
	else
		event_print(&told);
	return note_told(listener);
}

static void tell_limit(void *data, const struct told_limit *told)
{
	struct listener *listener = data;

	if (is_over(listener))
		return;
	if (listener->call->json)
		limit_print_json(told);
	else
		limit_print(told);
	note_told(listener);
}

/* What was lost since this was told last, if anything was. */
static int tell_lost(struct listener *listener, struct err *err)
{
	bool slept = monitor_slept(listener->monitor);
	struct monitor_count count;
	uint64_t lost, suppressed;
	int r;

	r = monitor_figures(listener->monitor, &count, err);
	if (r < 0)
		return r;
	lost = count.lost - listener->told.lost;
	suppressed = count.suppressed - listener->told.suppressed;
	listener->told = count;
	if (!lost && !suppressed && !slept)
		return 0;
	if (listener->call->json) {
		lost_print_json(lost, suppressed, slept);
		return 0;
	}
	if (lost)
		say("%llu events were lost", (unsigned long long)lost);
	if (suppressed)
		say("%llu events were suppressed, by the bound of their rule",
		    (unsigned long long)suppressed);
	if (slept)
		say("nothing was heard for a while: it was kept from running");
	return 0;
}

/* ------------------------------------------------------------ beginning */

static int find_group(const struct call *call, const struct image *image,
		      uint32_t *ret_uid, struct err *err)
{
	size_t i;

	*ret_uid = 0;
	if (!call->group)
		return 0;
	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		if (strcmp(image_string(image, group->name), call->group) == 0)
			*ret_uid = group->uid;
	}
	return *ret_uid ? 0
			: err_say(err, -ENOENT,
				  "there is no group '%.80s' in force",
				  call->group);
}

static int attach(struct listener *listener, struct err *err)
{
	CLEANUP(anchors_clear) struct anchors anchors = { 0 };
	const struct kernel *kernel = &listener->kernel;
	int r;

	r = anchors_attached(listener->call->places.bpffs, kernel->mount,
			     &kernel->programs,
			     kernel_needs(kernel, kernel->live),
			     kernel->generation, &anchors, err);
	if (r == 0)
		r = connections_attach(listener->connections, kernel->mount,
				       &anchors, err);
	return r;
}

static int begin_listening(struct listener *listener, struct err *err)
{
	const struct places *places = &listener->call->places;
	struct kernel *kernel = &listener->kernel;
	AUTO_CLOSE int lock = -1;
	char maps[PATH_MAX];
	int r;

	r = kernel_open_locked(places, &lock, kernel, err);
	if (r < 0)
		return r;
	if (!kernel->generation) {
		lock_remove(places->run);
		return err_say(err, -ENOENT, "no policy is in force");
	}
	r = find_group(listener->call, kernel->live, &listener->wish.group_uid,
		       err);
	if (r == 0)
		r = event_names_begin(kernel, &listener->names, err);
	snprintf(maps, sizeof(maps), "%s/maps", places->bpffs);
	if (r == 0)
		r = monitor_open(maps, kernel->tables, &listener->wish,
				 tell_event, listener, &listener->monitor, err);
	if (r < 0 || !listener->call->connections)
		return r;
	r = connections_open(places->bpffs, monitor_seat(listener->monitor),
			     &listener->connections, err);
	return r < 0 ? r : attach(listener, err);
}

/* ------------------------------------------------------------ listening */

/* Once a second: whatever events do not tell by themselves. */
static int look(struct listener *listener, struct err *err)
{
	struct kernel *kernel = &listener->kernel;
	uint32_t generation, before = kernel->generation;
	char maps[PATH_MAX];
	int r;

	listener->looked_ms = now_ms();
	snprintf(maps, sizeof(maps), "%s/maps", listener->call->places.bpffs);
	if (!monitor_is_current(listener->monitor, maps))
		return err_say(err, -ENOENT, "no policy is in force any more");
	r = tables_generation(kernel->tables, &generation, err);
	if (r < 0)
		return r;
	follow(listener, generation);
	if (listener->connections && kernel->generation != before)
		r = attach(listener, err);
	if (r == 0 && !listener->wish.refusals)
		r = limits_look(&listener->limits, &listener->names,
				listener->wish.group_uid, tell_limit, listener,
				err);
	if (r == 0 && !listener->is_gone)
		r = tell_lost(listener, err);
	push(listener);
	return r;
}

/* Until something happens; of standard output, only that its reader has gone.
 */
static void wait_for_events(struct listener *listener, bool rests)
{
	struct pollfd fds[] = {
		{ .fd = STDOUT_FILENO },
		{ .fd = monitor_fd(listener->monitor), .events = POLLIN },
	};
	uint64_t waited = now_ms() - listener->looked_ms;
	int ms = waited < LOOK_MS ? LOOK_MS - (int)waited : 0;

	if (rests && ms > REST_MS)
		ms = REST_MS;
	if (poll(fds, rests ? 1 : 2, ms) > 0 && !has_reader(&fds[0]))
		listener->is_gone = true;
}

static int listen_on(struct listener *listener, struct err *err)
{
	uint64_t left;
	int r = 0;

	while (!stopped && !is_over(listener) && r == 0) {
		left = listener->left;
		while (monitor_hear(listener->monitor) > 0 && !stopped)
			if (now_ms() - listener->looked_ms >= LOOK_MS)
				break;
		push(listener);
		if (is_over(listener))
			break;
		if (now_ms() - listener->looked_ms >= LOOK_MS)
			r = look(listener, err);
		else if (left != listener->left)
			wait_for_events(listener, true);
		else
			wait_for_events(listener, false);
	}
	return r;
}

/* What was offered until now is told, or counted; then nothing is any more. */
static int end_listening(struct listener *listener, struct err *err)
{
	int r = monitor_leave(listener->monitor, err);

	while (r == 0 && !is_over(listener) &&
	       monitor_hear(listener->monitor) > 0)
		;
	if (r == 0 && !listener->is_gone)
		r = tell_lost(listener, err);
	push(listener);
	return r;
}

static void listener_clear(struct listener *listener)
{
	connections_closep(&listener->connections);
	monitor_closep(&listener->monitor);
	limits_seen_clear(&listener->limits);
	event_names_clear(&listener->names);
	kernel_close(&listener->kernel);
}

static int run(const struct call *call, uint64_t count, struct err *err)
{
	CLEANUP(listener_clear)
	struct listener listener = {
		.call = call,
		.left = count,
		.wish = { .refusals = call->deny, .count = count },
	};
	int r;

	r = begin_listening(&listener, err);
	if (r < 0)
		return r;
	/* Of this thread: the one that keeps the seat has little to do. */
	setpriority(PRIO_PROCESS, 0, NICENESS);
	r = look(&listener, err);
	if (r == 0)
		r = listen_on(&listener, err);
	return r < 0 ? r : end_listening(&listener, err);
}

int cmd_monitor(const struct call *call)
{
	uint64_t count = UINT64_MAX;
	struct err err;

	if (call->count &&
	    (number_parse(call->count, INT64_MAX, &count) < 0 || !count)) {
		say("monitor: '%.80s' is not a number of events", call->count);
		return EXIT_USAGE;
	}
	if (call->deny && call->connections) {
		say("monitor: --deny leaves nothing to tell of connections");
		return command_usage(call->command);
	}
	catch_signals();
	return run(call, count, &err) < 0 ? say_err(&err) : EXIT_DONE;
}
