/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "rules/pattern.h"

static void clean_absolute_patterns_are_taken(void **state)
{
	struct err why;

	(void)state;
	assert_int_equal(pattern_check("/", &why), 0);
	assert_int_equal(pattern_check("/a", &why), 0);
	assert_int_equal(pattern_check("/a..b/..c/...", &why), 0);
	assert_int_equal(pattern_check("/machine.slice/*", &why), 0);
	assert_int_equal(pattern_check("/[a-z]?/[!0-9]*.service", &why), 0);
	assert_int_equal(pattern_check("/sys/fs/cgroups", &why), 0);
}

static void assert_refused(const char *pattern, const char *reason)
{
	struct err why;

	assert_int_equal(pattern_check(pattern, &why), -EINVAL);
	if (!strstr(why.msg, reason))
		fail_msg("'%s' is not in: %s", reason, why.msg);
}

static void others_are_refused_with_what_would_do(void **state)
{
	char path[400];

	(void)state;
	assert_refused("", "(try /)");
	assert_refused("a/b", "(try /a/b)");
	assert_refused("/a/", "(try /a)");
	assert_refused("//a///b/", "(try /a/b)");
	assert_refused("/./a/.", "(try /a)");
	assert_refused("..", "has a '..'");
	assert_refused("/a/..", "has a '..'");
	assert_refused("/a/../b", "has a '..'");
	assert_refused("/sys/fs/cgroup/a/b", "(try /a/b)");
	assert_refused("/a[b", "not closed");
	assert_refused("/[]", "not closed");
	assert_refused("/[z-a]", "backwards");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[256] = '\0';
	assert_refused(path, "256 bytes long, 255 at most");
	assert_refused("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", "17 folders deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_absolute_patterns_are_taken),
		cmocka_unit_test(others_are_refused_with_what_would_do),
	};

	return RUN(tests);
}
