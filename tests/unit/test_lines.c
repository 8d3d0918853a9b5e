/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "rules/lines.h"

/* The lines of text, each with a | behind it. */
static void assert_lines(const char *bytes, size_t size, const char *expected)
{
	char text[256], got[256] = "";
	struct lines lines;
	int number = 0;

	memcpy(text, bytes, size);
	text[size] = '\0';
	lines_begin(&lines, text, size);
	while (lines_next(&lines)) {
		assert_int_equal(lines.number, ++number);
		strcat(strcat(got, lines.line), "|");
	}
	assert_string_equal(got, expected);
}

static void lines_end_in_every_way_that_people_know(void **state)
{
	(void)state;
	assert_lines("", 0, "");
	assert_lines("a", 1, "a|");
	assert_lines("a\n", 2, "a|");
	assert_lines("\n\n", 2, "||");
	assert_lines("a\r\nb\r\n", 6, "a|b|");
	assert_lines("  a \t\r\n\tb c ", 12, "a|b c|");
	assert_lines("\xef\xbb\xbf"
		     "a\nb",
		     6, "a|b|");
	assert_lines("\xef\xbb\xbf", 3, "");
}

static void assert_checked(const char *bytes, size_t size, const char *problem)
{
	struct problems problems = { 0 };
	char text[256];
	struct lines lines;

	memcpy(text, bytes, size);
	text[size] = '\0';
	lines_begin(&lines, text, size);
	assert_true(lines_next(&lines));
	if (!problem) {
		assert_int_equal(line_check(&lines, "f", &problems), 0);
		return;
	}
	assert_int_equal(line_check(&lines, "f", &problems), -EINVAL);
	assert_string_equal(problems.list[0].text, problem);
	problems_clear(&problems);
}

#define CHECK(bytes, problem) assert_checked(bytes, sizeof(bytes) - 1, problem)

static void clean_utf8_is_taken_and_nothing_else(void **state)
{
	(void)state;
	CHECK("plain\ttext", NULL);
	CHECK("Gr\xc3\xbc\xc3\x9f"
	      "e",
	      NULL);
	CHECK("\xe6\x9d\xb1 \xf0\x9f\x8c\x8a", NULL);
	CHECK("a\0b", "the line has a NUL byte");
	CHECK("a\x1b[0m", "the line has a control character (U+001B)");
	CHECK("a\rb", "the line has a control character (U+000D)");
	CHECK("a\x7f", "the line has a control character (U+007F)");
	CHECK("\xc2\x85", "the line has a control character (U+0085)");
	CHECK("\xe2\x80\xae", "the line has an invisible character (U+202E)");
	CHECK("a\xef\xbb\xbf", "the line has an invisible character (U+FEFF)");
	CHECK("\xff", "the line is not UTF-8 (byte 0xff)");
	CHECK("\xc0\xaf", "the line is not UTF-8 (byte 0xc0)");
	CHECK("\xe0\x80\xaf", "the line is not UTF-8 (byte 0xe0)");
	CHECK("\xed\xa0\x80", "the line is not UTF-8 (byte 0xed)");
	CHECK("\xf4\x90\x80\x80", "the line is not UTF-8 (byte 0xf4)");
	CHECK("\xe6\x9d", "the line is not UTF-8 (byte 0xe6)");
}

static void a_pipe_is_read_to_its_end(void **state)
{
	AUTO_FREE char *text = NULL;
	char path[32];
	struct err err;
	size_t size;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "a\nb", 3), 3);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(text_read(path, 100, &text, &size, &err), 0);
	close(fds[0]);
	assert_int_equal(size, 3);
	assert_string_equal(text, "a\nb");
}

static void what_has_no_end_is_refused_at_the_bound(void **state)
{
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_int_equal(text_read("/dev/zero", 2 << 20, &text, &size, &err),
			 -EFBIG);
	assert_string_equal(err.msg,
			    "read: more than 2 MiB, which is all that fits");
	assert_int_equal(text_read_plain("/dev/zero", 100, &text, &size, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "open: not a plain file");
}

static void what_cannot_be_read_is_said(void **state)
{
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_int_equal(text_read("/", 100, &text, &size, &err), -EISDIR);
	assert_string_equal(err.msg, "read: Is a directory");
	assert_int_equal(text_read("/nonexistent", 100, &text, &size, &err),
			 -ENOENT);
	assert_string_equal(err.msg, "open: No such file or directory");
	assert_int_equal(text_read("/etc/passwd/x", 100, &text, &size, &err),
			 -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_in_every_way_that_people_know),
		cmocka_unit_test(clean_utf8_is_taken_and_nothing_else),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(what_has_no_end_is_refused_at_the_bound),
		cmocka_unit_test(what_cannot_be_read_is_said),
	};

	return RUN(tests);
}
