/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A seat from which events are heard: rules/monitor_abi.h.  It is left by
 * closing it, or by dying: then it is asked for nothing after a while, and the
 * next who comes clears up behind.
 */
#ifndef WEIR_CGROUP_MONITOR_H
#define WEIR_CGROUP_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cgroup/tables.h"
#include "rules/monitor_abi.h"

struct monitor;

struct monitor_wish {
	uint32_t group_uid; /* 0: all groups, and devices */
	bool refusals;	    /* nothing that is allowed */
	uint64_t count;	    /* of events, and no more */
};

/* Negative: it wants no more, and that is what monitor_hear returns. */
typedef int (*monitor_fn)(void *data, const struct monitor_event *event);

/*
 * Takes a seat, under the lock; dir: of the maps.  What was kept of verdicts is
 * forgotten, so that packets of flows that are known already are told of.
 * -EBUSY, with a sentence: all are taken.
 */
int monitor_open(const char *dir, const struct tables *tables,
		 const struct monitor_wish *wish, monitor_fn fn, void *data,
		 struct monitor **ret_monitor, struct err *err);
void monitor_close(struct monitor *monitor);
DEFINE_CLEANUP(struct monitor *, monitor_close);

uint32_t monitor_seat(const struct monitor *monitor);

/* To wait for: it can be read when there are events. */
int monitor_fd(const struct monitor *monitor);

/*
 * Has fn told of what is there, but of not too many at once: 1 where more may
 * be there, else 0.
 */
int monitor_hear(struct monitor *monitor);

/* Nothing is offered any more, and nobody is still about to. */
int monitor_leave(struct monitor *monitor, struct err *err);

/* What became of all that it was offered so far. */
int monitor_figures(const struct monitor *monitor,
		    struct monitor_count *ret_count, struct err *err);

/*
 * Whether it was asked for nothing for a while since this was asked last, as
 * the process was kept from running.
 */
bool monitor_slept(struct monitor *monitor);

/* Whether the maps pinned in dir are still those that it hears from. */
bool monitor_is_current(const struct monitor *monitor, const char *dir);

#endif
