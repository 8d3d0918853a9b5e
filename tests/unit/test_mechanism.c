/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor says of a kernel that has everything but one thing. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/mechanism.h"

static const char *missing;

static bool has(const char *feature)
{
	return strcmp(feature, missing) != 0;
}

static void each_limit_gets_what_the_kernel_has_all_of(void **state)
{
	static const char *const cases[][2] = {
		{ "", "pace htb htb htb htb" },
		{ "fq", "pace htb htb htb htb" },
		{ "departure_times", "pace htb htb htb htb" },
		{ "ifb", "pace htb police htb -" },
		{ "htb", "pace police police - -" },
		{ "clsact", "pace police police - -" },
		{ "sched_cls", "pace police police - -" },
		{ "sockops_setsockopt", "police htb htb htb htb" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mechanism *mechanism;
		char line[64] = "";
		size_t n = 0;

		missing = cases[i][0];
		for (mechanism = mechanisms; mechanism->limit; mechanism++)
			n += snprintf(line + n, sizeof(line) - n, "%s%s",
				      n ? " " : "",
				      mechanism_choose(mechanism, has));
		assert_string_equal(line, cases[i][1]);
	}
}

static void departure_times_are_offered_where_all_is_there(void **state)
{
	static const char *const cases[][2] = {
		{ "", "- edt - edt -" },   { "htb", "- edt - edt -" },
		{ "fq", "- - - - -" },	   { "departure_times", "- - - - -" },
		{ "clsact", "- - - - -" }, { "sched_cls", "- - - - -" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mechanism *mechanism;
		char line[64] = "";
		size_t n = 0;

		missing = cases[i][0];
		for (mechanism = mechanisms; mechanism->limit; mechanism++) {
			const char *asked = mechanism_asked(mechanism, has);

			n += snprintf(line + n, sizeof(line) - n, "%s%s",
				      n ? " " : "", asked ? asked : "-");
		}
		assert_string_equal(line, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_gets_what_the_kernel_has_all_of),
		cmocka_unit_test(
			departure_times_are_offered_where_all_is_there),
	};

	return RUN(tests);
}
