/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static void pieces_become_one_string(void **state)
{
	struct text text;
	AUTO_FREE char *string = NULL;

	(void)state;
	text_begin(&text);
	text_put(&text, "a");
	text_char(&text, ' ');
	text_number(&text, 4294967295U);
	text_add(&text, "bcd", 2);
	text_hex(&text, 0xfe);
	text_number(&text, 0);
	assert_int_equal(text_take(&text, &string), 0);
	assert_string_equal(string, "a 4294967295bc0xfe0");
}

static void nothing_is_an_empty_string(void **state)
{
	struct text text;
	AUTO_FREE char *string = NULL;

	(void)state;
	text_begin(&text);
	assert_int_equal(text_take(&text, &string), 0);
	assert_string_equal(string, "");
}

static void a_text_may_be_of_any_length(void **state)
{
	struct text text;
	AUTO_FREE char *string = NULL;
	size_t i, n = 0;

	(void)state;
	text_begin(&text);
	for (i = 0; i < 1000; i++) {
		text_add(&text, "0123456789", i % 11);
		n += i % 11;
	}
	assert_int_equal(text_take(&text, &string), 0);
	assert_int_equal(strlen(string), n);
	assert_memory_equal(string, "001012", 6);
	assert_memory_equal(string + n - 9, "012345678", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_one_string),
		cmocka_unit_test(nothing_is_an_empty_string),
		cmocka_unit_test(a_text_may_be_of_any_length),
	};

	return RUN(tests);
}
