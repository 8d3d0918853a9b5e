/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "base/cleanup.h"
#include "base/utf8.h"

static void assert_printable(const char *text, const char *expected)
{
	AUTO_FREE char *got = utf8_printable(text);

	assert_non_null(got);
	assert_string_equal(got, expected);
}

static void a_text_that_can_be_shown_is_as_it_was(void **state)
{
	(void)state;
	assert_printable("", "");
	assert_printable("/system.slice/getty\\x2d1",
			 "/system.slice/getty\\x2d1");
	assert_printable("tab\there", "tab\there");
	assert_printable("\xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x8c\x8a",
			 "\xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x8c\x8a");
}

static void what_is_no_utf8_is_written_out(void **state)
{
	(void)state;
	assert_printable("a\xff", "a\\xff");
	assert_printable("\xc3"
			 "a",
			 "\\xc3a");
	assert_printable("cut \xe6\x9d", "cut \\xe6\\x9d");
	assert_printable("\xc0\x80", "\\xc0\\x80");
	assert_printable("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_printable("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}

static void what_moves_a_cursor_or_hides_is_written_out(void **state)
{
	(void)state;
	assert_printable("\x1b[31m", "\\x1b[31m");
	assert_printable("a\nb\rc\x7f", "a\\x0ab\\x0dc\\x7f");
	assert_printable("\xc2\x9b"
			 "31m",
			 "\\xc2\\x9b31m");
	assert_printable("\xe2\x80\xae", "\\xe2\\x80\\xae");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_that_can_be_shown_is_as_it_was),
		cmocka_unit_test(what_is_no_utf8_is_written_out),
		cmocka_unit_test(what_moves_a_cursor_or_hides_is_written_out),
	};

	return RUN(tests);
}
