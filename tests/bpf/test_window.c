/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of TCP in tables of flows, packet by packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "tests/bpf/matcher.h"

#define PLACE (FLOW_DEVICE | DEVICE)

/* The share of the first device of a policy, and one without. */
#define DEVICE 1
#define OTHER  2

enum {
	NEW = PACKET_NEW,
	ESTABLISHED = PACKET_ESTABLISHED,
	INVALID = PACKET_INVALID,
};

static uint32_t ask_at(const char *chain, uint32_t share, uint32_t hook,
		       const char *packet)
{
	struct question q = {
		.chain = matcher_chain(chain),
		.hook = HOOK_DEVICE | hook,
		.place = PLACE,
		.share = share,
		.windows = true,
	};
	uint32_t states;

	matcher_ask_text(&q, packet, &states);
	return states & ~PACKET_KEEP;
}

/* Of a connection of one host in many with a server; IPv4 or IPv6. */
struct end {
	int family;
	uint32_t host;
	uint32_t share;
};

static uint32_t out_by(const char *chain, struct end end, const char *words)
{
	char text[160];

	snprintf(text, sizeof(text),
		 end.family == 4 ? "tcp 10.0.0.%u:5 > 192.0.2.1:80 %s"
				 : "tcp [fd00::%u]:5 > [2001:db8::1]:80 %s",
		 end.host, words);
	return ask_at(chain, end.share, HOOK_OUT, text);
}

static uint32_t in_by(const char *chain, struct end end, const char *words)
{
	char text[160];

	snprintf(text, sizeof(text),
		 end.family == 4 ? "tcp 192.0.2.1:80 > 10.0.0.%u:5 %s"
				 : "tcp [2001:db8::1]:80 > [fd00::%u]:5 %s",
		 end.host, words);
	return ask_at(chain, end.share, 0, text);
}

#define OUT(end, words, states) \
	assert_int_equal(out_by("all", end, words), states)
#define IN(end, words, states) \
	assert_int_equal(in_by("all", end, words), states)

/* Opens with windows of 1000 bytes, scaled by 2 where the server has that. */
static void begin(struct end end, int scaled)
{
	OUT(end, "flags=S seq=100 len=0 win=1000 scale=2", NEW);
	IN(end,
	   scaled ? "flags=SA seq=900 ack=101 len=0 win=1000 scale=2"
		  : "flags=SA seq=900 ack=101 len=0 win=1000",
	   ESTABLISHED);
	OUT(end, "seq=101 ack=901 len=0 win=1000", ESTABLISHED);
}

static void what_is_outside_is_invalid(struct end end)
{
	begin(end, 0);
	OUT(end, "seq=101 ack=901 len=1000 win=1000", ESTABLISHED);
	OUT(end, "seq=3000 ack=901 len=1000 win=1000", INVALID);
	OUT(end, "flags=FA seq=3000 ack=901 len=0 win=1000", INVALID);
	OUT(end, "flags=R seq=3000 len=0", INVALID);
	IN(end, "seq=901 ack=1102 len=0 win=1000", INVALID);
	IN(end, "seq=901 ack=1101 len=0 win=1000", ESTABLISHED);
	OUT(end, "seq=1101 ack=901 len=1000 win=1000", ESTABLISHED);
	IN(end, "seq=90000000 ack=901 len=0 win=1000", INVALID);
}

static void both_families(void **state)
{
	(void)state;
	matcher_make_windows(DEVICE, 1024);
	what_is_outside_is_invalid((struct end){ 4, 1, DEVICE });
	what_is_outside_is_invalid((struct end){ 6, 1, DEVICE });
}

static void a_scale_counts_where_both_have_one(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 1);
	IN(end, "seq=901 ack=101 len=0 win=1000", ESTABLISHED);
	OUT(end, "seq=4101 ack=901 len=0 win=1000", ESTABLISHED);
	end.host++;
	begin(end, 0);
	IN(end, "seq=901 ack=101 len=0 win=1000", ESTABLISHED);
	OUT(end, "seq=4101 ack=901 len=0 win=1000", INVALID);
}

static void the_number_of_a_port_used_again_is_another(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	OUT(end, "flags=FA seq=101 ack=901 len=0", ESTABLISHED);
	IN(end, "flags=FA seq=901 ack=102 len=0", ESTABLISHED);
	OUT(end, "seq=102 ack=902 len=0", ESTABLISHED);
	OUT(end, "flags=S seq=70000000 len=0 win=1000", NEW);
	IN(end, "flags=SA seq=50000000 ack=70000001 len=0 win=1000",
	   ESTABLISHED);
	OUT(end, "seq=70000001 ack=50000001 len=100 win=1000", ESTABLISHED);
	OUT(end, "seq=80000000 ack=50000001 len=0 win=1000", INVALID);
	OUT(end, "seq=102 ack=902 len=0 win=1000", ESTABLISHED);
}

/* What is denied nobody has got. */
static void what_is_denied_moves_no_window(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	assert_int_equal(
		out_by("none", end, "seq=101 ack=901 len=100 win=1000"),
		ESTABLISHED);
	IN(end, "seq=901 ack=201 len=0 win=1000", INVALID);
	OUT(end, "seq=101 ack=901 len=100 win=1000", ESTABLISHED);
	IN(end, "seq=901 ack=201 len=0 win=1000", ESTABLISHED);
}

/* Of that nobody knows how long it is. */
static void a_segment_in_fragments_may_be_as_long_as_it_may(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	OUT(end, "seq=101 ack=901 len=96 win=1000 frag=0+ fragid=1",
	    ESTABLISHED);
	IN(end, "seq=901 ack=901 len=0 win=1000", ESTABLISHED);
	IN(end, "seq=901 ack=5000 len=0 win=1000", INVALID);
}

/* As long as it is there: nobody has said yet what its side may send. */
static void a_first_segment_in_fragments_is_as_long_as_it_is(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	OUT(end, "flags=S seq=100 len=0 win=1000", NEW);
	/* 0x90000000 */
	IN(end,
	   "flags=SA seq=2415919104 ack=101 len=96 win=1000 frag=0+ fragid=1",
	   ESTABLISHED);
	OUT(end, "seq=101 ack=2415919105 len=0 win=1000", ESTABLISHED);
	IN(end, "seq=2415929105 ack=101 len=10 win=1000", INVALID);
	IN(end, "seq=2415919105 ack=101 len=10 win=1000", ESTABLISHED);
}

static void an_end_of_a_reset_that_is_in_doubt_is_none(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	IN(end, "flags=R seq=1000 len=0", ESTABLISHED);
	/* It is a call in a connection that goes on, and not a new one. */
	OUT(end, "flags=S seq=5000 len=0", ESTABLISHED);
	OUT(end, "seq=101 ack=901 len=10 win=1000", ESTABLISHED);
	IN(end, "flags=R seq=901 len=0", ESTABLISHED);
	OUT(end, "flags=S seq=5000 len=0", NEW);
}

/* But for an RST that is older than what its receiver has acknowledged. */
static void all_that_was_picked_up_is_within(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	OUT(end, "seq=101 ack=901 len=10 win=10", NEW);
	IN(end, "seq=901 ack=111 len=0 win=10", ESTABLISHED);
	OUT(end, "seq=90000 ack=901 len=10 win=10", ESTABLISHED);
	IN(end, "seq=901 ack=90010 len=0 win=10", ESTABLISHED);
	OUT(end, "flags=FA seq=111 ack=901 len=0 win=10", ESTABLISHED);
	end.host++;
	OUT(end, "seq=101 ack=901 len=10 win=10", NEW);
	IN(end, "seq=901 ack=111 len=0 win=10", ESTABLISHED);
	OUT(end, "flags=R seq=110 len=0", INVALID);
	OUT(end, "flags=R seq=111 len=0", ESTABLISHED);
	OUT(end, "flags=S seq=5000 len=0", NEW);
}

/* Nor is the end doubted that goes by what was acknowledged before. */
static void what_is_outside_acknowledges_nothing(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	OUT(end, "seq=101 ack=901 len=10 win=1000", ESTABLISHED);
	IN(end, "seq=901 ack=70000101 len=0 win=1000", INVALID);
	IN(end, "seq=901 ack=111 len=0 win=1000", ESTABLISHED);
	assert_int_equal(
		in_by("none", end, "seq=901 ack=70000101 len=0 win=1000"),
		INVALID);
	OUT(end, "flags=R seq=111 len=0", ESTABLISHED);
	OUT(end, "flags=S seq=5000 len=0", NEW);
}

/* A megabyte on, an end is nowhere near what was acknowledged first. */
static void what_fits_acknowledges(void **state)
{
	struct end end = { 4, 1, DEVICE };
	char words[96];
	uint32_t i;

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	for (i = 0; i < 1000; i++) {
		snprintf(words, sizeof(words), "seq=%u ack=901 len=1000 win=1",
			 101 + i * 1000);
		OUT(end, words, ESTABLISHED);
		snprintf(words, sizeof(words), "seq=901 ack=%u len=0 win=1000",
			 1101 + i * 1000);
		IN(end, words, ESTABLISHED);
	}
	OUT(end, "flags=R seq=1000101 len=0", ESTABLISHED);
	OUT(end, "flags=S seq=5000 len=0", NEW);
}

/* Although it is behind the reset by the time that it is kept. */
static void a_window_learns_of_a_reset_that_is_believed(void **state)
{
	struct end end = { 4, 1, DEVICE };

	(void)state;
	matcher_make_windows(DEVICE, 1024);
	begin(end, 0);
	OUT(end, "flags=R seq=101 len=0 win=9000", ESTABLISHED);
	IN(end, "seq=5000 ack=101 len=10 win=1000", ESTABLISHED);
}

static void a_table_without_windows_has_none(void **state)
{
	struct end end = { 4, 1, OTHER };

	(void)state;
	matcher_make_flows(OTHER, 1024);
	begin(end, 0);
	OUT(end, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
}

static void use_device(const char *keys)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "[device t0]\nfilter-in = some\n%s"
		 "[chain some]\npolicy = deny\n10 = allow established\n"
		 "[chain all]\npolicy = allow\n[chain none]\npolicy = deny\n",
		 keys);
	matcher_use_text(text);
}

static void windows_go_on_when_the_policy_changes(void **state)
{
	struct end strict = { 4, 101, DEVICE }, picked_up = { 4, 102, DEVICE };

	(void)state;
	use_device("flows = 100\ntcp-windows = yes\n");
	begin(strict, 0);
	use_device("flows = 100\nout = 1gbit\ntcp-windows = yes\n");
	OUT(strict, "seq=3000 ack=901 len=1000 win=1000", INVALID);
	OUT(strict, "seq=101 ack=901 len=1000 win=1000", ESTABLISHED);
	/* A segment may have passed before a new table was in use. */
	use_device("flows = 1000\ntcp-windows = yes\n");
	OUT(strict, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
	use_device("flows = 1000\n");
	OUT(strict, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
	begin(picked_up, 0);
	/* Of what was open before, the scale is not known. */
	use_device("flows = 1000\ntcp-windows = yes\n");
	OUT(strict, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
	OUT(picked_up, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
	IN(picked_up, "seq=901 ack=9000 len=1000 win=1000", ESTABLISHED);
}

/* As an apply leaves it that is killed before the switch. */
static void a_table_that_was_left_behind_is_made_again(void **state)
{
	const char *keys = "flows = 100\ntcp-windows = yes\n";
	struct end end = { 4, 103, DEVICE };

	(void)state;
	use_device(keys);
	matcher_make_flows(DEVICE, 100);
	use_device(keys);
	begin(end, 0);
	OUT(end, "seq=3000 ack=901 len=1000 win=1000", INVALID);
	matcher_make_windows(DEVICE, 2000);
	use_device(keys);
	assert_int_equal(matcher_figures(DEVICE).limit, 100);
	use_device("");
	matcher_make_windows(DEVICE, 2000);
	use_device("");
	assert_int_equal(matcher_figures(DEVICE).limit, FLOW_ROOM_DEVICE);
	begin(end, 0);
	OUT(end, "seq=3000 ack=901 len=1000 win=1000", ESTABLISHED);
}

static int set_up(void **state)
{
	matcher_set_up(state);
	use_device("");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families),
		cmocka_unit_test(a_scale_counts_where_both_have_one),
		cmocka_unit_test(the_number_of_a_port_used_again_is_another),
		cmocka_unit_test(what_is_denied_moves_no_window),
		cmocka_unit_test(
			a_segment_in_fragments_may_be_as_long_as_it_may),
		cmocka_unit_test(
			a_first_segment_in_fragments_is_as_long_as_it_is),
		cmocka_unit_test(an_end_of_a_reset_that_is_in_doubt_is_none),
		cmocka_unit_test(all_that_was_picked_up_is_within),
		cmocka_unit_test(what_is_outside_acknowledges_nothing),
		cmocka_unit_test(what_fits_acknowledges),
		cmocka_unit_test(a_window_learns_of_a_reset_that_is_believed),
		cmocka_unit_test(a_table_without_windows_has_none),
		cmocka_unit_test(windows_go_on_when_the_policy_changes),
		cmocka_unit_test(a_table_that_was_left_behind_is_made_again),
	};

	return cmocka_run_group_tests(tests, set_up, matcher_tear_down);
}
