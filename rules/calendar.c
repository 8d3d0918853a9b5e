/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/calendar.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define HOUR_S 3600
#define DAY_S  86400

/* How far ahead a calendar is made; then its last run goes on. */
static const int64_t horizons_s[PERIODS] = {
	[PERIOD_HOUR] = 400LL * DAY_S,
	[PERIOD_DAY] = 5 * 366LL * DAY_S,
	[PERIOD_WEEK] = 5 * 366LL * DAY_S,
	[PERIOD_MONTH] = 5 * 366LL * DAY_S,
};

static bool local(int64_t real_s, struct tm *ret_tm)
{
	time_t time = real_s;

	return localtime_r(&time, ret_tm) != NULL;
}

static bool is_on(int64_t real_s, const struct tm *day)
{
	struct tm tm;

	return local(real_s, &tm) && tm.tm_year == day->tm_year &&
	       tm.tm_mon == day->tm_mon && tm.tm_mday == day->tm_mday;
}

/*
 * The first moment of the day that is `days` after the one of tm.  Where clocks
 * go forward at midnight that is not 0:00, and mktime says some moment of that
 * day or of the one before; where they go back then, it may be the second 0:00.
 */
static int64_t day_begin(const struct tm *tm, int days)
{
	struct tm noon = { .tm_year = tm->tm_year,
			   .tm_mon = tm->tm_mon,
			   .tm_mday = tm->tm_mday + days,
			   .tm_hour = 12,
			   .tm_isdst = -1 };
	struct tm midnight;
	int64_t in, before, middle;

	in = mktime(&noon);
	midnight = noon;
	midnight.tm_hour = 0;
	midnight.tm_isdst = -1;
	before = mktime(&midnight);
	if (is_on(before, &noon) && !is_on(before - 1, &noon))
		return before;
	/* No day begins that far from its noon. */
	before = in - 20 * HOUR_S;
	while (in - before > 1) {
		middle = before + (in - before) / 2;
		if (is_on(middle, &noon))
			in = middle;
		else
			before = middle;
	}
	return in;
}

static int64_t past_hour(const struct tm *tm)
{
	return tm->tm_min * 60 + tm->tm_sec;
}

/* Some zones change their clocks by half an hour, which makes an hour longer.
 */
static void hour_bounds(int64_t real_s, const struct tm *tm,
			int64_t *ret_begin_s, int64_t *ret_end_s)
{
	int64_t begin_s = real_s - past_hour(tm), end_s;
	struct tm there;

	if (local(begin_s, &there))
		begin_s -= past_hour(&there);
	end_s = begin_s + HOUR_S;
	if (local(end_s, &there) && past_hour(&there))
		end_s += HOUR_S - past_hour(&there);
	*ret_begin_s = begin_s;
	*ret_end_s = end_s;
}

void calendar_bounds(enum quota_period kind, int64_t real_s,
		     int64_t *ret_begin_s, int64_t *ret_end_s)
{
	struct tm tm, next;
	int since;

	/* Years that no struct tm can say. */
	if (!local(real_s, &tm)) {
		*ret_begin_s = real_s - real_s % DAY_S;
		*ret_end_s = *ret_begin_s + DAY_S;
		return;
	}
	switch (kind) {
	case PERIOD_HOUR:
		hour_bounds(real_s, &tm, ret_begin_s, ret_end_s);
		return;
	case PERIOD_WEEK:
		since = (tm.tm_wday + 6) % 7;
		*ret_begin_s = day_begin(&tm, -since);
		*ret_end_s = day_begin(&tm, 7 - since);
		return;
	case PERIOD_MONTH:
		tm.tm_mday = 1;
		next = tm;
		next.tm_mon++;
		*ret_begin_s = day_begin(&tm, 0);
		*ret_end_s = day_begin(&next, 0);
		return;
	default:
		*ret_begin_s = day_begin(&tm, 0);
		*ret_end_s = day_begin(&tm, 1);
	}
	/* A day that ends, comes back and ends again: once somewhere, in 2010.
	 */
	if (*ret_end_s <= real_s)
		*ret_end_s = real_s + HOUR_S;
}

/* Adds a period; false where it begins a run for which there is no room. */
static bool add_period(struct calendar *calendar, int64_t begin_s,
		       int64_t end_s, int64_t offset_ns)
{
	struct calendar_run *run;

	if (calendar->n_runs) {
		run = &calendar->runs[calendar->n_runs - 1];
		if (run->length_s == (uint64_t)(end_s - begin_s))
			return true;
	}
	if (calendar->n_runs == CALENDAR_RUNS)
		return false;
	run = &calendar->runs[calendar->n_runs++];
	run->boot_ns = begin_s * CALENDAR_SEC - offset_ns;
	run->real_s = begin_s;
	run->length_s = end_s - begin_s;
	return true;
}

void calendar_make(enum quota_period kind, int64_t real_s, int64_t offset_ns,
		   struct calendar *ret_calendar)
{
	struct calendar calendar = { 0 };
	int64_t until = real_s + horizons_s[kind], begin_s, end_s;

	do {
		calendar_bounds(kind, real_s, &begin_s, &end_s);
		if (!add_period(&calendar, begin_s, end_s, offset_ns))
			break;
		real_s = end_s;
	} while (real_s < until);
	*ret_calendar = calendar;
}

int calendar_at(const struct calendar *calendar, int64_t boot_ns,
		struct calendar_period *ret_period)
{
	uint32_t i;

	if (!calendar->n_runs || calendar->n_runs > CALENDAR_RUNS)
		return 0;
	for (i = 1; i < calendar->n_runs; i++)
		if (calendar->runs[i].boot_ns > boot_ns)
			break;
	calendar_find(&calendar->runs[i - 1],
		      i < calendar->n_runs ? calendar->runs[i].boot_ns : 0,
		      boot_ns, ret_period);
	return 1;
}
