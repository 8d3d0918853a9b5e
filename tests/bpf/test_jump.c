/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jumps and returns where random packets do not come: on loopback, of packets
 * that are malformed, and of many jumps.  All else: test_random.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "tests/bpf/matcher.h"

static int ask(const char *chain, uint32_t hook, const char *packet)
{
	struct question q = { .chain = matcher_chain(chain), .hook = hook };

	return matcher_ask_text(&q, packet, NULL);
}

static uint64_t packets(const char *chain, uint32_t number)
{
	return matcher_count(matcher_chain(chain), number).packets;
}

/* n jumps that all match, with filler rules in each chain. */
static void many_jumps(unsigned int n, unsigned int filler)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int i;

	fprintf(out, "[chain many-%u-%u]\npolicy = deny\n", n, filler);
	for (i = 1; i <= n; i++)
		fprintf(out, "%u = jump back tcp to port 22\n", i);
	fprintf(out, "%u = allow tcp to port 20-30\n[chain back]\n", n + 1);
	for (i = 1; i <= filler; i++)
		fprintf(out, "%u = deny from 192.0.%u.%u\n", i, i / 250,
			i % 250);
	fprintf(out, "1000 = return\n1001 = deny\n");
	fclose(out);
	matcher_use_text(text);
}

static void check_many(unsigned int n, unsigned int filler)
{
	uint64_t before;
	char name[32];
	unsigned int i;

	snprintf(name, sizeof(name), "many-%u-%u", n, filler);
	many_jumps(n, filler);
	before = packets("back", 1000);
	assert_int_equal(ask(name, 0, "tcp 10.0.0.1:1 > 10.0.0.2:22"),
			 ROW_ALLOW);
	assert_true(matcher_answer.flags & DECIDED_VARIES);
	assert_int_equal(ask(name, 0, "tcp 10.0.0.1:1 > 10.0.0.2:23"),
			 ROW_ALLOW);
	assert_false(matcher_answer.flags & DECIDED_VARIES);
	for (i = 1; i <= n; i++)
		assert_int_equal(packets(name, i), 1);
	assert_int_equal(packets("back", 1000) - before, n);
	assert_int_equal(packets("back", 1001), 0);
	assert_int_equal(packets(name, n + 1), 2);
}

static void many_jumps_that_match_are_followed(void **state)
{
	(void)state;
	check_many(1, 0);
	check_many(16, 0);
	check_many(16, 200);
	check_many(60, 10);
	check_many(200, 10);
}

static void a_jump_that_names_lo_leads_there(void **state)
{
	static const char packet[] = "tcp 127.0.0.1:1 > 127.0.0.1:22 lo";

	(void)state;
	matcher_use_text("[chain a]\npolicy = deny\n10 = jump x iface lo\n"
			 "20 = deny\n"
			 "[chain b]\npolicy = deny\n10 = jump y\n20 = deny\n"
			 "[chain c]\npolicy = deny\n10 = jump x\n"
			 "20 = allow udp iface lo\n"
			 "[chain x]\n10 = deny tcp to port 22\n"
			 "[chain y]\n10 = deny tcp to port 22 iface lo\n");
	assert_int_equal(ask("a", 0, packet), ROW_DENY);
	assert_int_equal(packets("x", 10), 1);
	assert_int_equal(ask("b", 0, packet), ROW_DENY);
	assert_int_equal(packets("y", 10), 1);
	assert_int_equal(ask("c", 0, packet), ROW_ALLOW);
	assert_int_equal(packets("x", 10), 1);
}

/* What might deny a packet does, what might not allow it does not. */
static void a_malformed_packet_is_led_nowhere(void **state)
{
	static const char packet[] = "tcp 10.0.0.1:1 > 10.0.0.2:22 cut=20";
	static const char whole[] = "tcp 10.0.0.1:1 > 10.0.0.2:23";

	(void)state;
	matcher_use_text(
		"[chain allows]\npolicy = deny\n10 = jump ok tcp to port 22\n"
		"[chain denies]\npolicy = allow\n10 = jump no tcp to port 23\n"
		"[chain returns]\npolicy = deny\n"
		"10 = return tcp to port 23\n20 = allow\n"
		"[chain behind]\npolicy = deny\n10 = jump ok tcp to port 23\n"
		"20 = allow invalid\n"
		"[chain past]\npolicy = allow\n10 = jump inner tcp to port 22\n"
		"[chain inner]\n5 = return tcp to port 22\n10 = deny\n"
		"[chain ok]\n10 = allow\n[chain no]\n10 = deny\n"
		"[chain plain]\npolicy = allow\n10 = deny ip6\n"
		"[chain misses]\npolicy = allow\n10 = jump no ip6\n");
	assert_int_equal(ask("allows", 0, packet), ROW_DENY);
	assert_int_equal(ask("denies", 0, packet), ROW_DENY);
	assert_int_equal(packets("denies", 10), 0);
	assert_int_equal(packets("no", 10), 1);
	assert_int_equal(ask("returns", 0, packet), ROW_DENY);
	assert_int_equal(ask("behind", 0, packet), ROW_ALLOW);
	assert_int_equal(ask("past", 0, packet), ROW_DENY);
	assert_int_equal(ask("plain", 0, packet), ROW_ALLOW);
	assert_int_equal(ask("misses", 0, packet), ROW_ALLOW);
	assert_int_equal(ask("denies", 0, whole), ROW_DENY);
	assert_int_equal(packets("denies", 10), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_jumps_that_match_are_followed),
		cmocka_unit_test(a_jump_that_names_lo_leads_there),
		cmocka_unit_test(a_malformed_packet_is_led_nowhere),
	};

	return cmocka_run_group_tests(tests, matcher_set_up, matcher_tear_down);
}
