/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of jumps and returns. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/image_diff.h"
#include "tests/unit/compile_text.h"

static void copies_stand_behind_their_jumps(void **state)
{
	static const struct {
		uint32_t number, verdict, skip;
	} walk[] = {
		{ 10, ROW_JUMP, 4 }, { 1, ROW_RETURN, 4 },  { 2, ROW_JUMP, 4 },
		{ 7, ROW_DENY, 4 },  { 20, ROW_RETURN, 8 }, { 30, ROW_JUMP, 7 },
		{ 7, ROW_DENY, 7 },  { 40, ROW_ALLOW, 8 },
	};
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;
	size_t i;

	(void)state;
	image = compile_text("[chain a]\npolicy = deny\n10 = jump b tcp\n"
			     "20 = return udp\n30 = jump c\n40 = allow\n"
			     "[chain b]\n1 = return\n2 = jump c\n"
			     "[chain c]\n7 = deny\n",
			     NULL);
	chain = &image->chains[0];
	assert_int_equal(chain->count, 4);
	assert_int_equal(image_written(image), 7);
	assert_int_equal(chain->walk, 7);
	assert_int_equal(chain->walk_count, ARRAY_SIZE(walk));
	for (i = 0; i < ARRAY_SIZE(walk); i++) {
		const struct rule_row *row = &image->rules[chain->walk + i];

		assert_int_equal(row->number, walk[i].number);
		assert_int_equal(row->verdict, walk[i].verdict);
		assert_int_equal(row->skip, walk[i].skip);
	}
	/* One counter, however often. */
	assert_int_equal(image->rules[chain->walk + 3].counter,
			 image->rules[6].counter);
	assert_int_equal(image->rules[chain->walk + 6].counter,
			 image->rules[6].counter);
	/* Of chains without a policy there is no walk. */
	assert_int_equal(image->chains[1].walk_count, 0);
	assert_int_equal(image->chains[1].policy, ROW_NONE);
}

/* The copies are about one each, and lead where the rule does. */
static void several_protocols_are_as_many_rules(void **state)
{
	static const struct {
		uint32_t number, looks, protocol, skip;
	} walk[] = {
		{ 1, LOOK_DST_PORT | LOOK_PROTOCOL, 6, 1 },
		{ 1, LOOK_DST_PORT | LOOK_PROTOCOL, 17, 2 },
		{ 2, LOOK_LOOPBACK | LOOK_PROTOCOL, 6, 4 },
		{ 7, 0, 0, 4 },
		{ 2, LOOK_LOOPBACK | LOOK_PROTOCOL, 47, 6 },
		{ 7, 0, 0, 6 },
		{ 3, 0, 0, 7 },
	};
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;
	size_t i;

	(void)state;
	image = compile_text("[chain a]\npolicy = deny\n"
			     "1 = allow tcp,udp to port 53\n"
			     "2 = jump b 47,tcp\n3 = allow\n"
			     "[chain b]\n7 = deny\n",
			     NULL);
	chain = &image->chains[0];
	assert_int_equal(chain->walk_count, ARRAY_SIZE(walk));
	for (i = 0; i < ARRAY_SIZE(walk); i++) {
		const struct rule_row *row = &image->rules[chain->walk + i];

		assert_int_equal(row->number, walk[i].number);
		assert_int_equal(row->looks, walk[i].looks);
		assert_int_equal(row->protocol, walk[i].protocol);
		assert_int_equal(row->skip, walk[i].skip);
	}
	assert_int_equal(image->rules[chain->walk].counter,
			 image->rules[chain->walk + 1].counter);
}

static void a_chain_of_many_groups_is_there_once(void **state)
{
	CLEANUP(image_freep) struct image *one = NULL, *many = NULL;

	(void)state;
	one = compile_text("[group a]\nmatch = /a\nfilter-in = c\n"
			   "[chain c]\npolicy = deny\n10 = jump d\n"
			   "[chain d]\n10 = allow tcp\n",
			   NULL);
	many = compile_text("[group a]\nmatch = /a\nfilter-in = c\n"
			    "[group b]\nmatch = /b\nfilter-in = c\n"
			    "filter-out = c\n"
			    "[chain c]\npolicy = deny\n10 = jump d\n"
			    "[chain d]\n10 = allow tcp\n",
			    NULL);
	assert_int_equal(one->n_rules, 4);
	assert_int_equal(many->n_rules, one->n_rules);
}

/* Only rules that are written are told of. */
static void counters_and_plans_are_of_what_is_written(void **state)
{
	CLEANUP(changes_clear) struct changes changes = { 0 };
	CLEANUP(image_freep) struct image *first = NULL, *second = NULL;

	(void)state;
	first = compile_text("[chain c]\npolicy = deny\n10 = jump d tcp\n"
			     "20 = jump d udp\n[chain d]\n10 = deny ip6\n",
			     NULL);
	second = compile_text("[chain c]\npolicy = deny\n10 = jump d tcp\n"
			      "20 = jump d udp\n[chain d]\n10 = deny ip6\n"
			      "20 = deny ip4\n",
			      first);
	assert_int_equal(image_diff(first, second, &changes), 0);
	assert_int_equal(changes.n_list, 1);
	assert_string_equal(changes.list[0].name, "d 20");
	assert_int_equal(first->rules[0].counter, second->rules[0].counter);
	assert_int_equal(first->rules[2].counter, second->rules[2].counter);
}

static void what_is_jumped_to_is_found_by_the_jump(void **state)
{
	AUTO_FREE char *text = NULL;
	CLEANUP(image_freep) struct image *image = NULL;
	const struct chain_row *chain;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("[chain a]\npolicy = deny\n10 = jump b tcp to port 22\n"
	      "20 = jump c established\n30 = jump b udp\n[chain b]\n",
	      out);
	for (i = 1; i <= 1000; i++)
		fprintf(out, "%zu = allow from 10.0.%zu.%zu\n", i, i / 250,
			i % 250);
	fputs("[chain c]\n1 = allow\n2 = return\n", out);
	fclose(out);
	image = compile_text(text, NULL);
	chain = &image->chains[0];
	assert_int_equal(chain->walk_count, 2005);
	/* The second jump and what is behind it are listed, and the third. */
	assert_int_equal(chain->list_count, 4);
	assert_int_equal(chain->lowest, 0);
	assert_int_equal(image->class_buckets[chain->list], 1001);
	assert_int_equal(image->rules[chain->walk].skip, 1001);
	assert_int_equal(image->rules[chain->walk].skip_listed, 0);
	assert_int_equal(image->rules[chain->walk + 1001].skip_listed, 3);
	assert_int_equal(image->rules[chain->walk + 1004].skip_listed, 4);
}

/* n chains, each of which jumps twice to the next; jump: its condition. */
static char *twice(unsigned int n, unsigned int rules, const char *jump)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		fprintf(out, "[chain c%u]\n%s", i, i ? "" : "policy = deny\n");
		for (j = 0; i + 1 < n && j < 2; j++)
			fprintf(out, "%u = jump c%u%s\n", j + 1, i + 1, jump);
		for (j = 0; j < rules; j++)
			fprintf(out, "%u = deny mark %u\n", j + 10, j);
	}
	fclose(out);
	return text;
}

static void what_is_too_much_is_refused_with_numbers(void **state)
{
	AUTO_FREE char *many = twice(9, 4200, ""), *problem = NULL;
	AUTO_FREE char *open = twice(6, 300, ""), *other = NULL;

	(void)state;
	problem = compile_text_wrong(many);
	assert_string_equal(
		problem, "chain 'c0' has 2146710 rules with those that it "
			 "jumps to, and those before it 37816: 2097152 in all "
			 "are possible");
	other = compile_text_wrong(open);
	assert_string_equal(
		other,
		"chain 'c0': some packets would have to be tried on all 18962 "
		"rules of it and of what it jumps to, which with 62 jumps and "
		"returns takes as much as 19954, at most 16383 are possible: "
		"put addresses or ports into sets, or make jumps by address "
		"or port");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_stand_behind_their_jumps),
		cmocka_unit_test(several_protocols_are_as_many_rules),
		cmocka_unit_test(a_chain_of_many_groups_is_there_once),
		cmocka_unit_test(counters_and_plans_are_of_what_is_written),
		cmocka_unit_test(what_is_jumped_to_is_found_by_the_jump),
		cmocka_unit_test(what_is_too_much_is_refused_with_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
