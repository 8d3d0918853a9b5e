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

/* By rule of a chain. */
struct tally {
	bool *dead;	  /* weirctl check says that it never matches */
	unsigned long *n; /* packets that it decided, or led on */
};

struct tallies {
	const struct policy *policy;
	struct tally *list; /* by chain */
	size_t n_list;
};

static void tallies_clear(struct tallies *tallies)
{
	size_t i;

	for (i = 0; i < tallies->n_list; i++) {
		free(tallies->list[i].dead);
		free(tallies->list[i].n);
	}
	free(tallies->list);
}

/* *n_dead: as many are added. */
static void add_tally(struct tallies *tallies, const struct chain *chain,
		      const struct shadow *shadow, size_t *n_dead)
{
	struct tally *tally = ARRAY_ADD(tallies, list);
	size_t i;

	tally->dead = calloc(chain->n_rules + 1, sizeof(*tally->dead));
	tally->n = calloc(chain->n_rules + 1, sizeof(*tally->n));
	assert_true(tally->dead && tally->n);
	for (i = 0; i < chain->n_rules; i++) {
		tally->dead[i] = shadow_is_dark(&shadow[i]) ||
				 rule_contradiction(&chain->rules[i]);
		*n_dead += tally->dead[i];
	}
}

static void add_tallies(struct tallies *tallies, const struct policy *policy,
			size_t *n_dead)
{
	CLEANUP(shadows_clear) struct shadows shadows = { 0 };
	size_t i;

	assert_int_equal(shadow_find(policy, &shadows), 0);
	for (i = 0; i < policy->n_chains; i++)
		add_tally(tallies, &policy->chains[i],
			  &shadows.list[shadows.first[i]], n_dead);
}

static void count(struct tallies *tallies, const struct rule *rule,
		  unsigned long seed, unsigned long round)
{
	const struct chain *chain = tallies->policy->chains;
	struct tally *tally = tallies->list;

	while (rule < chain->rules || rule >= chain->rules + chain->n_rules) {
		chain++;
		tally++;
	}
	tally->n[rule - chain->rules]++;
	if (tally->dead[rule - chain->rules])
		fail_msg("seed %lu, round %lu: rule %u of %s matches, but "
			 "check says it never can",
			 seed, round, rule->number, chain->name);
}

/* Of rules that were met, and of all that lead on. */
static void check_counters(const struct tallies *tallies, unsigned long seed,
			   unsigned long round)
{
	size_t i, j;

	for (i = 0; i < tallies->n_list; i++) {
		const struct chain *chain = &tallies->policy->chains[i];
		uint32_t row = matcher_chain(chain->name);

		for (j = 0; j < chain->n_rules; j++) {
			const struct rule *rule = &chain->rules[j];
			unsigned long n = tallies->list[i].n[j];

			if ((n || rule->verdict >= VERDICT_JUMP) &&
			    matcher_count(row, rule->number).packets != n)
				fail_msg("seed %lu, round %lu: rule %u of %s "
					 "counts %llu packets, not %lu",
					 seed, round, rule->number, chain->name,
					 matcher_count(row, rule->number)
						 .packets,
					 n);
		}
	}
}

/* Returns how many packets a rule decided. */
static size_t compare(struct random *random, const struct policy *policy,
		      unsigned long packets, unsigned long seed,
		      unsigned long round, size_t *n_dead, size_t *n_led)
{
	CLEANUP(tallies_clear) struct tallies tallies = { .policy = policy };
	const struct chain *chain = &policy->chains[0];
	struct question q = { .place = 1 };
	struct reference reference = { .policy = policy, .iface = "t0" };
	size_t by_rule = 0, i, j;

	add_tallies(&tallies, policy, n_dead);
	q.chain = matcher_chain("c");
	for (i = 0; i < packets; i++) {
		const struct rule *rule;
		struct frame_spec packet;
		int decision;

		random_packet(random, &packet);
		q.hook = matcher_hooks[random_below(random, MATCHER_HOOKS)];
		decision = matcher_ask(&q, &packet, &reference.states);
		rule = reference_decide(&reference, chain, &packet);
		if (decision !=
		    (rule ? (int)rule->verdict : (int)chain->policy))
			complain(rule, chain, &packet, decision,
				 reference.states, seed, round);
		if (reference.n_led && !(matcher_answer.flags & DECIDED_VARIES))
			fail_msg("seed %lu, round %lu: a packet that was led "
				 "on would be known",
				 seed, round);
		for (j = 0; j < reference.n_led; j++)
			count(&tallies, reference.led[j], seed, round);
		if (rule)
			count(&tallies, rule, seed, round);
		by_rule += rule != NULL;
		*n_led += reference.n_led;
	}
	check_counters(&tallies, seed, round);
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
	size_t by_rule = 0, n_dead = 0, n_led = 0;

	(void)state;
	print_message("WEIR_SEED=%lu WEIR_ROUNDS=%lu WEIR_PACKETS=%lu\n", seed,
		      rounds, packets);
	for (round = 0; round < rounds; round++) {
		CLEANUP(policy_freep) struct policy *policy = NULL;

		policy = random_policy(&random, size_below(&random), true);
		matcher_use(policy);
		by_rule += compare(&random, policy, packets, seed, round,
				   &n_dead, &n_led);
	}
	print_message("%lu decisions, %zu by a rule\n", rounds * packets,
		      by_rule);
	print_message("%zu rules never match\n", n_dead);
	print_message("%zu times a jump or a return led on\n", n_led);
	assert_true(n_dead >= rounds / 10);
	assert_true(rounds < 20 || n_led > rounds);
	assert_true(by_rule > rounds * packets / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_decides_as_the_reference),
	};

	return cmocka_run_group_tests(tests, matcher_set_up, matcher_tear_down);
}
