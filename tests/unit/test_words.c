/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/words.h"

/* The words with a | between them, a comma and a quote where they are. */
static void assert_splits(const char *text, const char *expected)
{
	CLEANUP(words_clear) struct words words = { 0 };
	char got[256] = "";
	struct err why;
	size_t i, n = 0;

	if (words_split(text, &words, &why) < 0)
		fail_msg("%s", why.msg);
	for (i = 0; i < words.n_list; i++)
		n += snprintf(got + n, sizeof(got) - n, "%s%s%s%s",
			      i ? "|" : "", words.list[i].comma ? "," : "",
			      words.list[i].quoted ? "\"" : "",
			      words.list[i].text);
	assert_string_equal(got, expected);
}

static void assert_refused(const char *text, const char *message)
{
	CLEANUP(words_clear) struct words words = { 0 };
	struct err why;

	assert_int_equal(words_split(text, &words, &why), -EINVAL);
	assert_string_equal(why.msg, message);
}

static void blanks_and_commas_separate_words(void **state)
{
	(void)state;
	assert_splits("", "");
	assert_splits("  \t ", "");
	assert_splits("a", "a");
	assert_splits(" a b\tc ", "a|b|c");
	assert_splits("a,b, c ,d", "a|,b|,c|,d");
}

static void quotes_keep_blanks_and_commas(void **state)
{
	(void)state;
	assert_splits("log \"a, b\" x", "log|\"a, b|x");
	assert_splits("\"a\",\"b\"", "\"a|,\"b");
	assert_splits("\"\"", "\"");
	assert_splits("\"say \\\"hi\\\" \\\\ \\n\"", "\"say \"hi\" \\ \\n");
}

static void what_is_lost_between_commas_and_quotes_is_refused(void **state)
{
	(void)state;
	assert_refused(",a", "there is nothing before a comma");
	assert_refused("a,,b", "there is nothing before a comma");
	assert_refused("a, ,b", "there is nothing before a comma");
	assert_refused("a,", "there is nothing behind the last comma");
	assert_refused("a , ", "there is nothing behind the last comma");
	assert_refused("\"abc", "the quote before 'abc' is not closed");
	assert_refused("\"abc\\\"", "the quote before 'abc\\\"' is not closed");
	assert_refused("\"a\"b", "there is no blank between a quote and 'b'");
	assert_refused("a\"b\"", "there is no blank between 'a' and a quote");
}

static void words_are_taken_one_by_one(void **state)
{
	CLEANUP(words_clear) struct words words = { 0 };
	struct err why;

	(void)state;
	assert_int_equal(words_split("a,b", &words, &why), 0);
	assert_string_equal(words_peek(&words)->text, "a");
	assert_false(words_comma(&words));
	words.next++;
	assert_true(words_comma(&words));
	words.next++;
	assert_null(words_peek(&words));
	assert_false(words_comma(&words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_and_commas_separate_words),
		cmocka_unit_test(quotes_keep_blanks_and_commas),
		cmocka_unit_test(
			what_is_lost_between_commas_and_quotes_is_refused),
		cmocka_unit_test(words_are_taken_one_by_one),
	};

	return RUN(tests);
}
