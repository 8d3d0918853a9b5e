/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accounts of quotas: what has passed in the period that goes on.  An
 * account belongs to a group, a kind of period and a cgroup's path, so that it
 * is the same when the cgroup is made anew.  Host byte order.
 */
#ifndef WEIR_CGROUP_QUOTA_ABI_H
#define WEIR_CGROUP_QUOTA_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

#include "rules/calendar_abi.h"

#define ACCOUNTS_MAX 65536

/* What a kernel takes for a key are 512 bytes. */
#define ACCOUNT_PATH_MAX 504

struct account_name {
	__u32 group_uid;
	__u32 period;		     /* enum quota_period */
	char path[ACCOUNT_PATH_MAX]; /* filled up with NUL; "": all cgroups */
};

_Static_assert(sizeof(struct account_name) == 512, "no hidden padding");

/*
 * All programs add to used_bytes, atomically and without the lock; that is for
 * the turn to another period.  User space makes accounts before packets meet
 * them, sets one to zero when asked to, and removes those nobody will ask for.
 */
struct account {
	struct bpf_spin_lock lock;
	__u32 calendar; /* version that end_ns was read from; 0: none yet */
	__u64 used_bytes;
	__s64 period_s; /* when its period began, of CLOCK_REALTIME */
	__s64 end_ns;	/* when to look into the calendar, of CLOCK_BOOTTIME */
	__u64 jiffies;	/* when the clock was looked at last */
};

_Static_assert(sizeof(struct account) == 40, "no hidden padding");

/*
 * Which calendars hold: those of slot version & 1.  The rest is what they were
 * made of, for who has to know whether they still are right.
 */
struct calendar_state {
	__u32 version; /* 0: there are none */
	__u32 pad;
	__s64 offset_ns; /* CLOCK_REALTIME ahead of CLOCK_BOOTTIME */
	__s64 made_s;
	__u64 zone_id, zone_version; /* of the file with the time zone */
};

#define CALENDAR_SLOTS 2

#define CALENDAR_INDEX(version, period) \
	(((version) % CALENDAR_SLOTS) * PERIODS + (period))

#endif
