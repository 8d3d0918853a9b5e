/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that nobody sends by mistake, through the matcher in the kernel: cut
 * off at every byte, claiming every length, in fragments of any order, behind
 * as many headers as there may be, and one more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "tests/bpf/matcher.h"

/* One lets in what the other keeps out; both deny what cannot be read. */
static const char both[] = "[chain closed]\npolicy = deny\nstrict = yes\n"
			   "10 = allow tcp to port 22\n"
			   "20 = allow udp to port 22\n"
			   "30 = allow icmp 8\n40 = allow icmp6 128\n"
			   "[chain open]\npolicy = allow\n"
			   "10 = deny tcp to port 22\n"
			   "20 = deny udp to port 22\n"
			   "30 = deny icmp 8\n40 = deny icmp6 128\n";

static int ask(const char *chain, const struct frame_spec *packet)
{
	struct question q = { .chain = matcher_chain(chain),
			      .hook = HOOK_DEVICE,
			      .place = 1 };
	int decision = matcher_ask(&q, packet, NULL);

	/* The short way to a verdict takes what it likes. */
	q.hook |= HOOK_FRAMED;
	assert_int_equal(decision, matcher_ask(&q, packet, NULL));
	return decision;
}

/* Whether it is read: then the one lets it in that is to, and else neither. */
static void expect(const struct frame_spec *packet, int is_read,
		   const char *what, int n)
{
	int closed = ask("closed", packet), open = ask("open", packet);

	if (closed != (is_read ? ROW_ALLOW : ROW_DENY) || open != ROW_DENY)
		fail_msg("%s, %d: decided %d and %d, %s", what, n, closed, open,
			 is_read ? "can be read" : "cannot be read");
}

/* With the bytes that its headers have. */
static const struct {
	const char *packet;
	int headers;
} forms[] = {
	{ "tcp 10.0.0.1:1 > 10.0.0.2:22", 40 },
	{ "udp 10.0.0.1:1 > 10.0.0.2:22", 28 },
	{ "icmp 10.0.0.1 > 10.0.0.2 type=8", 28 },
	{ "tcp 10.0.0.1:1 > 10.0.0.2:22 options=10", 80 },
	{ "udp 10.0.0.1:1 > 10.0.0.2:22 vlan", 28 },
	{ "udp 10.0.0.1:1 > 10.0.0.2:22 vlan vlan", 28 },
	{ "tcp [2001:db8::1]:1 > [2001:db8::2]:22", 60 },
	{ "udp [2001:db8::1]:1 > [2001:db8::2]:22 ext=0,60", 64 },
	{ "udp [2001:db8::1]:1 > [2001:db8::2]:22 ext=44", 56 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=128 vlan vlan", 48 },
};

static int length_of(const struct frame_spec *packet)
{
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;

	frame_build(packet, bytes, &ip);
	return ip;
}

static void what_is_cut_off_at_any_byte_fails_closed(void **state)
{
	struct frame_spec packet;
	size_t i;
	int whole;

	(void)state;
	matcher_use_text(both);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		frame_parse(forms[i].packet, &packet);
		whole = length_of(&packet);
		expect(&packet, 1, forms[i].packet, whole);
		/* A test cannot give the kernel less than an IP header. */
		packet.cut = packet.vlans ? 1 : packet.family == 4 ? 20 : 40;
		for (; packet.cut < whole; packet.cut++)
			expect(&packet, 0, forms[i].packet, packet.cut);
	}
}

static void what_claims_less_than_its_headers_fails_closed(void **state)
{
	struct frame_spec packet;
	size_t i;
	int whole;

	(void)state;
	matcher_use_text(both);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		frame_parse(forms[i].packet, &packet);
		whole = length_of(&packet);
		packet.claims = packet.family == 4 ? 0 : 40;
		for (; packet.claims < whole + 40; packet.claims++)
			expect(&packet,
			       packet.claims >= forms[i].headers &&
				       packet.claims <= whole,
			       forms[i].packet, packet.claims);
	}
}

static void what_is_cut_where_it_claims_to_end_fails_closed(void **state)
{
	struct frame_spec packet;
	size_t i;
	int whole;

	(void)state;
	matcher_use_text(both);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		frame_parse(forms[i].packet, &packet);
		whole = length_of(&packet);
		for (packet.cut = packet.family == 4 ? 20 : 40;
		     packet.cut < whole; packet.cut++) {
			packet.claims = packet.cut;
			expect(&packet, packet.cut >= forms[i].headers,
			       forms[i].packet, packet.cut);
		}
	}
}

static void options_of_any_length_are_looked_past(void **state)
{
	struct frame_spec packet;

	(void)state;
	matcher_use_text(both);
	frame_parse("tcp 10.0.0.1:1 > 10.0.0.2:22", &packet);
	for (packet.options = 0; packet.options <= 10; packet.options++)
		expect(&packet, 1, "options", packet.options);
}

static void eight_extension_headers_are_looked_past_and_no_more(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60 };
	struct frame_spec packet;
	unsigned int i;

	(void)state;
	matcher_use_text(both);
	frame_parse("udp [2001:db8::1]:1 > [2001:db8::2]:22", &packet);
	for (; packet.n_extensions <= 12; packet.n_extensions++) {
		for (i = 0; i < packet.n_extensions; i++)
			packet.extensions[i] = kinds[(i * 2) % 3];
		expect(&packet, packet.n_extensions <= 8, "extensions",
		       packet.n_extensions);
	}
	/* The fragment's is one of them. */
	for (packet.n_extensions = 1; packet.n_extensions <= 12;
	     packet.n_extensions++) {
		packet.extensions[packet.n_extensions - 1] = 44;
		expect(&packet, packet.n_extensions <= 8, "with a fragment's",
		       packet.n_extensions);
		packet.extensions[packet.n_extensions - 1] = 60;
	}
}

static void two_tags_are_looked_past_and_no_more(void **state)
{
	struct frame_spec packet;

	(void)state;
	matcher_use_text(both);
	frame_parse("udp 10.0.0.1:1 > 10.0.0.2:22", &packet);
	for (packet.vlans = 0; packet.vlans <= 6; packet.vlans++)
		expect(&packet, packet.vlans <= 2, "tags", packet.vlans);
	frame_parse("udp [2001:db8::1]:1 > [2001:db8::2]:22", &packet);
	for (packet.vlans = 0; packet.vlans <= 6; packet.vlans++)
		expect(&packet, packet.vlans <= 2, "tags", packet.vlans);
}

/* ------------------------------------------------------------ fragments */

#define N_FRAGMENTS 4

/* Of one datagram: the first, two that overlap, the last. */
static void fragment_make(const char *text, unsigned int i, uint32_t id,
			  struct frame_spec *packet)
{
	static const unsigned int offsets[N_FRAGMENTS] = { 0, 2, 3, 6 };

	frame_parse(text, packet);
	packet->payload = 24;
	packet->fragment = id;
	packet->offset = offsets[i];
	packet->more = i + 1 < N_FRAGMENTS;
}

/* The n-th of the orders that there are. */
static void order_make(unsigned int n, unsigned int order[static N_FRAGMENTS])
{
	unsigned int left[N_FRAGMENTS] = { 0, 1, 2, 3 }, i, j, at;

	for (i = 0; i < N_FRAGMENTS; i++) {
		at = n % (N_FRAGMENTS - i);
		n /= N_FRAGMENTS - i;
		order[i] = left[at];
		for (j = at; j + 1 < N_FRAGMENTS; j++)
			left[j] = left[j + 1];
	}
}

static void check_order(const char *text, int allowed, unsigned int n)
{
	unsigned int order[N_FRAGMENTS], i;
	struct frame_spec packet;
	int is_known = 0, decision;

	matcher_forget();
	order_make(n, order);
	for (i = 0; i < N_FRAGMENTS; i++) {
		fragment_make(text, order[i], 100 + n, &packet);
		is_known |= order[i] == 0;
		decision = ask("closed", &packet);
		if (decision != (is_known && allowed ? ROW_ALLOW : ROW_DENY))
			fail_msg("%s: order %u, fragment %u: decided %d", text,
				 n, order[i], decision);
	}
}

static void fragments_pass_behind_a_first_that_passed(void **state)
{
	unsigned int n;

	(void)state;
	matcher_use_text(both);
	for (n = 0; n < 24; n++) {
		check_order("udp 10.0.0.1:1 > 10.0.0.2:22", 1, n);
		check_order("udp 10.0.0.1:1 > 10.0.0.2:23", 0, n);
		check_order("tcp 10.0.0.1:1 > 10.0.0.2:22", 1, n);
		check_order("udp [2001:db8::1]:1 > [2001:db8::2]:22", 1, n);
		check_order("udp [2001:db8::1]:1 > [2001:db8::2]:23", 0, n);
	}
}

static void a_second_first_is_decided_by_its_own_ports(void **state)
{
	struct frame_spec packet;

	(void)state;
	matcher_forget();
	matcher_use_text(both);
	fragment_make("udp 10.0.0.1:1 > 10.0.0.2:22", 0, 7, &packet);
	assert_int_equal(ask("closed", &packet), ROW_ALLOW);
	fragment_make("udp 10.0.0.1:1 > 10.0.0.2:23", 0, 7, &packet);
	assert_int_equal(ask("closed", &packet), ROW_DENY);
}

static void a_fragment_that_would_overwrite_flags_fails_closed(void **state)
{
	struct frame_spec packet;
	int family;

	(void)state;
	matcher_use_text(both);
	for (family = 4; family <= 6; family += 2) {
		const char *text =
			family == 4 ? "tcp 10.0.0.1:1 > 10.0.0.2:22"
				    : "tcp [2001:db8::1]:1 > [2001:db8::2]:22";

		matcher_forget();
		fragment_make(text, 0, 9, &packet);
		assert_int_equal(ask("closed", &packet), ROW_ALLOW);
		packet.offset = 1;
		expect(&packet, 0, text, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cut_off_at_any_byte_fails_closed),
		cmocka_unit_test(
			what_claims_less_than_its_headers_fails_closed),
		cmocka_unit_test(
			what_is_cut_where_it_claims_to_end_fails_closed),
		cmocka_unit_test(options_of_any_length_are_looked_past),
		cmocka_unit_test(
			eight_extension_headers_are_looked_past_and_no_more),
		cmocka_unit_test(two_tags_are_looked_past_and_no_more),
		cmocka_unit_test(fragments_pass_behind_a_first_that_passed),
		cmocka_unit_test(a_second_first_is_decided_by_its_own_ports),
		cmocka_unit_test(
			a_fragment_that_would_overwrite_flags_fails_closed),
	};

	return cmocka_run_group_tests(tests, matcher_set_up, matcher_tear_down);
}
