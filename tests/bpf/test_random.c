/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matcher in the kernel against the reference, by random policies and
 * packets.  WEIR_SEED repeats a run; WEIR_ROUNDS policies of WEIR_PACKETS
 * packets make it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/rule.h"
#include "rules/shadow.h"
#include "rules/warn.h"
#include "base/array.h"
#include "tests/bpf/matcher.h"
#include "tests/bpf/random_policy.h"
#include "tests/bpf/reference.h"

static unsigned long number_of(const char *name, unsigned long fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : fallback;
}

static void complain(const struct rule *rule, const struct chain *chain,
		     const struct frame_spec *packet, int decision,
		     uint32_t states, unsigned long seed, unsigned long round)
{
	AUTO_FREE char *text = NULL;

	if (rule)
		rule_format(rule, &text);
	fail_msg("seed %lu, round %lu: IPv%d, protocol %u, ports %u > %u, "
		 "offset %u, states %#x: the reference says %d by %s, the "
		 "kernel %d",
		 seed, round, packet->family, packet->protocol, packet->sport,
		 packet->dport, packet->offset, states,
		 rule ? (int)rule->verdict : (int)chain->policy,
		 rule ? text : "the policy", decision);
}

/* Rules that weirctl check says never match, and how many; to be freed. */
static bool *find_dead(const struct chain *chain, size_t *ret_n)
{
	AUTO_FREE uint32_t *above = calloc(chain->n_rules + 1, sizeof(*above));
	bool *dead = calloc(chain->n_rules + 1, sizeof(*dead));
	size_t i, given_up;

	assert_true(above && dead);
	assert_int_equal(shadow_find(chain, above, &given_up), 0);
	for (i = 0; i < chain->n_rules; i++) {
		dead[i] = above[i] != SHADOW_NONE ||
			  rule_contradiction(&chain->rules[i]);
		*ret_n += dead[i];
	}
	return dead;
}

/* Returns how many packets a rule decided. */
static size_t compare(struct random *random, const struct policy *policy,
		      unsigned long packets, unsigned long seed,
		      unsigned long round, size_t *n_dead)
{
	static const uint32_t hooks[] = { 0,
					  HOOK_OUT,
					  HOOK_DEVICE,
					  HOOK_DEVICE | HOOK_OUT,
					  HOOK_DEVICE | HOOK_FRAMED,
					  HOOK_DEVICE | HOOK_OUT |
						  HOOK_FRAMED };
	const struct chain *chain = &policy->chains[0];
	struct question q = { .place = 1 };
	struct reference reference = { .policy = policy, .iface = "t0" };
	AUTO_FREE bool *dead = find_dead(chain, n_dead);
	size_t by_rule = 0, i;

	q.chain = matcher_chain("c");
	for (i = 0; i < packets; i++) {
		const struct rule *rule;
		struct frame_spec packet;
		int decision;

		random_packet(random, &packet);
		q.hook = hooks[random_below(random, ARRAY_SIZE(hooks))];
		decision = matcher_ask(&q, &packet, &reference.states);
		rule = reference_decide(&reference, chain, &packet);
		if (decision !=
		    (rule ? (int)rule->verdict : (int)chain->policy))
			complain(rule, chain, &packet, decision,
				 reference.states, seed, round);
		if (rule && dead[rule - chain->rules])
			fail_msg("seed %lu, round %lu: rule %u decides, but "
				 "check says it never can",
				 seed, round, rule->number);
		by_rule += rule != NULL;
	}
	return by_rule;
}

/* Short chains, some long ones, and now and then one of thousands. */
static size_t size_below(struct random *random)
{
	static const uint32_t sizes[] = { 12, 50, 50, 50, 50, 400, 400, 3000 };

	return random_below(random, sizes[random_below(random, 8)]);
}

static void the_kernel_decides_as_the_reference(void **state)
{
	unsigned long seed = number_of("WEIR_SEED", time(NULL));
	unsigned long rounds = number_of("WEIR_ROUNDS", 60), round;
	unsigned long packets = number_of("WEIR_PACKETS", 300);
	struct random random = { .state = seed * 2 + 1 };
	size_t by_rule = 0, n_dead = 0;

	(void)state;
	print_message("WEIR_SEED=%lu WEIR_ROUNDS=%lu WEIR_PACKETS=%lu\n", seed,
		      rounds, packets);
	for (round = 0; round < rounds; round++) {
		CLEANUP(policy_freep) struct policy *policy = NULL;

		policy = random_policy(&random, size_below(&random));
		matcher_use(policy);
		by_rule +=
			compare(&random, policy, packets, seed, round, &n_dead);
	}
	print_message("%lu decisions, %zu by a rule\n", rounds * packets,
		      by_rule);
	print_message("%zu rules never match\n", n_dead);
	assert_true(n_dead >= rounds / 10);
	assert_true(by_rule > rounds * packets / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_decides_as_the_reference),
	};

	return cmocka_run_group_tests(tests, matcher_set_up, matcher_tear_down);
}
