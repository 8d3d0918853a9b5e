/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/problem.h"

static char *printed(const struct problems *problems)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	problems_print(problems, out);
	fclose(out);
	return text;
}

static void problems_are_sorted_by_file_as_first_seen_then_by_line(void **state)
{
	struct problems problems = { 0 };
	char *text;

	(void)state;
	assert_int_equal(problem_add(&problems, "z.ini", 10, "a"), -EINVAL);
	problem_add(&problems, "a.ini", 2, "b");
	problem_add(&problems, "z.ini", 9, "c %d", 5);
	problem_add(&problems, "z.ini", 10, "d");
	problem_add(&problems, "a.ini", 0, "e");
	problems_sort(&problems);
	text = printed(&problems);
	assert_string_equal(text, "z.ini:9: error: c 5\n"
				  "z.ini:10: error: a\n"
				  "z.ini:10: error: d\n"
				  "a.ini: error: e\n"
				  "a.ini:2: error: b\n");
	free(text);
	problems_clear(&problems);
}

static void problems_beyond_the_maximum_are_counted(void **state)
{
	struct problems problems = { 0 };
	char *text;
	int i;

	(void)state;
	for (i = 0; i < PROBLEMS_MAX + 3; i++)
		problem_add(&problems, "a.ini", i + 1, "bad");
	assert_int_equal(problems.n_list, PROBLEMS_MAX);
	assert_int_equal(problems.n_left_out, 3);
	problems_sort(&problems);
	text = printed(&problems);
	assert_non_null(strstr(text, "\n3 more errors are not shown\n"));
	free(text);
	problems_clear(&problems);
	assert_int_equal(problems.n_list, 0);
}

static void no_problems_print_nothing(void **state)
{
	struct problems problems = { 0 };
	char *text;

	(void)state;
	problems_sort(&problems);
	text = printed(&problems);
	assert_string_equal(text, "");
	free(text);
	problems_clear(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			problems_are_sorted_by_file_as_first_seen_then_by_line),
		cmocka_unit_test(problems_beyond_the_maximum_are_counted),
		cmocka_unit_test(no_problems_print_nothing),
	};

	return RUN(tests);
}
