/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/monitor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cgroup/stamp.h"
#include "pins/folder.h"
#include "pins/layout.h"

/* Bytes: a hundred thousand events a second fill it in a quarter of one. */
#define RING_SIZE (4U << 20)

/* One who is not seen for so long is not there; and so often he is. */
#define LEASE_NS 3000000000ULL
#define RENEW_MS 500

/* Told of at once. */
#define BATCH 4096

#define NSEC_PER_SEC 1000000000ULL

struct monitor {
	int until; /* the maps' descriptors */
	int wants;
	int counts;
	int rings;
	int ring;
	struct ring_buffer *reader;
	monitor_fn fn;
	void *data;
	unsigned int told; /* since monitor_hear was called */
	int refused;	   /* what fn said, if it wants no more */
	uint32_t seat;	   /* MONITORS_MAX: none was taken */
	struct monitor_want want;
	pthread_t renewer;
	bool renews;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool ends;
	bool slept;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* ------------------------------------------------------------ the lease */

/* Whether the seat was there all the time until now. */
static bool renew(struct monitor *monitor)
{
	uint64_t now = now_ns(), until = now + LEASE_NS, was = 0;
	bool lapsed = monitor->want.until_ns < now;
	uint32_t zero = 0;

	bpf_map_lookup_elem(monitor->until, &zero, &was);
	monitor->want.until_ns = until;
	bpf_map_update_elem(monitor->wants, &monitor->seat, &monitor->want, 0);
	bpf_map_update_elem(monitor->until, &zero, &until, 0);
	return !lapsed && was >= now;
}

static struct timespec time_after(unsigned int ms)
{
	uint64_t at = now_ns() + ms * 1000000ULL;

	return (struct timespec){ .tv_sec = at / NSEC_PER_SEC,
				  .tv_nsec = at % NSEC_PER_SEC };
}

/* A thread of its own: who reads what is printed may let it wait for hours. */
static void *keep_seat(void *data)
{
	struct monitor *monitor = data;
	struct timespec at;
	sigset_t all;

	/* Signals are for who may be in the middle of writing. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_mutex_lock(&monitor->lock);
	while (!monitor->ends) {
		at = time_after(RENEW_MS);
		pthread_cond_timedwait(&monitor->wake, &monitor->lock, &at);
		if (!monitor->ends && !renew(monitor))
			monitor->slept = true;
	}
	pthread_mutex_unlock(&monitor->lock);
	return NULL;
}

static int begin_renewing(struct monitor *monitor)
{
	pthread_condattr_t attr;
	int r;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&monitor->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = -pthread_create(&monitor->renewer, NULL, keep_seat, monitor);
	monitor->renews = r == 0;
	return r;
}

static void end_renewing(struct monitor *monitor)
{
	if (!monitor->renews)
		return;
	pthread_mutex_lock(&monitor->lock);
	monitor->ends = true;
	pthread_cond_signal(&monitor->wake);
	pthread_mutex_unlock(&monitor->lock);
	pthread_join(monitor->renewer, NULL);
	monitor->renews = false;
}

bool monitor_slept(struct monitor *monitor)
{
	bool slept;

	pthread_mutex_lock(&monitor->lock);
	slept = monitor->slept;
	monitor->slept = false;
	pthread_mutex_unlock(&monitor->lock);
	return slept;
}

/* ------------------------------------------------------------- the seat */

static int open_maps(const char *dir, struct monitor *monitor, struct err *err)
{
	const struct {
		const char *map;
		size_t value_size;
		int *fd;
	} maps[] = {
		{ "monitor_until", sizeof(uint64_t), &monitor->until },
		{ "monitor_wants", sizeof(monitor->want), &monitor->wants },
		{ "monitor_counts", sizeof(struct monitor_count),
		  &monitor->counts },
		{ "monitor_rings", sizeof(uint32_t), &monitor->rings },
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < sizeof(maps) / sizeof(*maps); i++) {
		r = folder_open_pin(dir, maps[i].map, maps[i].fd, err);
		if (r == -ENOENT)
			return layout_misfit(maps[i].map, err);
		if (r == 0)
			r = layout_check(*maps[i].fd, maps[i].map,
					 maps[i].value_size, err);
	}
	return r;
}

/* The first that nobody has; the rings of all others like it are let go. */
static int find_seat(const struct monitor *monitor, uint32_t *ret_seat)
{
	uint64_t now = now_ns();
	struct monitor_want want;
	uint32_t seat, found = MONITORS_MAX;
	int r;

	for (seat = 0; seat < MONITORS_MAX; seat++) {
		r = bpf_map_lookup_elem(monitor->wants, &seat, &want);
		if (r < 0)
			return r;
		if (want.until_ns > now)
			continue;
		r = bpf_map_delete_elem(monitor->rings, &seat);
		if (r < 0 && r != -ENOENT)
			return r;
		if (found == MONITORS_MAX)
			found = seat;
	}
	*ret_seat = found;
	return found == MONITORS_MAX ? -EBUSY : 0;
}

static int hear_one(void *data, void *event, size_t size)
{
	struct monitor *monitor = data;

	if (size < sizeof(struct monitor_event))
		return 0;
	monitor->told++;
	monitor->refused = monitor->fn(monitor->data, event);
	if (monitor->refused < 0)
		return monitor->refused;
	return monitor->told < BATCH ? 0 : -EAGAIN;
}

/* What is asked for is written last. */
static int sit_down(struct monitor *monitor, uint32_t seat, uint64_t count)
{
	struct monitor_count zero = { .left = count };
	int r;

	monitor->ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "monitor_ring", 0,
				       0, RING_SIZE, NULL);
	if (monitor->ring < 0)
		return monitor->ring;
	monitor->reader =
		ring_buffer__new(monitor->ring, hear_one, monitor, NULL);
	if (!monitor->reader)
		return neg_errno();
	r = bpf_map_update_elem(monitor->counts, &seat, &zero, BPF_F_LOCK);
	if (r == 0)
		r = bpf_map_update_elem(monitor->rings, &seat, &monitor->ring,
					0);
	if (r < 0)
		return r;
	monitor->seat = seat;
	renew(monitor);
	return 0;
}

static struct monitor *monitor_new(const struct monitor_wish *wish,
				   monitor_fn fn, void *data)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor)
		return NULL;
	monitor->until = monitor->wants = monitor->counts = -1;
	monitor->rings = monitor->ring = -1;
	monitor->seat = MONITORS_MAX;
	monitor->want.group_uid = wish->group_uid;
	monitor->want.refusals = wish->refusals;
	monitor->fn = fn;
	monitor->data = data;
	pthread_mutex_init(&monitor->lock, NULL);
	return monitor;
}

int monitor_open(const char *dir, const struct tables *tables,
		 const struct monitor_wish *wish, monitor_fn fn, void *data,
		 struct monitor **ret_monitor, struct err *err)
{
	CLEANUP(monitor_closep)
	struct monitor *monitor = monitor_new(wish, fn, data);
	uint32_t seat;
	int r;

	if (!monitor)
		return err_set(err, -ENOMEM, "listen");
	r = open_maps(dir, monitor, err);
	if (r < 0)
		return r;
	r = find_seat(monitor, &seat);
	if (r == -EBUSY)
		return err_say(err, r,
			       "%d monitors are running already, and no more "
			       "can",
			       MONITORS_MAX);
	if (r == 0)
		r = sit_down(monitor, seat, wish->count);
	if (r < 0)
		return err_set(err, r, "listen to events");
	r = stamp_begin(tables->changes, err);
	if (r == 0)
		r = stamp_end(tables->changes, err);
	if (r < 0)
		return r;
	r = begin_renewing(monitor);
	if (r < 0)
		return err_set(err, r, "listen to events");
	*ret_monitor = TAKE_PTR(monitor);
	return 0;
}

/* No one is there any more: nobody need look.  Who comes just now says so. */
static void turn_off(const struct monitor *monitor)
{
	uint64_t now = now_ns(), none = 0;
	struct monitor_want want;
	uint32_t zero = 0, seat;

	for (seat = 0; seat < MONITORS_MAX; seat++)
		if (bpf_map_lookup_elem(monitor->wants, &seat, &want) < 0 ||
		    want.until_ns > now)
			return;
	bpf_map_update_elem(monitor->until, &zero, &none, 0);
}

/*
 * To take a ring out of an array of maps waits for the programs that run.  Then
 * the seat is given back: not before, or the next one's ring would be taken.
 */
int monitor_leave(struct monitor *monitor, struct err *err)
{
	int r;

	if (monitor->seat == MONITORS_MAX)
		return 0;
	end_renewing(monitor);
	r = bpf_map_delete_elem(monitor->rings, &monitor->seat);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "end listening");
	return 0;
}

static void give_back(struct monitor *monitor)
{
	struct monitor_want nothing = { 0 };
	struct err ignored;

	if (monitor->seat == MONITORS_MAX)
		return;
	monitor_leave(monitor, &ignored);
	bpf_map_update_elem(monitor->wants, &monitor->seat, &nothing, 0);
	turn_off(monitor);
}

void monitor_close(struct monitor *monitor)
{
	give_back(monitor);
	ring_buffer__free(monitor->reader);
	close_fdp(&monitor->ring);
	close_fdp(&monitor->until);
	close_fdp(&monitor->wants);
	close_fdp(&monitor->counts);
	close_fdp(&monitor->rings);
	pthread_mutex_destroy(&monitor->lock);
	free(monitor);
}

/* ------------------------------------------------------------- hearing */

uint32_t monitor_seat(const struct monitor *monitor)
{
	return monitor->seat;
}

int monitor_fd(const struct monitor *monitor)
{
	return ring_buffer__epoll_fd(monitor->reader);
}

int monitor_hear(struct monitor *monitor)
{
	int r;

	monitor->told = 0;
	monitor->refused = 0;
	r = ring_buffer__consume(monitor->reader);
	if (monitor->refused < 0)
		return monitor->refused;
	return r == -EAGAIN;
}

int monitor_figures(const struct monitor *monitor,
		    struct monitor_count *ret_count, struct err *err)
{
	int r = bpf_map_lookup_elem_flags(monitor->counts, &monitor->seat,
					  ret_count, BPF_F_LOCK);

	return r < 0 ? err_set(err, r, "read how many events were lost") : 0;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

bool monitor_is_current(const struct monitor *monitor, const char *dir)
{
	AUTO_CLOSE int pinned = -1;
	struct err ignored;

	if (folder_open_pin(dir, "monitor_wants", &pinned, &ignored) < 0)
		return false;
	return map_id(pinned) == map_id(monitor->wants);
}
