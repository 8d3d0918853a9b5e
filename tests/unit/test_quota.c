/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "rules/describe.h"
#include "rules/quota.h"
#include "tests/unit/compile_text.h"

static void a_quota_is_bytes_in_a_period(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		enum quota_period period;
	} cases[] = {
		{ "1b/hour", 1, PERIOD_HOUR },
		{ "1.5mb/day", 1500000, PERIOD_DAY },
		{ "100gb/month", 100000000000, PERIOD_MONTH },
		{ "512mib/week", 536870912, PERIOD_WEEK },
		{ "2tb/month", 2000000000000, PERIOD_MONTH },
		{ "1tib/month", 1099511627776, PERIOD_MONTH },
		{ "1000tb/month", VOLUME_MAX_BYTES, PERIOD_MONTH },
	};
	char printed[QUOTA_TEXT_MAX];
	enum quota_period period;
	uint64_t bytes;
	struct err why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (quota_parse(cases[i].text, &bytes, &period, &why) < 0)
			fail_msg("%s", why.msg);
		assert_int_equal(bytes, cases[i].bytes);
		assert_int_equal(period, cases[i].period);
		quota_format(bytes, period, printed);
		assert_string_equal(printed, cases[i].text);
	}
}

static void what_is_no_quota_is_refused_by_name(void **state)
{
	static const char *const cases[][2] = {
		{ "100gb", "'100gb' is not a quota: it needs a period (try "
			   "100gb/month)" },
		{ "100gb/", "'100gb/' is not a quota: a period is hour, day, "
			    "week or month (try 100gb/month)" },
		{ "100gb/mont",
		  "'100gb/mont' is not a quota (try 100gb/month)" },
		{ "1gb/year", "'1gb/year' is not a quota: a period is hour, "
			      "day, week or month (try 1gb/month)" },
		{ "100GB/month", "'100GB' is not a volume (try 100gb)" },
		{ "100gbit/month", "'100gbit' is not a volume: volumes count "
				   "bytes (try 100gb)" },
		{ "/month", "'' is not a volume (try 100gb)" },
		{ "0gb/month", "'0gb' is out of range (1b to 1000tb)" },
		{ "1001tb/month", "'1001tb' is out of range (1b to 1000tb)" },
		{ "99999999999999999999gb/day",
		  "'99999999999999999999gb' is out of range (1b to 1000tb)" },
		{ "1.5b/day", "'1.5b' is not a whole number of bytes" },
	};
	enum quota_period period = PERIODS;
	uint64_t bytes = 7;
	struct err why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			quota_parse(cases[i][0], &bytes, &period, &why),
			-EINVAL);
		assert_string_equal(why.msg, cases[i][1]);
	}
	assert_int_equal(bytes, 7);
	assert_int_equal(period, PERIODS);
}

static void what_comes_after_is_never_faster_than_before(void **state)
{
	CLEANUP(image_freep)
	struct image *image = compile_text(
		"[group g]\nmatch = /g\nout = 1mbit\nin = 8mbit\n"
		"quota = 1gb/day\nafter = 2mbit\n"
		"[group d]\nmatch = /d\nquota = 1gb/day\nafter = deny\n"
		"quota-counts = in\nshare = all\n",
		NULL);
	const struct quota_row *quota = &image->groups[0].quota;
	char text[DESCRIBE_MAX];

	(void)state;
	assert_int_equal(quota->after_out.rate_bytes, 125000);
	assert_memory_equal(&quota->after_out, &image->groups[0].out,
			    sizeof(quota->after_out));
	assert_int_equal(quota->after_in.rate_bytes, 250000);
	assert_int_equal(quota->counts, COUNT_OUT | COUNT_IN);
	assert_int_equal(quota->uid, image->groups[0].uid);
	describe_group(image, &image->groups[0], text);
	assert_non_null(strstr(text, ", quota 1gb/day, then 2mbit"));

	quota = &image->groups[1].quota;
	assert_int_equal(quota->after_rate, 0);
	assert_int_equal(quota->after_out.rate_bytes, 0);
	assert_int_equal(quota->counts, COUNT_IN);
	assert_int_equal(quota->all, 1);
	describe_group(image, &image->groups[1], text);
	assert_string_equal(text,
			    "/d, all together, quota 1gb/day of in, then deny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_is_bytes_in_a_period),
		cmocka_unit_test(what_is_no_quota_is_refused_by_name),
		cmocka_unit_test(what_comes_after_is_never_faster_than_before),
	};

	return RUN(tests);
}
