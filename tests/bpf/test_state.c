/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations, packet by packet: which state each has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "rules/flow_abi.h"
#include "tests/bpf/matcher.h"

enum {
	NEW = PACKET_NEW,
	ESTABLISHED = PACKET_ESTABLISHED,
	RELATED = PACKET_RELATED,
	INVALID = PACKET_INVALID,
};

struct step {
	uint32_t hook;
	const char *packet;
	uint32_t states;
};

#define CGROUP_PLACE 77
#define DEVICE_PLACE (FLOW_DEVICE | 3)

static uint32_t state_of(const char *chain, uint32_t hook, uint64_t place,
			 const char *packet)
{
	struct question q = {
		.chain = matcher_chain(chain),
		.hook = hook,
		.place = place,
	};
	uint32_t states;

	matcher_ask_text(&q, packet, &states);
	return states & ~PACKET_KEEP;
}

static void converse(const struct step *steps, size_t n, uint32_t hook)
{
	uint64_t place = hook & HOOK_DEVICE ? DEVICE_PLACE : CGROUP_PLACE;
	size_t i;

	matcher_forget();
	for (i = 0; i < n; i++) {
		uint32_t states = state_of("all", hook | steps[i].hook, place,
					   steps[i].packet);

		if (states != steps[i].states)
			fail_msg("step %zu: %s: states %#x", i, steps[i].packet,
				 states);
	}
}

static const struct step udp_steps[] = {
	{ HOOK_OUT, "udp 10.0.0.1:5 > 10.0.0.2:53", NEW },
	{ HOOK_OUT, "udp 10.0.0.1:5 > 10.0.0.2:53", NEW },
	{ 0, "udp 10.0.0.2:53 > 10.0.0.1:6", NEW },
	{ 0, "udp 10.0.0.2:53 > 10.0.0.1:5", ESTABLISHED },
	{ HOOK_OUT, "udp 10.0.0.1:5 > 10.0.0.2:53", ESTABLISHED },
	{ 0, "udp 10.0.0.2:53 > 10.0.0.1:5", ESTABLISHED },
	{ 0, "udp 10.0.0.3:53 > 10.0.0.1:5", NEW },
	{ HOOK_OUT, "udp [2001:db8::2]:5 > [2001:db8::1]:53", NEW },
	{ 0, "udp [2001:db8::1]:53 > [2001:db8::2]:5", ESTABLISHED },
	{ HOOK_OUT, "udp [2001:db8::2]:5 > [2001:db8::1]:53", ESTABLISHED },
	/* with itself, by another port */
	{ HOOK_OUT, "udp 10.0.0.1:9 > 10.0.0.1:8", NEW },
	{ HOOK_OUT, "udp 10.0.0.1:8 > 10.0.0.1:9", ESTABLISHED },
	{ 0, "udp 10.0.0.2:53 > 10.0.0.1:5 cut=20", INVALID },
	{ 0, "udp 10.0.0.2:53 > 10.0.0.1:5 frag=9", 0 },
	/* the same numbers, another protocol */
	{ 0, "sctp 10.0.0.2:53 > 10.0.0.1:5", NEW },
	{ HOOK_OUT, "gre 10.0.0.1 > 10.0.0.2", NEW },
	{ 0, "gre 10.0.0.2 > 10.0.0.1", ESTABLISHED },
};

static const struct step echo_steps[] = {
	{ 0, "icmp 10.0.0.2 > 10.0.0.1 type=0 id=7", INVALID },
	{ HOOK_OUT, "icmp 10.0.0.1 > 10.0.0.2 type=8 id=7", NEW },
	{ HOOK_OUT, "icmp 10.0.0.1 > 10.0.0.2 type=8 id=7", NEW },
	/* asking is not answering */
	{ 0, "icmp 10.0.0.2 > 10.0.0.1 type=8 id=7", NEW },
	{ 0, "icmp 10.0.0.2 > 10.0.0.1 type=0 id=7", ESTABLISHED },
	{ 0, "icmp 10.0.0.2 > 10.0.0.1 type=0 id=8", INVALID },
	{ HOOK_OUT, "icmp 10.0.0.1 > 10.0.0.2 type=8 id=7", ESTABLISHED },
	{ HOOK_OUT, "icmp6 [2001:db8::2] > [2001:db8::1] type=128 id=7", NEW },
	{ 0, "icmp6 [2001:db8::1] > [2001:db8::2] type=129 id=7", ESTABLISHED },
	{ HOOK_OUT, "icmp 10.0.0.1 > 10.0.0.2 type=13 id=1", NEW },
	{ 0, "icmp 10.0.0.2 > 10.0.0.1 type=14 id=1", ESTABLISHED },
	{ 0, "icmp6 [fe80::1] > [ff02::1] type=134", NEW },
};

static const struct step tcp_steps[] = {
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=SA", INVALID },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=R", INVALID },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=FA", INVALID },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=S", NEW },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=SEC", NEW },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=SA", ESTABLISHED },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=A", ESTABLISHED },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=PA", ESTABLISHED },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=FA", ESTABLISHED },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=FA", ESTABLISHED },
	/* closed, and the port used again, from either side */
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=S", NEW },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=RA", ESTABLISHED },
	{ 0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=S", NEW },
	/* older than the policy */
	{ 0, "tcp 10.0.0.9:80 > 10.0.0.1:5 flags=A", NEW },
	{ HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.9:80 flags=A", ESTABLISHED },
	/* nonsense */
	{ 0, "tcp 10.0.0.9:80 > 10.0.0.1:5 flags=SF", INVALID },
	{ 0, "tcp 10.0.0.9:80 > 10.0.0.1:5 flags=SR", INVALID },
	{ 0, "tcp 10.0.0.9:80 > 10.0.0.1:5 flags=-", INVALID },
	{ 0, "tcp 10.0.0.9:80 > 10.0.0.1:5 flags=FPU", INVALID },
};

/* A connection of 10.0.0.1 with 10.0.0.2, one behind the other. */
#define OUT(words, states)                                              \
	{                                                               \
		HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 " words, states \
	}
#define IN(words, states)                                        \
	{                                                        \
		0, "tcp 10.0.0.2:80 > 10.0.0.1:5 " words, states \
	}

static const struct step both_call_steps[] = {
	OUT("flags=S seq=100", NEW),
	IN("flags=S seq=900", ESTABLISHED),
	OUT("flags=SA seq=100 ack=901", ESTABLISHED),
	IN("flags=SA seq=900 ack=101", ESTABLISHED),
	OUT("flags=A seq=101 ack=901", ESTABLISHED),
	IN("flags=S seq=900", INVALID),
};

static const struct step half_open_steps[] = {
	OUT("flags=S seq=100", NEW),
	/* Nobody has answered: nothing follows. */
	OUT("flags=A seq=101 ack=901", INVALID),
	OUT("flags=FA seq=101 ack=901", INVALID),
	OUT("flags=SA seq=100 ack=901", INVALID),
	IN("flags=FA seq=900 ack=101", INVALID),
	OUT("flags=S seq=100", NEW),
	/* Sent again after its answer, which has been lost. */
	IN("flags=SA seq=900 ack=101", ESTABLISHED),
	OUT("flags=S seq=100", ESTABLISHED),
	IN("flags=SA seq=900 ack=101", ESTABLISHED),
	OUT("flags=A seq=101 ack=901", ESTABLISHED),
	OUT("flags=SA seq=101 ack=901", INVALID),
	/* A call that is refused, and once more. */
	{ HOOK_OUT, "tcp 10.0.0.1:6 > 10.0.0.2:81 flags=S seq=7", NEW },
	{ 0, "tcp 10.0.0.2:81 > 10.0.0.1:6 flags=RA ack=8", ESTABLISHED },
	{ HOOK_OUT, "tcp 10.0.0.1:6 > 10.0.0.2:81 flags=S seq=9", NEW },
};

static const struct step closing_steps[] = {
	OUT("flags=S seq=100", NEW),
	IN("flags=SA seq=900 ack=101", ESTABLISHED),
	OUT("flags=A seq=101 ack=901", ESTABLISHED),
	IN("flags=FA seq=901 ack=101", ESTABLISHED),
	/* One side may go on, and a call is none of another connection. */
	OUT("flags=A seq=101 ack=902", ESTABLISHED),
	OUT("flags=S seq=5000", ESTABLISHED),
	OUT("flags=FA seq=101 ack=902", ESTABLISHED),
	IN("flags=A seq=902 ack=102", ESTABLISHED),
	IN("flags=FA seq=901 ack=102", ESTABLISHED),
	/* It is over: the ports are used again. */
	OUT("flags=S seq=5000", NEW),
};

static const struct step other_steps[] = {
	{ 0, "arp", 0 },
	{ 0, "tcp [2001:db8::1]:1 > [2001:db8::2]:2 flags=S ext=0", NEW },
};

static void a_flow_is_established_when_both_have_spoken(void **state)
{
	(void)state;
	converse(udp_steps, ARRAY_SIZE(udp_steps), 0);
	converse(udp_steps, ARRAY_SIZE(udp_steps), HOOK_DEVICE);
}

static void an_echo_is_answered_only_by_its_reply(void **state)
{
	(void)state;
	converse(echo_steps, ARRAY_SIZE(echo_steps), 0);
	converse(echo_steps, ARRAY_SIZE(echo_steps), HOOK_DEVICE);
}

static void tcp_is_followed_on_devices(void **state)
{
	(void)state;
	converse(tcp_steps, ARRAY_SIZE(tcp_steps), HOOK_DEVICE);
	converse(other_steps, ARRAY_SIZE(other_steps), HOOK_DEVICE);
	converse(both_call_steps, ARRAY_SIZE(both_call_steps), HOOK_DEVICE);
	converse(half_open_steps, ARRAY_SIZE(half_open_steps), HOOK_DEVICE);
	converse(closing_steps, ARRAY_SIZE(closing_steps), HOOK_DEVICE);
}

static uint32_t at_device(uint32_t hook, const char *packet)
{
	return state_of("all", HOOK_DEVICE | hook, DEVICE_PLACE, packet);
}

/* The address is that of an established connection: 100 and 900 are sent. */
static void connect_at_device(void)
{
	matcher_forget();
	at_device(HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=S seq=99");
	at_device(0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=SA seq=899 ack=100");
	at_device(HOOK_OUT,
		  "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=A seq=100 ack=900");
	at_device(0, "tcp 10.0.0.2:80 > 10.0.0.1:5 flags=A seq=900 ack=100");
}

static bool outlives(const char *attack, unsigned int seconds)
{
	connect_at_device();
	at_device(0, attack);
	matcher_age(MATCHER_SHARE, seconds);
	return at_device(HOOK_OUT,
			 "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=FA seq=100 "
			 "ack=900") == ESTABLISHED;
}

#define FROM_THERE "tcp 10.0.0.2:80 > 10.0.0.1:5 "

static void nobody_ends_a_connection_who_does_not_know_where_it_is(void **state)
{
	(void)state;
	assert_true(outlives(FROM_THERE "flags=R seq=80000000", 7000));
	assert_true(outlives(FROM_THERE "flags=R seq=4000000000", 7000));
	assert_true(outlives(FROM_THERE "flags=FA seq=80000000 ack=1", 7000));
	assert_true(outlives(FROM_THERE "flags=S seq=80000000", 7000));
	/* Who does know ends it. */
	assert_false(outlives(FROM_THERE "flags=R seq=900", 11));
	assert_true(outlives(FROM_THERE "flags=R seq=900", 9));
	assert_false(outlives(FROM_THERE "flags=FA seq=900 ack=100", 121));
	/* Whoever has sent much lately may be far ahead. */
	connect_at_device();
	at_device(HOOK_OUT,
		  "tcp 10.0.0.1:5 > 10.0.0.2:80 flags=A seq=100 ack=50000900");
	at_device(0, FROM_THERE "flags=R seq=80000000");
	matcher_age(MATCHER_SHARE, 11);
	assert_int_equal(at_device(HOOK_OUT, "tcp 10.0.0.1:5 > 10.0.0.2:80 "
					     "flags=FA seq=100 ack=900"),
			 INVALID);
}

static void places_do_not_know_of_each_other(void **state)
{
	const char *there = "udp 10.0.0.1:5 > 10.0.0.2:53";
	const char *back = "udp 10.0.0.2:53 > 10.0.0.1:5";

	(void)state;
	matcher_forget();
	assert_int_equal(state_of("all", HOOK_OUT, 1, there), NEW);
	assert_int_equal(state_of("all", 0, 2, back), NEW);
	assert_int_equal(state_of("all", 0, 1, back), ESTABLISHED);
}

static void what_is_denied_leaves_no_flow(void **state)
{
	const char *there = "udp 10.0.0.1:5 > 10.0.0.2:53";
	const char *back = "udp 10.0.0.2:53 > 10.0.0.1:5";

	(void)state;
	matcher_forget();
	assert_int_equal(state_of("none", HOOK_OUT, 1, there), NEW);
	assert_int_equal(matcher_flows(), 0);
	assert_int_equal(state_of("all", HOOK_OUT, 1, there), NEW);
	assert_int_equal(matcher_flows(), 1);
	/* An answer that is denied is none. */
	assert_int_equal(state_of("none", 0, 1, back), ESTABLISHED);
	assert_int_equal(state_of("all", HOOK_OUT, 1, there), NEW);
}

static uint32_t error_state(uint32_t hook, uint64_t place, const char *error,
			    const char *quoted)
{
	struct frame_spec outer, inner;
	struct question q = {
		.chain = matcher_chain("all"),
		.hook = hook,
		.place = place,
	};
	uint32_t states;

	frame_parse(error, &outer);
	frame_parse(quoted, &inner);
	outer.quoted = &inner;
	matcher_ask(&q, &outer, &states);
	return states & ~PACKET_KEEP;
}

static void an_error_is_related_to_the_flow_that_it_quotes(void **state)
{
	const char *error = "icmp 192.0.2.9 > 10.0.0.1 type=3 code=1 len=0";
	const char *error6 = "icmp6 [2001:db8::9] > [2001:db8::1] type=1";
	uint32_t hook;

	(void)state;
	for (hook = 0; hook <= HOOK_DEVICE; hook += HOOK_DEVICE) {
		matcher_forget();
		state_of("all", hook | HOOK_OUT, 5,
			 "udp 10.0.0.1:5 > 10.0.0.2:53");
		state_of("all", hook | HOOK_OUT, 5,
			 "udp [2001:db8::1]:5 > [2001:db8::2]:53");
		state_of("all", hook | HOOK_OUT, 5,
			 "icmp 10.0.0.1 > 10.0.0.2 type=8 id=4");
		assert_int_equal(error_state(hook, 5, error,
					     "udp 10.0.0.1:5 > 10.0.0.2:53"),
				 RELATED);
		assert_int_equal(error_state(hook, 5, error,
					     "icmp 10.0.0.1 > 10.0.0.2 type=8 "
					     "id=4"),
				 RELATED);
		assert_int_equal(
			error_state(hook, 5, error6,
				    "udp [2001:db8::1]:5 > [2001:db8::2]:53"),
			RELATED);
		assert_int_equal(error_state(hook, 5, error,
					     "udp 10.0.0.1:6 > 10.0.0.2:53"),
				 INVALID);
		assert_int_equal(error_state(hook, 6, error,
					     "udp 10.0.0.1:5 > 10.0.0.2:53"),
				 INVALID);
		/* Not sent to who sent what it quotes. */
		assert_int_equal(error_state(hook, 5,
					     "icmp 192.0.2.9 > 10.0.0.3 type=3",
					     "udp 10.0.0.1:5 > 10.0.0.2:53"),
				 INVALID);
		/* Quotes nothing. */
		assert_int_equal(state_of("all", hook, 5, error), INVALID);
		/* No flow comes of it. */
		assert_int_equal(matcher_flows(), 3);
	}
}

static void flows_end_when_they_are_quiet(void **state)
{
	const char *there = "udp 10.0.0.1:5 > 10.0.0.2:53";
	const char *back = "udp 10.0.0.2:53 > 10.0.0.1:5";

	(void)state;
	matcher_forget();
	state_of("all", HOOK_OUT, 1, there);
	matcher_age(MATCHER_SHARE, 31);
	assert_int_equal(state_of("all", 0, 1, back), NEW);
	matcher_forget();
	state_of("all", HOOK_OUT, 1, there);
	matcher_age(MATCHER_SHARE, 29);
	assert_int_equal(state_of("all", 0, 1, back), ESTABLISHED);
	matcher_age(MATCHER_SHARE, 179);
	assert_int_equal(state_of("all", 0, 1, back), ESTABLISHED);
	/* It was refreshed. */
	matcher_age(MATCHER_SHARE, 179);
	assert_int_equal(state_of("all", HOOK_OUT, 1, there), ESTABLISHED);
	matcher_age(MATCHER_SHARE, 181);
	assert_int_equal(state_of("all", HOOK_OUT, 1, there), NEW);
}

static void rules_look_at_states(void **state)
{
	struct question q = { .hook = 0, .place = 1 };

	(void)state;
	matcher_forget();
	q.chain = matcher_chain("states");
	assert_int_equal(
		matcher_ask_text(&q, "udp 10.0.0.1:5 > 10.0.0.2:53", NULL),
		ROW_DENY);
	assert_int_equal(
		matcher_ask_text(&q, "udp 10.0.0.1:5 > 10.0.0.2:99", NULL),
		ROW_ALLOW);
	q.hook = HOOK_OUT;
	assert_int_equal(
		matcher_ask_text(&q, "udp 10.0.0.2:99 > 10.0.0.1:5", NULL),
		ROW_ALLOW);
	assert_int_equal(matcher_ask_text(&q,
					  "tcp 10.0.0.2:99 > 10.0.0.1:5 "
					  "flags=SF",
					  NULL),
			 ROW_REJECT);
	assert_int_equal(matcher_count(q.chain, 20).packets, 1);
	assert_int_equal(matcher_count(q.chain, 10).packets, 1);
}

static int set_up(void **state)
{
	matcher_set_up(state);
	matcher_use_text("[chain all]\npolicy = allow\n"
			 "[chain none]\npolicy = deny\n"
			 "[chain states]\npolicy = deny\n"
			 "10 = allow established,related\n"
			 "20 = allow udp to port 99 new\n"
			 "30 = reject invalid\n");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_established_when_both_have_spoken),
		cmocka_unit_test(an_echo_is_answered_only_by_its_reply),
		cmocka_unit_test(tcp_is_followed_on_devices),
		cmocka_unit_test(
			nobody_ends_a_connection_who_does_not_know_where_it_is),
		cmocka_unit_test(places_do_not_know_of_each_other),
		cmocka_unit_test(what_is_denied_leaves_no_flow),
		cmocka_unit_test(
			an_error_is_related_to_the_flow_that_it_quotes),
		cmocka_unit_test(flows_end_when_they_are_quiet),
		cmocka_unit_test(rules_look_at_states),
	};

	return cmocka_run_group_tests(tests, set_up, matcher_tear_down);
}
