/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was used of quotas, as text: written, read, and damaged. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/ledger.h"

static void add(struct ledger *ledger, enum quota_period period,
		int64_t begin_s, uint64_t used_bytes, const char *group,
		char *path)
{
	struct ledger_entry entry = { .period = period,
				      .begin_s = begin_s,
				      .used_bytes = used_bytes,
				      .path = path };

	strcpy(entry.group, group);
	assert_int_equal(ledger_add(ledger, &entry), 0);
}

static void make(struct ledger *ledger)
{
	char longest[LEDGER_PATH_MAX] = "";

	memset(longest, '/', sizeof(longest) - 1);
	add(ledger, PERIOD_MONTH, 1793491200, 123456, "web", "");
	add(ledger, PERIOD_HOUR, 0, INT64_MAX, "9", "/a b/\xff \x01*");
	add(ledger, PERIOD_DAY, UINT32_MAX, 0, "web", longest);
	/* A clock at its beginning, east of Greenwich, and one at its end. */
	add(ledger, PERIOD_DAY, -50400, 1, "east", "/");
	add(ledger, PERIOD_WEEK, LEDGER_BEGIN_MAX, 1, "end", "/");
}

static void what_is_written_is_read_again(void **state)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 }, again = { 0 };
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t size, i;

	(void)state;
	make(&ledger);
	assert_int_equal(ledger_format(&ledger, &text, &size), 0);
	if (ledger_parse(text, size, &again, &why) < 0)
		fail_msg("%s", why.msg);
	assert_int_equal(again.n_entries, 5);
	for (i = 0; i < 5; i++) {
		const struct ledger_entry *a = &ledger.entries[i];
		const struct ledger_entry *b = &again.entries[i];

		assert_int_equal(ledger_compare(a, b), 0);
		assert_int_equal(a->begin_s, b->begin_s);
		assert_int_equal(a->used_bytes, b->used_bytes);
	}
}

/* One entry that cannot be would cost all others. */
static void no_begin_is_written_that_cannot_be_read(void **state)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 }, again = { 0 };
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t size;

	(void)state;
	add(&ledger, PERIOD_DAY, INT64_MIN, 1, "a", "/");
	add(&ledger, PERIOD_DAY, INT64_MAX, 1, "b", "/");
	assert_int_equal(ledger_format(&ledger, &text, &size), 0);
	if (ledger_parse(text, size, &again, &why) < 0)
		fail_msg("%s", why.msg);
	assert_int_equal(again.entries[0].begin_s, LEDGER_BEGIN_MIN);
	assert_int_equal(again.entries[1].begin_s, LEDGER_BEGIN_MAX);
}

static void an_empty_one_is_one(void **state)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 }, again = { 0 };
	AUTO_FREE char *text = NULL;
	struct err why;
	size_t size;

	(void)state;
	assert_int_equal(ledger_format(&ledger, &text, &size), 0);
	assert_int_equal(ledger_parse(text, size, &again, &why), 0);
	assert_int_equal(again.n_entries, 0);
}

/* Wherever it is cut, and whichever bit is another. */
static void no_damage_goes_unseen(void **state)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 }, again = { 0 };
	AUTO_FREE char *text = NULL;
	size_t size, i;
	struct err why;
	int bit;

	(void)state;
	make(&ledger);
	assert_int_equal(ledger_format(&ledger, &text, &size), 0);
	for (i = 0; i < size; i++)
		assert_int_equal(ledger_parse(text, i, &again, &why), -EINVAL);
	for (i = 0; i < size; i++) {
		for (bit = 0; bit < 8; bit++) {
			text[i] ^= 1 << bit;
			assert_int_equal(ledger_parse(text, size, &again, &why),
					 -EINVAL);
			text[i] ^= 1 << bit;
		}
	}
	assert_int_equal(again.n_entries, 0);
}

#define FIRST "weir-quotas 1\n"

static void what_is_wrong_is_said_by_line(void **state)
{
	static const char *const cases[][2] = {
		{ "", "line 1 is not whole" },
		{ "weir-quotas 2\n", "it is of another version of weir" },
		{ "[group a]\n", "it is no file of quotas" },
		{ FIRST, "line 2 is not whole" },
		{ FIRST "month 1 2 a\n", "line 2 has too few words" },
		{ FIRST "year 1 2 a /p\n", "line 2 has no such period" },
		{ FIRST "day --1 2 a /p\n", "line 2 has no begin" },
		{ FIRST "day - 2 a /p\n", "line 2 has no begin" },
		{ FIRST "day -0 2 a /p\n", "line 2 has no begin" },
		{ FIRST "day -31622401 2 a /p\n", "line 2 has no begin" },
		{ FIRST "day 8500000001 2 a /p\n", "line 2 has no begin" },
		{ FIRST "day 1 0x2 a /p\n", "line 2 has no bytes" },
		{ FIRST "day 1 9223372036854775808 a /p\n",
		  "line 2 has no bytes" },
		{ FIRST "day 1 2 A /p\n", "line 2 has no name of a group" },
		{ FIRST "day 1 2 a p\n", "line 2 has no path of a cgroup" },
		{ FIRST "day 1 2 a \n", "line 2 has no path of a cgroup" },
		{ FIRST "day 1 2 a /p\nend 1 0000000000000000\n",
		  "line 3 does not fit what is above it" },
	};
	struct ledger ledger;
	struct err why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ledger_parse(cases[i][0], strlen(cases[i][0]),
					      &ledger, &why),
				 -EINVAL);
		assert_string_equal(why.msg, cases[i][1]);
	}
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char text[1200] = FIRST "day 1 2 a ";
	size_t n = strlen(text);
	struct ledger ledger;
	struct err why;

	(void)state;
	memset(text + n, '/', LEDGER_PATH_MAX);
	text[n + LEDGER_PATH_MAX] = '\n';
	assert_int_equal(ledger_parse(text, strlen(text), &ledger, &why),
			 -EINVAL);
	assert_string_equal(why.msg, "line 2 has no path of a cgroup");
	memset(text + n, '/', sizeof(text) - n - 1);
	text[sizeof(text) - 2] = '\n';
	assert_int_equal(ledger_parse(text, strlen(text), &ledger, &why),
			 -EINVAL);
	assert_string_equal(why.msg, "line 2 is not whole");
}

static void there_is_an_end_to_what_it_holds(void **state)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 };
	struct ledger_entry entry = { .path = "" };
	size_t i;

	(void)state;
	for (i = 0; i < LEDGER_ENTRIES_MAX; i++)
		assert_int_equal(ledger_add(&ledger, &entry), 0);
	assert_int_equal(ledger_add(&ledger, &entry), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(no_begin_is_written_that_cannot_be_read),
		cmocka_unit_test(an_empty_one_is_one),
		cmocka_unit_test(no_damage_goes_unseen),
		cmocka_unit_test(what_is_wrong_is_said_by_line),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(there_is_an_end_to_what_it_holds),
	};

	return RUN(tests);
}
