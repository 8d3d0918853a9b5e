/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a chain: its list, and what the classifier knows. */
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/image_diff.h"
#include "tests/unit/compile_text.h"

/* A chain of what stands first, and of n rules of addresses of their own. */
static char *chain_text(const char *first, unsigned int n, const char *rest)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	assert_non_null(out);
	fprintf(out, "[chain c]\npolicy = deny\n%s", first);
	for (i = 0; i < n; i++)
		fprintf(out, "%u = allow udp from 10.0.%u.%u\n", 100 + i,
			i / 200, i % 200);
	fputs(rest, out);
	fclose(out);
	return text;
}

static struct image *compile_chain_text(const char *first, unsigned int n,
					const char *rest)
{
	AUTO_FREE char *text = chain_text(first, n, rest);

	return compile_text(text, NULL);
}

static void a_chain_that_looks_at_no_address_is_a_list(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;

	(void)state;
	image = compile_chain_text("10 = allow established\n20 = allow uid 5\n",
				   0, "");
	chain = &image->chains[0];
	assert_true(chain->flags & CHAIN_LINEAR);
	assert_int_equal(chain->list_count, 2);
	assert_int_equal(chain->lowest, NONE);
	assert_int_equal(image->n_class_nodes, 0);
	assert_int_equal(image->n_class_buckets, 0);
}

static void one_rule_with_an_address_is_looked_up(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;

	(void)state;
	image = compile_chain_text("", 1, "");
	chain = &image->chains[0];
	assert_false(chain->flags & (CHAIN_LINEAR | CHAIN_LISTED));
	assert_int_equal(chain->list_count, 0);
	assert_int_equal(chain->lowest, 0);
	assert_int_not_equal(chain->roots[CLASS_IP4], NONE);
}

static void what_looks_at_no_address_is_listed(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;

	(void)state;
	image = compile_chain_text("10 = allow established\n"
				   "20 = deny tcp from @s\n"
				   "30 = deny tcp from not 10.0.0.1 length 9\n",
				   20,
				   "200 = deny tcp to port 22 length 9\n"
				   "[set s]\nelements = 10.0.0.1\n");
	chain = &image->chains[0];
	assert_false(chain->flags & CHAIN_LINEAR);
	assert_true(chain->flags & CHAIN_LISTED);
	assert_int_equal(chain->list_count, 3);
	assert_int_equal(image->class_buckets[chain->list + 2], 2);
	assert_int_equal(chain->lowest, 3);
	assert_int_equal(chain->refuses, 23);
	assert_int_not_equal(chain->roots[CLASS_IP4], NONE);
	/* Only port 22 is about IPv6, too. */
	assert_int_not_equal(chain->roots[CLASS_IP6], NONE);
	assert_int_equal(chain->roots[CLASS_CALL4], NONE);
}

/* Entries are IPv4 but for those of IPv6, which take two places. */
static size_t entries_of(const char *rule)
{
	CLEANUP(image_freep) struct image *image = NULL, *without = NULL;

	image = compile_chain_text(rule, 20, "");
	without = compile_chain_text("", 20, "");
	return image->n_class_entries - without->n_class_entries;
}

static void lists_are_entries(void **state)
{
	(void)state;
	assert_int_equal(entries_of("1 = allow from 192.0.2.1\n"), 1);
	assert_int_equal(entries_of("1 = allow from 192.0.2.1,192.0.2.9\n"), 2);
	assert_int_equal(entries_of("1 = allow tcp from 192.0.2.1,192.0.2.9 "
				    "to port 80,443,8000-8099\n"),
			 6);
	/* A range that crosses a round number is two. */
	assert_int_equal(entries_of("1 = allow from 192.0.2.3-192.0.2.90\n"),
			 1);
	assert_int_equal(entries_of("1 = allow from 192.0.2.120-192.0.2.136\n"),
			 2);
	assert_int_equal(entries_of("1 = allow from 2001:db8::/64\n"), 2);
	assert_int_equal(entries_of("1 = allow udp to port 53\n"), 1 + 2);
	assert_int_equal(entries_of("1 = allow ip6 udp to port 53\n"), 2);
	/* What is in no list that the classifier knows is one, left open. */
	assert_int_equal(entries_of("1 = allow from not 192.0.2.1 to "
				    "192.0.2.2\n"),
			 1);
}

static void many_that_are_left_open_are_listed(void **state)
{
	CLEANUP(image_freep) struct image *few = NULL, *many = NULL;
	AUTO_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	(void)state;
	few = compile_chain_text("1 = allow udp to port 53 limit 1/s\n", 20,
				 "");
	assert_int_equal(few->chains[0].list_count, 0);
	fputs("[chain c]\npolicy = deny\n", out);
	for (i = 1; i <= 40; i++)
		fprintf(out, "%u = allow udp to port 53 mark %u\n", i, i);
	fclose(out);
	many = compile_text(text, NULL);
	assert_int_equal(many->chains[0].list_count, 40);
}

static void what_fits_no_list_is_refused(void **state)
{
	AUTO_FREE char *text = NULL, *problem = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	(void)state;
	fputs("[chain c]\npolicy = deny\n", out);
	for (i = 1; i <= 16384; i++)
		fprintf(out, "%u = allow mark %u\n", i, i);
	fclose(out);
	problem = compile_text_wrong(text);
	assert_string_equal(
		problem,
		"chain 'c': for some packets 16384 of its 16384 rules would "
		"have to be tried one after the other and 0 tables looked up, "
		"at most 16383 and 128 are possible: put addresses or ports "
		"into sets");
}

static void calls_have_roots_where_a_group_asks(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_chain_text("", 20,
				   "[group g]\nmatch = /g\nfilter-out = c\n");
	assert_true(image->chains[0].flags & CHAIN_CALLS);
	assert_int_not_equal(image->chains[0].roots[CLASS_CALL4], NONE);
	assert_int_equal(image->chains[0].roots[CLASS_CALL6], NONE);
}

static void the_same_policy_gives_the_same_bytes(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL, *second = NULL;

	(void)state;
	first = compile_chain_text("1 = deny tcp to port 22\n", 5000,
				   "9000 = allow to 2001:db8::/32\n");
	second = compile_chain_text("1 = deny tcp to port 22\n", 5000,
				    "9000 = allow to 2001:db8::/32\n");
	assert_true(first->n_class_nodes > 0);
	assert_true(image_same(first, second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_that_looks_at_no_address_is_a_list),
		cmocka_unit_test(one_rule_with_an_address_is_looked_up),
		cmocka_unit_test(what_looks_at_no_address_is_listed),
		cmocka_unit_test(lists_are_entries),
		cmocka_unit_test(many_that_are_left_open_are_listed),
		cmocka_unit_test(what_fits_no_list_is_refused),
		cmocka_unit_test(calls_have_roots_where_a_group_asks),
		cmocka_unit_test(the_same_policy_gives_the_same_bytes),
	};

	return RUN(tests);
}
