/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often watch looks at the accounts of quotas. */
#include "tests/unit/unit.h"

#include "ctl/quota_watch.h"

static void a_look_that_takes_long_is_followed_by_a_rest(void **state)
{
	struct quota_watch watch = { .look_ms = 100 };

	(void)state;
	assert_false(quota_watch_rests(&watch, 1000));
	quota_watch_took(&watch, 1000, 1100);
	assert_int_equal(watch.look_ms, 2000);
	/* Whoever waits less, as for the next look at the machine. */
	assert_true(quota_watch_rests(&watch, 1600));
	assert_int_equal(watch.look_ms, 1500);
	assert_true(quota_watch_rests(&watch, 3099));
	assert_int_equal(watch.look_ms, 1);
	assert_false(quota_watch_rests(&watch, 3100));
}

static void a_look_that_is_short_is_repeated_as_asked(void **state)
{
	struct quota_watch watch = { .look_ms = 10 };

	(void)state;
	quota_watch_took(&watch, 1000, 1000);
	assert_int_equal(watch.look_ms, 10);
	assert_false(quota_watch_rests(&watch, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_that_takes_long_is_followed_by_a_rest),
		cmocka_unit_test(a_look_that_is_short_is_repeated_as_asked),
	};

	return RUN(tests);
}
