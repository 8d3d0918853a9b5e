/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the periods of quotas begin, so that the kernel can tell by itself for
 * years.  Periods of the same length in a row are one run: days but for those
 * on which clocks are changed, months but for their lengths.
 */
#ifndef WEIR_RULES_CALENDAR_ABI_H
#define WEIR_RULES_CALENDAR_ABI_H

#include <linux/types.h>

enum quota_period {
	PERIOD_HOUR,
	PERIOD_DAY,
	PERIOD_WEEK,
	PERIOD_MONTH,
	PERIODS,
};

#define CALENDAR_RUNS 64

/* Periods of one length, up to where the next run begins, or for ever. */
struct calendar_run {
	__s64 boot_ns;	/* of CLOCK_BOOTTIME, when its first period begins */
	__s64 real_s;	/* of CLOCK_REALTIME, likewise: what it is called by */
	__u64 length_s; /* of each; never 0 in a run that counts */
};

/* User space makes it, of one kind of period. */
struct calendar {
	__u32 n_runs; /* 0: never made */
	__u32 pad;
	struct calendar_run runs[CALENDAR_RUNS]; /* by time */
};

_Static_assert(sizeof(struct calendar) == 1544, "no hidden padding");

#define CALENDAR_SEC 1000000000LL

/* The period of a run that a time falls into; both may be before boot. */
struct calendar_period {
	__s64 real_s;	/* when it begins */
	__u64 length_s; /* as a rule */
	__s64 end_ns;	/* when the next one begins, of CLOCK_BOOTTIME */
};

/*
 * next_ns is when the run after it begins; 0: there is none.  A time before
 * the run belongs to its first period.
 */
static inline void calendar_find(const struct calendar_run *run, __s64 next_ns,
				 __s64 now_ns, struct calendar_period *ret)
{
	__u64 length_ns = run->length_s * CALENDAR_SEC, nth = 0;

	if (length_ns && now_ns > run->boot_ns)
		nth = (__u64)(now_ns - run->boot_ns) / length_ns;
	ret->real_s = run->real_s + nth * run->length_s;
	ret->length_s = run->length_s;
	ret->end_ns = run->boot_ns + (nth + 1) * length_ns;
	if (next_ns && ret->end_ns > next_ns)
		ret->end_ns = next_ns;
}

/*
 * Whether what began at was_s is over.  Where it began at nearly the same time
 * it is the same period, in another time zone; where it began later, the clock
 * was set back since, or is not set yet after booting.
 */
static inline int calendar_is_over(__s64 was_s,
				   const struct calendar_period *period)
{
	return period->real_s > was_s &&
	       period->real_s - was_s >= (__s64)(period->length_s / 2);
}

#endif
