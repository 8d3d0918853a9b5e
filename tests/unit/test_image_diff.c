/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "rules/image_diff.h"
#include "tests/unit/compile_text.h"

/* A line each: +, ~ or -, what, its name, how it is or was. */
static char *changes_between(const char *was, const char *is)
{
	CLEANUP(image_freep) struct image *old = compile_text(was, NULL);
	CLEANUP(image_freep) struct image *new = compile_text(is, old);
	CLEANUP(changes_clear) struct changes changes = { 0 };
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(image_diff(old, new, &changes), 0);
	for (i = 0; i < changes.n_list; i++)
		fprintf(out, "%c %s %s: %s\n", "+~-"[changes.list[i].action],
			changes.list[i].object, changes.list[i].name,
			changes.list[i].detail);
	fclose(out);
	return text;
}

static void assert_changes(const char *was, const char *is,
			   const char *expected)
{
	AUTO_FREE char *changes = changes_between(was, is);

	assert_string_equal(changes, expected);
}

static void rules_of_a_new_chain_come_behind_all_chains(void **state)
{
	(void)state;
	assert_changes("",
		       "[chain b]\npolicy = deny\n10 = allow tcp\n"
		       "[chain a]\npolicy = allow\n20 = deny udp\n5 = deny\n",
		       "+ chain a: policy allow\n"
		       "+ chain b: policy deny\n"
		       "+ rule a 5: deny\n"
		       "+ rule a 20: deny udp\n"
		       "+ rule b 10: allow tcp\n");
}

static void numbers_in_names_sort_as_numbers(void **state)
{
	(void)state;
	assert_changes(
		"",
		"[chain c10]\npolicy = deny\n1 = allow\n[chain c9]\npolicy = deny\n1 = allow\n"
		"[chain c]\npolicy = deny\n1 = allow\n[chain c-9]\npolicy = deny\n1 = allow\n",
		"+ chain c: policy deny\n"
		"+ chain c-9: policy deny\n"
		"+ chain c9: policy deny\n"
		"+ chain c10: policy deny\n"
		"+ rule c 1: allow\n"
		"+ rule c-9 1: allow\n"
		"+ rule c9 1: allow\n"
		"+ rule c10 1: allow\n");
}

static void rules_are_told_apart_by_chain_and_number(void **state)
{
	(void)state;
	assert_changes(
		"[chain c]\npolicy = deny\n1 = allow tcp\n2 = deny\n3 = allow udp\n"
		"[chain d]\npolicy = deny\n7 = allow\n",
		"[chain c]\npolicy = deny\n1 = allow tcp\n3 = allow icmp\n4 = deny\n"
		"[chain e]\npolicy = deny\n7 = allow\n",
		"- chain d: policy deny\n"
		"+ chain e: policy deny\n"
		"- rule c 2: deny\n"
		"~ rule c 3: allow icmp\n"
		"+ rule c 4: deny\n"
		"- rule d 7: allow\n"
		"+ rule e 7: allow\n");
}

static void a_chain_that_moved_in_the_file_has_not_changed(void **state)
{
	(void)state;
	assert_changes(
		"[chain c]\npolicy = deny\n1 = allow\n[chain d]\npolicy = deny\n1 = deny\n",
		"[chain d]\npolicy = deny\n1 = deny\n\n[chain c]\npolicy = deny\n1 = allow\n",
		"");
}

static void a_damaged_table_has_no_rules(void **state)
{
	CLEANUP(image_freep)
	struct image *old =
		compile_text("[chain c]\npolicy = deny\n1 = allow\n", NULL);
	CLEANUP(image_freep) struct image *new = compile_text("", NULL);
	CLEANUP(changes_clear) struct changes changes = { 0 };

	(void)state;
	old->chains[0].count = 4294967295U;
	assert_int_equal(image_diff(old, new, &changes), 0);
	assert_int_equal(changes.n_list, 1);
	assert_string_equal(changes.list[0].object, "chain");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_a_new_chain_come_behind_all_chains),
		cmocka_unit_test(numbers_in_names_sort_as_numbers),
		cmocka_unit_test(rules_are_told_apart_by_chain_and_number),
		cmocka_unit_test(
			a_chain_that_moved_in_the_file_has_not_changed),
		cmocka_unit_test(a_damaged_table_has_no_rules),
	};

	return RUN(tests);
}
