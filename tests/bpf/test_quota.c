/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts by BPF_PROG_TEST_RUN: whose they are, and when they begin anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgroup/accounts.h"
#include "rules/calendar.h"
#include "tests/bpf/quota_test.h"
#include "tests/bpf/quota_test.skel.h"

#define SEC   CALENDAR_SEC
#define DAY_S 86400
#define BOOT  1700000000LL /* when the machine was booted, CLOCK_REALTIME */
#define NOON  1793534400LL /* 2026-11-01 12:00 UTC */

static struct quota_test_bpf *programs;
static struct accounts maps;

static int set_up(void **state)
{
	struct bpf_map *map;
	int r;

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	programs = quota_test_bpf__open();
	if (!programs)
		return -1;
	bpf_object__for_each_map(map, programs->obj) {
		bpf_map__set_pin_path(map, NULL);
	}
	r = quota_test_bpf__load(programs);
	if (r < 0)
		return r;
	maps = (struct accounts){
		.ids = bpf_map__fd(programs->maps.account_ids),
		.accounts = bpf_map__fd(programs->maps.accounts),
		.calendars = bpf_map__fd(programs->maps.calendars),
		.state = bpf_map__fd(programs->maps.calendar_state),
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	quota_test_bpf__destroy(programs);
	return 0;
}

static void run(struct bpf_program *program)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame));

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
}

static struct account_name name_of(uint32_t uid, uint32_t period,
				   const char *path)
{
	struct account_name name;

	assert_int_equal(account_name_make(uid, period, path, &name), 0);
	return name;
}

/* The id that BPF has for it. */
static uint64_t open_account(uint32_t uid, uint32_t period, const char *path)
{
	struct account_name name = name_of(uid, period, path);
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs->maps.names),
					     &zero, &name, 0),
			 0);
	run(programs->progs.quota_open);
	assert_int_not_equal(programs->bss->step.id, 0);
	return programs->bss->step.id;
}

/* Calendars that were made at real_s, when the machine had run that long. */
static void set_calendars(uint32_t version, int64_t real_s)
{
	struct calendar_state made = { .version = version };
	struct calendar calendar;
	uint32_t kind, index, zero = 0;

	for (kind = 0; kind < PERIODS; kind++) {
		index = CALENDAR_INDEX(version, kind);
		calendar_make(kind, real_s, BOOT * SEC, &calendar);
		assert_int_equal(bpf_map_update_elem(maps.calendars, &index,
						     &calendar, 0),
				 0);
	}
	assert_int_equal(bpf_map_update_elem(maps.state, &zero, &made, 0), 0);
}

static void turn(uint64_t id, uint32_t kind, int64_t real_s)
{
	programs->bss->step.id = id;
	programs->bss->step.kind = kind;
	programs->bss->step.now_ns = (real_s - BOOT) * SEC;
	run(programs->progs.quota_turn);
}

static struct account read_account(uint64_t id)
{
	struct account account;

	assert_int_equal(bpf_map_lookup_elem_flags(maps.accounts, &id, &account,
						   BPF_F_LOCK),
			 0);
	return account;
}

static void use(uint64_t id, uint64_t bytes)
{
	struct account account = read_account(id);

	account.used_bytes += bytes;
	assert_int_equal(
		bpf_map_update_elem(maps.accounts, &id, &account, BPF_F_LOCK),
		0);
}

static void expect(uint64_t id, int64_t begin_s, uint64_t used_bytes)
{
	struct account account = read_account(id);

	assert_int_equal(account.period_s, begin_s);
	assert_int_equal(account.used_bytes, used_bytes);
}

static void an_account_is_one_of_group_period_and_path(void **state)
{
	uint64_t first = open_account(1, PERIOD_DAY, "/a");

	(void)state;
	assert_int_equal(open_account(1, PERIOD_DAY, "/a"), first);
	assert_int_not_equal(open_account(1, PERIOD_DAY, "/ab"), first);
	assert_int_not_equal(open_account(1, PERIOD_DAY, ""), first);
	assert_int_not_equal(open_account(2, PERIOD_DAY, "/a"), first);
	assert_int_not_equal(open_account(1, PERIOD_HOUR, "/a"), first);
	assert_int_equal(open_account(1, PERIOD_DAY, "/a"), first);
}

/* What was restored before the first packet. */
static void an_account_of_user_spaces_is_found(void **state)
{
	struct account_name name = name_of(3, PERIOD_DAY, "/restored");
	struct account_entry entry;
	struct err err;
	uint64_t id;

	(void)state;
	assert_int_equal(accounts_add(&maps, &name, 5, NOON, &err), 0);
	assert_int_equal(accounts_add(&maps, &name, 9, NOON, &err), 0);
	id = open_account(3, PERIOD_DAY, "/restored");
	expect(id, NOON, 5);
	assert_int_equal(accounts_find(&maps, &name, &entry, &err), 0);
	assert_int_equal(entry.id, id);
	accounts_remove(&maps, &entry);
	assert_int_equal(accounts_find(&maps, &name, &entry, &err), -ENOENT);
}

static void it_begins_anew_with_each_period_and_not_before(void **state)
{
	uint64_t id = open_account(4, PERIOD_MONTH, "/a");
	const int64_t november = NOON - DAY_S / 2;
	const int64_t december = november + 30 * DAY_S;

	(void)state;
	set_calendars(1, NOON);
	turn(id, PERIOD_MONTH, NOON);
	expect(id, november, 0);
	assert_int_equal(read_account(id).end_ns, (december - BOOT) * SEC);
	use(id, 1000);
	turn(id, PERIOD_MONTH, december - 1);
	expect(id, november, 1000);
	turn(id, PERIOD_MONTH, december);
	expect(id, december, 0);
	/* Years in which nothing ran. */
	use(id, 1000);
	turn(id, PERIOD_MONTH, december + (365 + 365 + 366 + 365) * DAY_S);
	expect(id, december + (365 + 365 + 366 + 365) * DAY_S, 0);
}

static void other_calendars_leave_what_was_used(void **state)
{
	uint64_t id = open_account(5, PERIOD_DAY, "/a");
	const int64_t day = NOON - DAY_S / 2;

	(void)state;
	set_calendars(2, NOON);
	turn(id, PERIOD_DAY, NOON);
	use(id, 7);
	set_calendars(3, NOON + 60);
	turn(id, PERIOD_DAY, NOON + 60);
	expect(id, day, 7);
	assert_int_equal(read_account(id).calendar, 3);
	/* Five hours west: the day began later. */
	setenv("TZ", "EST5", 1);
	tzset();
	set_calendars(4, NOON);
	turn(id, PERIOD_DAY, NOON);
	expect(id, day, 7);
	assert_int_equal(read_account(id).end_ns,
			 (day + DAY_S + 5 * 3600 - BOOT) * SEC);
	turn(id, PERIOD_DAY, NOON + DAY_S);
	expect(id, day + DAY_S + 5 * 3600, 0);
	setenv("TZ", "UTC0", 1);
	tzset();
}

/* A machine that boots in 1970 must not forget what it read. */
static void a_clock_that_is_behind_forgets_nothing(void **state)
{
	uint64_t id = open_account(6, PERIOD_MONTH, "/a");
	const int64_t november = NOON - DAY_S / 2;

	(void)state;
	set_calendars(5, NOON);
	turn(id, PERIOD_MONTH, NOON);
	use(id, 1000);
	set_calendars(6, NOON - 400LL * DAY_S);
	turn(id, PERIOD_MONTH, NOON - 400LL * DAY_S);
	expect(id, november, 1000);
	turn(id, PERIOD_MONTH, NOON - 300LL * DAY_S);
	expect(id, november, 1000);
	set_calendars(7, NOON + 1);
	turn(id, PERIOD_MONTH, NOON + 1);
	expect(id, november, 1000);
}

static void without_a_calendar_it_counts_on(void **state)
{
	uint64_t id = open_account(7, PERIOD_DAY, "/a");
	struct calendar nothing = { 0 };
	struct calendar_state made = { .version = 8 };
	uint32_t index = CALENDAR_INDEX(8, PERIOD_DAY), zero = 0;

	(void)state;
	use(id, 3);
	assert_int_equal(
		bpf_map_update_elem(maps.calendars, &index, &nothing, 0), 0);
	assert_int_equal(bpf_map_update_elem(maps.state, &zero, &made, 0), 0);
	turn(id, PERIOD_DAY, NOON);
	expect(id, 0, 3);
	turn(id, PERIODS, NOON);
	expect(id, 0, 3);
	turn(id + 2, PERIOD_DAY, NOON); /* no such account */
}

static void a_reset_is_of_the_period_that_goes_on(void **state)
{
	uint64_t id = open_account(8, PERIOD_DAY, "/a");
	const int64_t day = NOON - DAY_S / 2;
	struct err err;

	(void)state;
	set_calendars(9, NOON);
	turn(id, PERIOD_DAY, NOON);
	use(id, 1000);
	assert_int_equal(accounts_reset(&maps, id, day, &err), 0);
	expect(id, day, 0);
	turn(id, PERIOD_DAY, NOON);
	expect(id, day, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_one_of_group_period_and_path),
		cmocka_unit_test(an_account_of_user_spaces_is_found),
		cmocka_unit_test(
			it_begins_anew_with_each_period_and_not_before),
		cmocka_unit_test(other_calendars_leave_what_was_used),
		cmocka_unit_test(a_clock_that_is_behind_forgets_nothing),
		cmocka_unit_test(without_a_calendar_it_counts_on),
		cmocka_unit_test(a_reset_is_of_the_period_that_goes_on),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
