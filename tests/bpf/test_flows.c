/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of flows that are full, flooded, small, changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/matcher.h"

#define PLACE	 7
#define INNOCENT 20 /* a share */
#define FLOODED	 21

static uint32_t ask(uint32_t share, uint32_t hook, const char *packet)
{
	struct question q = {
		.chain = matcher_chain("all"),
		.hook = HOOK_DEVICE | hook,
		.place = PLACE,
		.share = share,
	};
	uint32_t states;

	matcher_ask_text(&q, packet, &states);
	return states & ~PACKET_KEEP;
}

static const char *there(uint32_t n)
{
	static char text[128];

	snprintf(text, sizeof(text), "udp 10.0.%u.%u:5 > 192.0.2.1:53", n / 250,
		 n % 250 + 1);
	return text;
}

static const char *back(uint32_t n)
{
	static char text[128];

	snprintf(text, sizeof(text), "udp 192.0.2.1:53 > 10.0.%u.%u:5", n / 250,
		 n % 250 + 1);
	return text;
}

/* A flow whose first speaker speaks again behind the answer. */
static void prove(uint32_t share, uint32_t n)
{
	ask(share, HOOK_OUT, there(n));
	ask(share, 0, back(n));
	ask(share, HOOK_OUT, there(n));
}

static const char *tcp_of(uint32_t n, const char *words)
{
	static char text[128];

	snprintf(text, sizeof(text), "tcp 10.0.%u.%u:5 > 192.0.2.1:80 %s",
		 n / 250, n % 250 + 1, words);
	return text;
}

static const char *tcp_to(uint32_t n, const char *words)
{
	static char text[128];

	snprintf(text, sizeof(text), "tcp 192.0.2.1:80 > 10.0.%u.%u:5 %s",
		 n / 250, n % 250 + 1, words);
	return text;
}

static void call(uint32_t share, uint32_t n)
{
	ask(share, HOOK_OUT, tcp_of(n, "flags=S seq=100"));
	ask(share, 0, tcp_to(n, "flags=SA seq=900 ack=101"));
}

/* A connection, whose caller has heard the answer. */
static void connect_tcp(uint32_t share, uint32_t n)
{
	call(share, n);
	ask(share, HOOK_OUT, tcp_of(n, "flags=A seq=101 ack=901"));
}

static uint32_t count_connected(uint32_t share, uint32_t n)
{
	uint32_t i, count = 0;

	for (i = 0; i < n; i++)
		count += ask(share, HOOK_OUT,
			     tcp_of(i, "flags=A seq=101 ack=901")) ==
			 PACKET_ESTABLISHED;
	return count;
}

static uint32_t count_established(uint32_t share, uint32_t n)
{
	uint32_t i, count = 0;

	for (i = 0; i < n; i++)
		count += ask(share, HOOK_OUT, there(i)) == PACKET_ESTABLISHED;
	return count;
}

static void flood(uint32_t share, uint32_t n)
{
	struct question q = {
		.hook = HOOK_DEVICE,
		.place = PLACE,
		.share = share,
	};

	matcher_open_flows(&q, "tcp 172.16.0.1:7 > 192.0.2.1:80 flags=S", n);
}

/* All that came in has become something. */
static void check_sum(const struct flow_figures *figures)
{
	assert_int_equal(figures->opened,
			 figures->held + figures->expired + figures->evicted);
}

static void a_flood_in_one_place_takes_nothing_from_another(void **state)
{
	struct flow_figures figures;
	uint32_t i;

	(void)state;
	matcher_make_flows(INNOCENT, 512);
	matcher_make_flows(FLOODED, 512);
	/* Not even those that nobody has answered. */
	for (i = 0; i < 256; i++)
		ask(INNOCENT, HOOK_OUT, there(i));
	flood(FLOODED, 100000);
	for (i = 0; i < 256; i++)
		assert_int_equal(ask(INNOCENT, 0, back(i)), PACKET_ESTABLISHED);
	figures = matcher_figures(INNOCENT);
	assert_int_equal(figures.opened, 256);
	assert_int_equal(figures.held, 256);
	assert_int_equal(figures.evicted + figures.full + figures.expired, 0);
	figures = matcher_figures(FLOODED);
	check_sum(&figures);
	assert_int_equal(figures.opened, 100000);
	assert_int_equal(figures.held, 1024);
	assert_int_equal(figures.limit, 512);
}

static void a_flood_of_calls_takes_nothing_from_what_is_proven(void **state)
{
	struct flow_figures figures;
	uint32_t i;

	(void)state;
	matcher_make_flows(FLOODED, 1024);
	for (i = 0; i < 200; i++)
		prove(FLOODED, i);
	figures = matcher_figures(FLOODED);
	assert_int_equal(figures.proven, 200);
	flood(FLOODED, 200000);
	assert_int_equal(count_established(FLOODED, 200), 200);
	figures = matcher_figures(FLOODED);
	assert_int_equal(figures.proven, 200);
	assert_in_range(figures.held, 2000, 2048);
	check_sum(&figures);
}

/* An answer proves nothing: whose address is forged gets it, too. */
static void who_does_not_hear_the_answer_proves_nothing(void **state)
{
	uint32_t i;

	(void)state;
	matcher_make_flows(FLOODED, 1024);
	for (i = 0; i < 100; i++) {
		/* Whose addresses are forged is answered, too. */
		ask(FLOODED, HOOK_OUT, there(i));
		ask(FLOODED, 0, back(i));
		ask(FLOODED, 0, back(i));
		call(FLOODED, i);
		ask(FLOODED, HOOK_OUT, tcp_of(i, "flags=A seq=101 ack=1"));
		ask(FLOODED, HOOK_OUT, tcp_of(i, "flags=A seq=101 ack=900"));
	}
	assert_int_equal(matcher_figures(FLOODED).proven, 0);
	ask(FLOODED, HOOK_OUT, there(0));
	assert_int_equal(matcher_figures(FLOODED).proven, 1);
	ask(FLOODED, HOOK_OUT, tcp_of(0, "flags=A seq=101 ack=901"));
	assert_int_equal(matcher_figures(FLOODED).proven, 2);
}

static void a_table_full_of_connections_lets_nobody_in(void **state)
{
	struct flow_figures figures;
	uint32_t i;

	(void)state;
	matcher_make_flows(FLOODED, 64);
	for (i = 0; i < 1000; i++)
		connect_tcp(FLOODED, i);
	figures = matcher_figures(FLOODED);
	assert_int_equal(figures.held, 128);
	assert_int_equal(figures.proven, 128);
	/* Each of the others has tried with its call, and was picked up. */
	assert_int_equal(figures.full, (1000 - 128) * 2);
	assert_int_equal(figures.evicted, 0);
	check_sum(&figures);
	flood(FLOODED, 1000);
	assert_int_equal(count_connected(FLOODED, 1000), 128);
	/* What is over makes room. */
	matcher_age(FLOODED, 7441);
	assert_int_equal(matcher_figures(FLOODED).expired, 128);
	for (i = 2000; i < 2016; i++)
		connect_tcp(FLOODED, i);
	figures = matcher_figures(FLOODED);
	assert_int_equal(figures.held, 16);
	assert_int_equal(figures.expired, 128);
	check_sum(&figures);
}

static void of_all_else_the_quietest_goes(void **state)
{
	struct flow_figures figures;
	uint32_t i;

	(void)state;
	matcher_make_flows(FLOODED, 64);
	for (i = 0; i < 1000; i++)
		prove(FLOODED, i);
	figures = matcher_figures(FLOODED);
	assert_int_equal(figures.held, 128);
	assert_int_equal(figures.proven, 128);
	assert_int_equal(figures.opened, 1000);
	assert_int_equal(figures.full, 0);
	check_sum(&figures);
}

static void a_million_flows_find_room(void **state)
{
	struct flow_figures figures;

	(void)state;
	matcher_make_flows(FLOODED, 1000000);
	flood(FLOODED, 1000000);
	figures = matcher_figures(FLOODED);
	check_sum(&figures);
	/* All but one in a hundred: they do not fall evenly. */
	assert_in_range(figures.held, 990000, 1000000);
	assert_int_equal(figures.full, 0);
	/* They end under load: as many come when the first are over. */
	matcher_age(FLOODED, 121);
	assert_int_equal(matcher_figures(FLOODED).held, 0);
	flood(FLOODED, 1000000);
	figures = matcher_figures(FLOODED);
	check_sum(&figures);
	assert_in_range(figures.held, 990000, 1000000);
	matcher_make_flows(FLOODED, 64);
}

#define DEVICE 1 /* the share of the first device of a policy */

static void use_device(const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "[device t0]\nfilter-in = some\n%s"
		 "[chain some]\npolicy = deny\n10 = allow established\n"
		 "[chain all]\npolicy = allow\n",
		 keys);
	matcher_use_text(text);
}

static void a_table_goes_on_when_the_policy_changes(void **state)
{
	uint32_t i;

	(void)state;
	use_device("flows = 100\n");
	assert_int_equal(matcher_figures(DEVICE).limit, 100);
	for (i = 0; i < 30; i++)
		prove(DEVICE, i);
	use_device("flows = 100\nout = 1gbit\n");
	assert_int_equal(count_established(DEVICE, 30), 30);
	/* To another size, and to the usual one. */
	use_device("flows = 3000\n");
	assert_int_equal(matcher_figures(DEVICE).limit, 3000);
	assert_int_equal(count_established(DEVICE, 30), 30);
	use_device("");
	assert_int_equal(matcher_figures(DEVICE).limit, FLOW_ROOM_DEVICE);
	assert_int_equal(count_established(DEVICE, 30), 30);
	assert_int_equal(matcher_figures(DEVICE).opened, 30);
	/* Less than there are: as many as find room. */
	for (i = 0; i < 400; i++)
		connect_tcp(DEVICE, i);
	use_device("flows = 64\n");
	assert_int_equal(count_connected(DEVICE, 400), 128);
	matcher_use_text("[chain all]\npolicy = allow\n");
	assert_int_equal(matcher_figures(DEVICE).limit, 0);
	use_device("flows = 64\n");
	assert_int_equal(matcher_figures(DEVICE).held, 0);
}

static void times_are_what_the_policy_says(void **state)
{
	(void)state;
	use_device("timeouts = udp 5s, udp-established 1h\n");
	ask(DEVICE, HOOK_OUT, there(0));
	matcher_age(DEVICE, 6);
	assert_int_equal(ask(DEVICE, 0, back(0)), PACKET_NEW);
	ask(DEVICE, HOOK_OUT, there(1));
	ask(DEVICE, 0, back(1));
	matcher_age(DEVICE, 3590);
	assert_int_equal(ask(DEVICE, 0, back(1)), PACKET_ESTABLISHED);
	/* Of a flow that is there, from when it is refreshed. */
	use_device("timeouts = udp-established 10s\n");
	matcher_age(DEVICE, 3000);
	assert_int_equal(ask(DEVICE, 0, back(1)), PACKET_ESTABLISHED);
}

static int set_up(void **state)
{
	matcher_set_up(state);
	matcher_use_text("[chain all]\npolicy = allow\n");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_flood_in_one_place_takes_nothing_from_another),
		cmocka_unit_test(
			a_flood_of_calls_takes_nothing_from_what_is_proven),
		cmocka_unit_test(who_does_not_hear_the_answer_proves_nothing),
		cmocka_unit_test(a_table_full_of_connections_lets_nobody_in),
		cmocka_unit_test(of_all_else_the_quietest_goes),
		cmocka_unit_test(a_million_flows_find_room),
		cmocka_unit_test(a_table_goes_on_when_the_policy_changes),
		cmocka_unit_test(times_are_what_the_policy_says),
	};

	return cmocka_run_group_tests(tests, set_up, matcher_tear_down);
}
