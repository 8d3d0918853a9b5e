/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When periods begin, in zones that change their clocks. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "rules/calendar.h"

#define DAY_S 86400

/* Zones in full, so that the machine's own tables do not matter. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
/* Clocks go forward at midnight: a day begins at 1:00. */
#define HAVANA "CST5CDT,M3.2.0/0,M11.1.0/1"
/* By half an hour. */
#define LORD_HOWE "LHST-10:30LHDT-11,M10.1.0,M4.1.0"
#define KATHMANDU "NPT-5:45"

static void be_in(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* "2026-03-29 01:30", by the local clock; the first of two. */
static int64_t at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static void expect(enum quota_period kind, int64_t when, const char *begin,
		   int64_t length_s)
{
	int64_t begin_s, end_s;
	char text[32];
	time_t time;
	struct tm tm;

	calendar_bounds(kind, when, &begin_s, &end_s);
	time = begin_s;
	localtime_r(&time, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	assert_string_equal(text, begin);
	assert_int_equal(end_s - begin_s, length_s);
}

static void days_are_an_hour_shorter_or_longer_when_clocks_change(void **state)
{
	(void)state;
	be_in(BERLIN);
	expect(PERIOD_DAY, at("2026-03-28 23:59"), "2026-03-28 00:00", DAY_S);
	expect(PERIOD_DAY, at("2026-03-29 12:00"), "2026-03-29 00:00",
	       23 * 3600);
	expect(PERIOD_DAY, at("2026-10-25 00:00"), "2026-10-25 00:00",
	       25 * 3600);
	expect(PERIOD_WEEK, at("2026-03-29 23:59"), "2026-03-23 00:00",
	       7 * DAY_S - 3600);
	expect(PERIOD_MONTH, at("2026-10-31 23:59"), "2026-10-01 00:00",
	       31 * DAY_S + 3600);
	be_in(HAVANA);
	expect(PERIOD_DAY, at("2026-03-08 12:00"), "2026-03-08 01:00",
	       23 * 3600);
	expect(PERIOD_DAY, at("2026-03-07 12:00"), "2026-03-07 00:00", DAY_S);
	expect(PERIOD_DAY, at("2026-11-01 12:00"), "2026-11-01 00:00",
	       25 * 3600);
}

static void weeks_begin_on_mondays(void **state)
{
	(void)state;
	be_in("UTC0");
	expect(PERIOD_WEEK, at("2026-11-29 23:59"), "2026-11-23 00:00",
	       7 * DAY_S);
	expect(PERIOD_WEEK, at("2026-11-30 00:00"), "2026-11-30 00:00",
	       7 * DAY_S);
	expect(PERIOD_WEEK, at("2027-01-01 00:00"), "2026-12-28 00:00",
	       7 * DAY_S);
}

static void months_have_their_lengths(void **state)
{
	(void)state;
	be_in("UTC0");
	expect(PERIOD_MONTH, at("2028-02-29 12:00"), "2028-02-01 00:00",
	       29 * DAY_S);
	expect(PERIOD_MONTH, at("2027-02-28 23:59"), "2027-02-01 00:00",
	       28 * DAY_S);
	expect(PERIOD_MONTH, at("2026-12-31 23:59"), "2026-12-01 00:00",
	       31 * DAY_S);
}

static void hours_are_full_ones_of_the_local_clock(void **state)
{
	(void)state;
	be_in(KATHMANDU);
	expect(PERIOD_HOUR, at("2026-11-28 10:59"), "2026-11-28 10:00", 3600);
	be_in(BERLIN);
	expect(PERIOD_HOUR, at("2026-03-29 01:59"), "2026-03-29 01:00", 3600);
	be_in(LORD_HOWE);
	expect(PERIOD_HOUR, at("2026-10-04 01:45"), "2026-10-04 01:00", 5400);
	expect(PERIOD_HOUR, at("2026-10-04 02:45"), "2026-10-04 01:00", 5400);
	expect(PERIOD_HOUR, at("2026-04-05 02:10"), "2026-04-05 02:00", 3600);
	expect(PERIOD_HOUR, at("2026-04-05 02:00") - 600, "2026-04-05 01:00",
	       5400);
}

/* For every moment, what the calendar says is what the clock says. */
static void expect_agreement(const char *zone, enum quota_period kind,
			     int64_t days, int64_t step_s)
{
	const int64_t offset_ns = 1790000000123456789;
	struct calendar_period period;
	struct calendar calendar;
	int64_t from, t, begin_s, end_s, boot_ns;

	be_in(zone);
	from = at("2026-02-03 04:05");
	calendar_make(kind, from, offset_ns, &calendar);
	assert_in_range(calendar.n_runs, 1, CALENDAR_RUNS);
	for (t = from; t < from + days * DAY_S; t += step_s) {
		calendar_bounds(kind, t, &begin_s, &end_s);
		boot_ns = t * CALENDAR_SEC - offset_ns;
		assert_true(calendar_at(&calendar, boot_ns, &period));
		if (period.real_s != begin_s ||
		    period.end_ns != end_s * CALENDAR_SEC - offset_ns)
			fail_msg("%s, kind %u at %lld: %lld, not %lld", zone,
				 kind, (long long)t, (long long)period.real_s,
				 (long long)begin_s);
	}
}

static void a_calendar_says_for_years_what_the_clock_will(void **state)
{
	static const char *const zones[] = { "UTC0", BERLIN, HAVANA, LORD_HOWE,
					     KATHMANDU };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		expect_agreement(zones[i], PERIOD_HOUR, 390, 977);
		expect_agreement(zones[i], PERIOD_DAY, 5 * 365, 21601);
		expect_agreement(zones[i], PERIOD_WEEK, 5 * 365, 40009);
		expect_agreement(zones[i], PERIOD_MONTH, 5 * 365, 40009);
	}
}

static void a_time_beyond_the_horizon_is_in_periods_of_the_last_length(
	void **state)
{
	struct calendar_period period;
	struct calendar calendar;
	int64_t later;

	(void)state;
	be_in("UTC0");
	calendar_make(PERIOD_DAY, at("2026-01-01 00:00"), 0, &calendar);
	assert_int_equal(calendar.n_runs, 1);
	later = at("2050-05-05 05:05");
	assert_true(calendar_at(&calendar, later * CALENDAR_SEC, &period));
	assert_int_equal(period.real_s, at("2050-05-05 00:00"));
}

static void no_calendar_says_nothing(void **state)
{
	struct calendar calendar = { 0 };
	struct calendar_period period;

	(void)state;
	assert_false(calendar_at(&calendar, 0, &period));
	calendar.n_runs = CALENDAR_RUNS + 1;
	assert_false(calendar_at(&calendar, 0, &period));
}

static void a_period_is_over_when_the_next_has_begun(void **state)
{
	const struct calendar_period day = { .real_s = 10 * DAY_S,
					     .length_s = DAY_S };

	(void)state;
	assert_true(calendar_is_over(9 * DAY_S, &day));
	assert_true(calendar_is_over(0, &day));
	assert_false(calendar_is_over(10 * DAY_S, &day));
	/* The same day, from another time zone's side. */
	assert_false(calendar_is_over(10 * DAY_S - 5 * 3600, &day));
	assert_false(calendar_is_over(10 * DAY_S + 5 * 3600, &day));
	/* The clock was set back. */
	assert_false(calendar_is_over(100 * DAY_S, &day));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			days_are_an_hour_shorter_or_longer_when_clocks_change),
		cmocka_unit_test(weeks_begin_on_mondays),
		cmocka_unit_test(months_have_their_lengths),
		cmocka_unit_test(hours_are_full_ones_of_the_local_clock),
		cmocka_unit_test(a_calendar_says_for_years_what_the_clock_will),
		cmocka_unit_test(
			a_time_beyond_the_horizon_is_in_periods_of_the_last_length),
		cmocka_unit_test(no_calendar_says_nothing),
		cmocka_unit_test(a_period_is_over_when_the_next_has_begun),
	};

	return RUN(tests);
}
