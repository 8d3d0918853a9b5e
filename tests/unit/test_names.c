/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/names.h"

static void the_first_of_a_name_is_found(void **state)
{
	CLEANUP(names_clear) struct names names = { 0 };
	size_t first = 0;

	(void)state;
	assert_int_equal(names_find(&names, 0, "web"), NAME_UNKNOWN);
	assert_int_equal(names_add(&names, 0, "web", 7, &first), 0);
	assert_int_equal(names_add(&names, 0, "web", 8, &first), 1);
	assert_int_equal(first, 7);
	assert_int_equal(names_find(&names, 0, "web"), 7);
	assert_int_equal(names_find(&names, 0, "we"), NAME_UNKNOWN);
}

static void scopes_keep_equal_names_apart(void **state)
{
	CLEANUP(names_clear) struct names names = { 0 };
	size_t first;

	(void)state;
	assert_int_equal(names_add(&names, 1, "web", 1, &first), 0);
	assert_int_equal(names_add(&names, 2, "web", 2, &first), 0);
	assert_int_equal(names_find(&names, 1, "web"), 1);
	assert_int_equal(names_find(&names, 2, "web"), 2);
	assert_int_equal(names_find(&names, 3, "web"), NAME_UNKNOWN);
}

static void a_hundred_thousand_names_are_all_found(void **state)
{
	enum {
		N = 100000
	};
	CLEANUP(names_clear) struct names names = { 0 };
	static char texts[N][16];
	size_t first;
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n%d", i);
		assert_int_equal(names_add(&names, 0, texts[i], i, &first), 0);
	}
	for (i = 0; i < N; i++)
		assert_int_equal(names_find(&names, 0, texts[i]), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_a_name_is_found),
		cmocka_unit_test(scopes_keep_equal_names_apart),
		cmocka_unit_test(a_hundred_thousand_names_are_all_found),
	};

	return RUN(tests);
}
