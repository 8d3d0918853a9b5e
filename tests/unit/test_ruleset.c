/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generator of rule sets that benches and other tests use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/rule.h"
#include "tests/bench-rules/ruleset.h"

static const enum ruleset_kind kinds[] = { RULESET_EXACT, RULESET_TCP,
					   RULESET_ACL, RULESET_FW,
					   RULESET_IPC };

static int rule_compare(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct ruleset_rule, allow));
}

static void a_seed_makes_the_same_set_and_another_does_not(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(ruleset_freep)
		struct ruleset *one = ruleset_make(kinds[i], 1000, 7);
		CLEANUP(ruleset_freep)
		struct ruleset *same = ruleset_make(kinds[i], 1000, 7);
		CLEANUP(ruleset_freep)
		struct ruleset *other = ruleset_make(kinds[i], 1000, 8);

		assert_int_equal(one->n_rules, 1000);
		assert_memory_equal(one->rules, same->rules,
				    1000 * sizeof(*one->rules));
		assert_memory_not_equal(one->rules, other->rules,
					1000 * sizeof(*one->rules));
	}
}

static void no_rule_occurs_twice(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(ruleset_freep)
		struct ruleset *set = ruleset_make(kinds[i], 20000, 7);

		qsort(set->rules, set->n_rules, sizeof(*set->rules),
		      rule_compare);
		for (j = 1; j < set->n_rules; j++)
			assert_true(rule_compare(&set->rules[j - 1],
						 &set->rules[j]) != 0);
	}
}

static const struct ruleset_rule *decide(const struct ruleset *set,
					 const struct ruleset_packet *packet)
{
	size_t i;

	for (i = 0; i < set->n_rules; i++)
		if (ruleset_fits(&set->rules[i], packet))
			return &set->rules[i];
	return NULL;
}

static void every_packet_fits_a_rule_and_many_rules_are_met(void **state)
{
	struct ruleset_trace trace = { .random = 1 };
	struct ruleset_packet packet;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(ruleset_freep)
		struct ruleset *set = ruleset_make(kinds[i], 500, 7);
		uint8_t met[500] = { 0 };

		for (j = 0; j < 5000; j++) {
			const struct ruleset_rule *rule;

			ruleset_packet(set, &trace, &packet);
			rule = decide(set, &packet);
			assert_non_null(rule);
			met[rule - set->rules] = 1;
		}
		for (j = n = 0; j < ARRAY_SIZE(met); j++)
			n += met[j];
		assert_true(n > 300);
	}
}

/* Lines as "7 = allow …": the rule is what is behind the number. */
static void weir_reads_what_is_written_for_it(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(ruleset_freep)
		struct ruleset *set = ruleset_make(kinds[i], 2000, 7);
		AUTO_FREE char *text = NULL;
		size_t size, count = 0;
		FILE *out = open_memstream(&text, &size);
		char *line, *save;

		ruleset_write_weir(set, out);
		fclose(out);
		for (line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			const struct ruleset_rule *made = &set->rules[count++];
			struct err why = { "" };
			struct rule rule;

			if (rule_parse(strchr(line, '=') + 2, &rule, &why) < 0)
				fail_msg("%s: %s", line, why.msg);
			assert_int_equal(rule.verdict == VERDICT_ALLOW,
					 made->allow);
			assert_int_equal(rule.protocol, made->protocol
								? made->protocol
								: PROTOCOL_ANY);
			rule_clear(&rule);
		}
		assert_int_equal(count, set->n_rules);
	}
}

static bool overlap(const struct ruleset_rule *a, const struct ruleset_rule *b)
{
	return a->src_first <= b->src_last && b->src_first <= a->src_last &&
	       a->dst_first <= b->dst_last && b->dst_first <= a->dst_last &&
	       a->sport_first <= b->sport_last &&
	       b->sport_first <= a->sport_last &&
	       a->dport_first <= b->dport_last &&
	       b->dport_first <= a->dport_last &&
	       (!a->protocol || !b->protocol || a->protocol == b->protocol);
}

static void no_two_rules_of_a_layer_overlap(void **state)
{
	size_t i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(ruleset_freep)
		struct ruleset *set = ruleset_make(kinds[i], 1500, 7);
		uint32_t order[1500];
		uint8_t layers[1500];

		for (j = 0; j < ARRAY_SIZE(order); j++)
			order[j] = j;
		assert_in_range(ruleset_layers(set, order, layers), 1, 40);
		for (j = 0; j < ARRAY_SIZE(order); j++)
			for (k = 0; k < j; k++)
				assert_false(layers[j] == layers[k] &&
					     overlap(&set->rules[j],
						     &set->rules[k]));
	}
}

static void a_packet_repeats_as_often_as_it_should(void **state)
{
	CLEANUP(ruleset_freep)
	struct ruleset *set = ruleset_make(RULESET_ACL, 1000, 7);
	struct ruleset_trace trace = { .random = 1, .repeats = 10 };
	struct ruleset_packet last = { 0 }, packet;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < 10000; i++) {
		ruleset_packet(set, &trace, &packet);
		n += memcmp(&packet, &last, sizeof(packet)) != 0;
		last = packet;
	}
	assert_in_range(n, 900, 1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_seed_makes_the_same_set_and_another_does_not),
		cmocka_unit_test(no_rule_occurs_twice),
		cmocka_unit_test(
			every_packet_fits_a_rule_and_many_rules_are_met),
		cmocka_unit_test(weir_reads_what_is_written_for_it),
		cmocka_unit_test(no_two_rules_of_a_layer_overlap),
		cmocka_unit_test(a_packet_repeats_as_often_as_it_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
