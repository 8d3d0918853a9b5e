/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calendars of the time zone that localtime(3) goes by: hours begin when
 * the local clock shows a full one, days at midnight (or at the first moment
 * of a day that has none), weeks on Mondays, months on their first day.
 */
#ifndef WEIR_RULES_CALENDAR_H
#define WEIR_RULES_CALENDAR_H

#include <stdint.h>

#include "rules/calendar_abi.h"

/* Begin of the period that real_s falls into, and of the one after it. */
void calendar_bounds(enum quota_period kind, int64_t real_s,
		     int64_t *ret_begin_s, int64_t *ret_end_s);

/*
 * The calendar from real_s on, for two years at least.  offset_ns is how far
 * CLOCK_REALTIME is ahead of CLOCK_BOOTTIME.
 */
void calendar_make(enum quota_period kind, int64_t real_s, int64_t offset_ns,
		   struct calendar *ret_calendar);

/* The period at a time of CLOCK_BOOTTIME; 0 where there is no calendar. */
int calendar_at(const struct calendar *calendar, int64_t boot_ns,
		struct calendar_period *ret_period);

#endif
