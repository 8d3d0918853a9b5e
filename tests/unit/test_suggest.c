/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/array.h"
#include "rules/suggest.h"

static const char *const words[] = { "allow", "deny",	   "reject",
				     "match", "filter-in", "filter-out",
				     "out",   "in" };

static const char *nearest(const char *text)
{
	struct suggestion best;
	size_t i;

	suggestion_begin(&best, text);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		suggestion_try(&best, words[i]);
	return best.word;
}

static void a_misspelt_word_finds_the_one_that_was_meant(void **state)
{
	(void)state;
	assert_string_equal(nearest("alow"), "allow");
	assert_string_equal(nearest("allwo"), "allow");
	assert_string_equal(nearest("dney"), "deny");
	assert_string_equal(nearest("rejectt"), "reject");
	assert_string_equal(nearest("filterin"), "filter-in");
	assert_string_equal(nearest("filter_out"), "filter-out");
	assert_string_equal(nearest("mtach"), "match");
	assert_string_equal(nearest("ot"), "out");
}

static void upper_case_is_no_slip(void **state)
{
	(void)state;
	assert_string_equal(nearest("DENY"), "deny");
	assert_string_equal(nearest("Filter-In"), "filter-in");
}

static void words_that_are_far_off_find_none(void **state)
{
	(void)state;
	assert_null(nearest("zebra"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest("drop"));
}

static void the_nearest_of_several_wins(void **state)
{
	struct suggestion best;

	(void)state;
	suggestion_begin(&best, "gbit");
	suggestion_try(&best, "gibit");
	assert_int_equal(best.distance, 1);
	suggestion_try(&best, "kbit");
	assert_string_equal(best.word, "gibit");
	suggestion_try(&best, "gbit");
	assert_string_equal(best.word, "gbit");
	assert_int_equal(best.distance, 0);
}

static void very_long_words_are_left_alone(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(nearest(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misspelt_word_finds_the_one_that_was_meant),
		cmocka_unit_test(upper_case_is_no_slip),
		cmocka_unit_test(words_that_are_far_off_find_none),
		cmocka_unit_test(the_nearest_of_several_wins),
		cmocka_unit_test(very_long_words_are_left_alone),
	};

	return RUN(tests);
}
