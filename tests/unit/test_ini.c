/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ini.h"

/* What was read, a section or key a line, with its line number. */
static char *dump(const struct ini *ini)
{
	char *text = NULL;
	size_t size, i, j;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];

		fprintf(out, "%d[%s]\n", section->line, section->text);
		for (j = 0; j < section->n; j++) {
			const struct ini_entry *entry =
				&ini->entries[section->first + j];

			fprintf(out, "%d %s=%s\n", entry->line, entry->key,
				entry->value);
		}
	}
	fclose(out);
	return text;
}

static void assert_parses(const char *text, const char *expected)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	struct problems problems = { 0 };
	char *got;

	assert_int_equal(
		ini_parse("f", strdup(text), strlen(text), &problems, &ini), 0);
	problems_print(&problems, stderr);
	assert_int_equal(problems.n_list, 0);
	got = dump(ini);
	assert_string_equal(got, expected);
	free(got);
}

static void sections_and_keys_come_with_their_lines(void **state)
{
	(void)state;
	assert_parses("", "");
	assert_parses("[a]\nx = 1\n\n; no\ny=2 ; yes\n[b]\nx = 3 # z\n",
		      "1[a]\n2 x=1\n5 y=2\n6[b]\n7 x=3\n");
	assert_parses("[a]\nx =\ny = ; none\nz = a \"b\" c = d\n",
		      "1[a]\n2 x=\n3 y=\n4 z=a \"b\" c = d\n");
	assert_parses("  [ a  b ]\t\n", "1[a  b]\n");
}

static void case_is_kept_where_iniparser_folds_it(void **state)
{
	(void)state;
	assert_parses("[device ETH0]\nx = A\n[device eth0]\nx = b\n"
		      "[device Eth0]\nx = C\n[device x]\nx = d\n",
		      "1[device ETH0]\n2 x=A\n3[device eth0]\n4 x=b\n"
		      "5[device Eth0]\n6 x=C\n7[device x]\n8 x=d\n");
}

static void names_that_differ_in_case_stay_apart_across_pieces(void **state)
{
	AUTO_FREE char *text = NULL, *expected = NULL;
	FILE *out, *expect;
	size_t size;
	int i;

	(void)state;
	out = open_memstream(&text, &size);
	expect = open_memstream(&expected, &size);
	fputs("[device A]\n", out);
	fputs("1[device A]\n", expect);
	for (i = 0; i < 300; i++) {
		fprintf(out, "k%d = A\n", i);
		fprintf(expect, "%d k%d=A\n", i + 2, i);
	}
	fputs("[device a]\n", out);
	fputs("302[device a]\n", expect);
	for (i = 0; i < 300; i++) {
		fprintf(out, "k%d = a\n", i);
		fprintf(expect, "%d k%d=a\n", i + 303, i);
	}
	fclose(out);
	fclose(expect);
	assert_parses(text, expected);
}

static void too_many_clashes_of_case_end_the_reading(void **state)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	struct problems problems = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int i, bit;

	(void)state;
	for (i = 0; i < 2048; i++) {
		fputs("[device ", out);
		for (bit = 0; bit < 11; bit++)
			putc(i >> bit & 1 ? 'A' : 'a', out);
		fputs("]\n", out);
	}
	fclose(out);
	assert_int_equal(ini_parse("f", text, size, &problems, &ini), -EINVAL);
	assert_int_equal(problems.n_list, 1);
	assert_string_equal(problems.list[0].text,
			    "more than 1000 sections differ from others in "
			    "upper and lower case alone");
	problems_clear(&problems);
}

static void equal_sections_stay_apart(void **state)
{
	(void)state;
	assert_parses("[a]\nx = 1\n[b]\n[a]\nx = 2\n",
		      "1[a]\n2 x=1\n3[b]\n4[a]\n5 x=2\n");
}

static void long_files_are_read_across_all_pieces(void **state)
{
	AUTO_FREE char *text = NULL, *expected = NULL;
	size_t size;
	FILE *out;
	int i;

	(void)state;
	out = open_memstream(&text, &size);
	fputs("[a]\n", out);
	for (i = 0; i < 3000; i++)
		fprintf(out, "k%d = %d\n", i, i);
	for (i = 0; i < 600; i++)
		fprintf(out, "[s%d]\n", i);
	fclose(out);
	out = open_memstream(&expected, &size);
	fputs("1[a]\n", out);
	for (i = 0; i < 3000; i++)
		fprintf(out, "%d k%d=%d\n", i + 2, i, i);
	for (i = 0; i < 600; i++)
		fprintf(out, "%d[s%d]\n", i + 3002, i);
	fclose(out);
	assert_parses(text, expected);
}

/* Behind so many lines iniparser is spared those that are plain. */
#define FIRST_PIECE 300

static void rules_far_down_are_read_as_those_above(void **state)
{
	const char *const lines[] = {
		"allow udp from 198.51.100.7 to port 4242",
		"allow tcp from 2001:db8::/32,@office to port 1-2,80",
		"allow tcp to port 80 ; why",
		"allow iface a_b-c.d",
		"allow comment \"x\"",
		"x",
		"",
	};
	AUTO_FREE char *text = NULL, *expected = NULL;
	size_t size, n = sizeof(lines) / sizeof(*lines);
	FILE *out = open_memstream(&text, &size);
	FILE *expect = open_memstream(&expected, &size);
	size_t i;

	(void)state;
	fputs("[chain a]\n", out);
	fputs("1[chain a]\n", expect);
	for (i = 0; i < 2 * FIRST_PIECE; i++) {
		const char *line = lines[i % n];

		fprintf(out, "%zu%s=  %s\n", i + 1, i % 2 ? "  " : "", line);
		fprintf(expect, "%zu %zu=%.*s\n", i + 2, i + 1,
			(int)(strstr(line, " ;") ? strstr(line, " ;") - line
						 : (long)strlen(line)),
			line);
	}
	fclose(out);
	fclose(expect);
	assert_parses(text, expected);
}

static void assert_one_problem(const char *text, int line, const char *expected)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	struct problems problems = { 0 };

	assert_int_equal(
		ini_parse("f", strdup(text), strlen(text), &problems, &ini), 0);
	assert_int_equal(problems.n_list, 1);
	assert_int_equal(problems.list[0].line, line);
	assert_string_equal(problems.list[0].text, expected);
	problems_clear(&problems);
}

static void a_number_that_is_there_twice_is_found_in_any_order(void **state)
{
	(void)state;
	assert_one_problem("[a]\n1 = x\n2 = x\n2 = y\n3 = x\n", 4,
			   "key '2' is already in line 3 of this section");
	assert_one_problem("[a]\n1 = x\n2 = x\n3 = x\nk = x\n1 = y\n4 = x\n", 6,
			   "key '1' is already in line 2 of this section");
	assert_one_problem("[a]\n5 = x\n4 = x\n6 = x\n6 = y\n", 5,
			   "key '6' is already in line 4 of this section");
	assert_one_problem("[a]\n5 = x\n4 = x\n4 = y\n", 4,
			   "key '4' is already in line 3 of this section");
	assert_parses("[a]\n2 = x\n1 = x\n01 = x\n[b]\n1 = x\n2 = x\n",
		      "1[a]\n2 2=x\n3 1=x\n4 01=x\n5[b]\n6 1=x\n7 2=x\n");
}

static void good_lines_are_read_beside_bad_ones(void **state)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	struct problems problems = { 0 };
	const char *text = "[a]\nx = 1;2\ny = 2\n[bad\nz = 3\n[c]\ny = 4\n"
			   "y = 5\n";
	char *got;

	(void)state;
	assert_int_equal(
		ini_parse("f", strdup(text), strlen(text), &problems, &ini), 0);
	assert_int_equal(problems.n_list, 3);
	assert_int_equal(problems.list[2].line, 8);
	got = dump(ini);
	assert_string_equal(got, "1[a]\n3 y=2\n6[c]\n7 y=4\n");
	assert_true(ini->sections[0].has_bad_lines);
	assert_false(ini->sections[1].has_bad_lines);
	free(got);
	problems_clear(&problems);
}

static void utf16_is_refused_once(void **state)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	struct problems problems = { 0 };
	char *text = malloc(5);

	(void)state;
	memcpy(text, "\xff\xfe[\0", 5);
	assert_int_equal(ini_parse("f", text, 4, &problems, &ini), -EINVAL);
	assert_int_equal(problems.n_list, 1);
	assert_null(ini);
	problems_clear(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_keys_come_with_their_lines),
		cmocka_unit_test(case_is_kept_where_iniparser_folds_it),
		cmocka_unit_test(
			names_that_differ_in_case_stay_apart_across_pieces),
		cmocka_unit_test(too_many_clashes_of_case_end_the_reading),
		cmocka_unit_test(equal_sections_stay_apart),
		cmocka_unit_test(long_files_are_read_across_all_pieces),
		cmocka_unit_test(rules_far_down_are_read_as_those_above),
		cmocka_unit_test(
			a_number_that_is_there_twice_is_found_in_any_order),
		cmocka_unit_test(good_lines_are_read_beside_bad_ones),
		cmocka_unit_test(utf16_is_refused_once),
	};

	return RUN(tests);
}
