/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices answer to packets that they reject, byte by byte, and which they
 * never answer; by BPF_PROG_TEST_RUN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile.h"
#include "rules/policy_text.h"
#include "tc/answer_abi.h"
#include "tests/bpf/answer_reference.h"
#include "tests/bpf/device_world.h"
#include "tests/bpf/frame.h"

#define IN  0
#define OUT 1

static struct device_world world;
static uint32_t t0;

static const uint8_t link_ours[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t link_theirs[6] = { 2, 0, 0, 0, 0, 2 };

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("modprobe -q veth; ip link add t0 address "
				"02:00:00:00:00:01 type veth peer name t1"),
			 0);
	t0 = if_nametoindex("t0");
	device_world_open(&world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	device_world_close(&world);
	return 0;
}

/* A device whose chains reject all that they see; NULL: it has no such chain.
 */
static void use_with(const char *in, const char *out, uint8_t flags)
{
	static const char text[] = "[chain in]\npolicy = reject\nstrict = yes\n"
				   "[chain out]\npolicy = reject\n"
				   "strict = yes\n";
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	struct image *image = NULL;
	struct device_row row = {
		.in_use = 1,
		.chain_in = in ? 0 : NONE,
		.chain_out = out ? 1 : NONE,
		.group = NONE,
		.flags = DEVICE_FRAMED | flags,
	};

	assert_int_equal(
		policy_read_text("t", text, strlen(text), &problems, &policy),
		0);
	assert_int_equal(compile(policy, world.live, &problems, &image), 0);
	image->devices = malloc(sizeof(row));
	image->devices[0] = row;
	image->n_devices = 1;
	device_world_use(&world, image);
}

static void use(const char *in, const char *out)
{
	use_with(in, out, 0);
}

static struct device_answers *answers(void)
{
	static struct device_answers answers;
	uint32_t index = 0;

	memset(&answers, 0, sizeof(answers));
	bpf_map_lookup_elem(bpf_map__fd(world.programs->maps.device_answers),
			    &index, &answers);
	return &answers;
}

/* As if no answer had been sent for long. */
static void forget(void)
{
	uint32_t index = 0;

	bpf_map_delete_elem(bpf_map__fd(world.programs->maps.device_answers),
			    &index);
}

/* The packet's verdict; it is then what became of it. */
static int run(int side, uint8_t *bytes, size_t *length,
	       struct __sk_buff *packet)
{
	struct bpf_program *program =
		side == IN ? world.programs->progs.device_in
			   : world.programs->progs.device_out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes,
		    .data_size_in = *length, .data_out = bytes,
		    .data_size_out = FRAME_MAX, .ctx_in = packet,
		    .ctx_size_in = sizeof(*packet), .ctx_out = packet,
		    .ctx_size_out = sizeof(*packet), .repeat = 1);

	packet->ifindex = t0;
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	*length = opts.data_size_out;
	return (int)opts.retval;
}

/* ---------------------------------------------------------------- tests */

/* A frame with right checksums, but where it is cut or claims another length.
 */
static size_t build(const char *text, unsigned int payload, uint8_t *bytes)
{
	struct frame_spec spec;
	unsigned int ip, i;
	uint8_t protocol;
	size_t at;

	frame_parse(text, &spec);
	if (payload)
		spec.payload = payload - 1;
	frame_build(&spec, bytes, &ip);
	memcpy(bytes, link_ours, 6);
	memcpy(bytes + 6, link_theirs, 6);
	if (spec.family && !spec.vlans) {
		at = transport_of(bytes + LINK, &protocol);
		if (protocol == IPPROTO_TCP && ip >= at + 20) {
			put32(bytes + LINK + at + 4, 0xfffffff0);
			put32(bytes + LINK + at + 8, 0x12345678);
		}
		for (i = at + 20; i < ip; i++)
			bytes[LINK + i] = i * 7;
		seal(bytes + LINK, ip);
	}
	return LINK + ip;
}

static void check_answer(int side, const char *text, unsigned int payload)
{
	uint8_t bytes[FRAME_MAX], want[FRAME_MAX];
	struct __sk_buff packet = { 0 };
	size_t length = build(text, payload, bytes), wanted;
	int r;

	wanted = answer_for(bytes, want);
	forget();
	r = run(side, bytes, &length, &packet);
	if (r != TC_ACT_REDIRECT)
		fail_msg("%s, %u: no answer (%d)", text, payload, r);
	if (want[LINK] >> 4 == 4 && want[LINK + 9] == IPPROTO_ICMP) {
		memcpy(want + LINK + 4, bytes + LINK + 4, 2);
		seal(want + LINK, wanted - LINK);
	}
	if (length != wanted || memcmp(bytes, want, wanted) != 0) {
		size_t i = 0;

		while (i < wanted && bytes[i] == want[i])
			i++;
		fail_msg("%s, %u: %zu bytes (%zu), differs at %zu: %02x (%02x)",
			 text, payload, length, wanted, i, bytes[i], want[i]);
	}
	assert_int_equal(answers()->side[side].sent, 1);
	assert_int_equal(answers()->side[!side].sent, 0);
}

static const char *const forms[] = {
	"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=S",
	"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=A",
	"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=FA dscp=46",
	"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=F",
	"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=- options=10",
	"udp 10.0.0.1:1000 > 10.0.0.2:53",
	"udp 10.0.0.1:1000 > 10.0.0.2:53 options=3 dscp=10",
	"icmp 10.0.0.1 > 10.0.0.2 type=8 id=7",
	"sctp 10.0.0.1:1 > 10.0.0.2:2",
	"gre 10.0.0.1 > 10.0.0.2",
	"tcp [2001:db8::1]:1000 > [2001:db8::2]:22 flags=S",
	"tcp [2001:db8::1]:1000 > [2001:db8::2]:22 flags=PA ext=0,60",
	"udp [2001:db8::1]:1000 > [2001:db8::2]:53",
	"udp [fe80::1]:1000 > [fe80::2]:53 dscp=46 ext=60",
	"icmp6 [2001:db8::1] > [2001:db8::2] type=128 id=7",
};

static void what_is_rejected_is_answered(void **state)
{
	static const unsigned int payloads[] = {
		0,    1,    2,	  3,	4,    5,    97,	  483,
		484,  485,  500,  511,	512,  513,  519,  520,
		521,  528,  529,  530,	1000, 1183, 1184, 1185,
		1186, 1191, 1192, 1193, 1224, 1225, 1400, 1473,
	};
	size_t i, j;

	(void)state;
	use("in", "out");
	for (i = 0; i < ARRAY_SIZE(forms); i++)
		for (j = 0; j < ARRAY_SIZE(payloads); j++) {
			check_answer(IN, forms[i], payloads[j]);
			check_answer(OUT, forms[i], payloads[j]);
		}
	check_answer(IN, "udp 10.0.0.1:1 > 10.0.0.2:2 frag=0+", 0);
}

static int is_answered(int side, uint8_t *bytes, size_t length,
		       struct __sk_buff *packet)
{
	int r;

	forget();
	r = run(side, bytes, &length, packet);
	assert_true(r == TC_ACT_SHOT || r == TC_ACT_REDIRECT);
	assert_int_equal(answers()->side[side].sent, r == TC_ACT_REDIRECT);
	return r == TC_ACT_REDIRECT;
}

static void what_must_have_no_answer_has_none(void **state)
{
	static const char *const texts[] = {
		"tcp 10.0.0.1:1 > 10.0.0.2:2 flags=R",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 flags=RA",
		"tcp [2001:db8::1]:1 > [2001:db8::2]:2 flags=R",
		"icmp 10.0.0.1 > 10.0.0.2 type=3 code=3",
		"icmp 10.0.0.1 > 10.0.0.2 type=11",
		"icmp 10.0.0.1 > 10.0.0.2 type=5",
		"icmp 10.0.0.1 > 10.0.0.2 type=200",
		"icmp6 [2001:db8::1] > [2001:db8::2] type=1",
		"icmp6 [2001:db8::1] > [2001:db8::2] type=2",
		"icmp6 [2001:db8::1] > [2001:db8::2] type=127",
		"icmp6 [fe80::1] > [fe80::2] type=137 ttl=255",
		"udp 0.0.0.0:68 > 10.0.0.2:67",
		"udp 127.0.0.1:1 > 10.0.0.2:2",
		"udp 224.0.0.1:1 > 10.0.0.2:2",
		"udp 255.255.255.255:1 > 10.0.0.2:2",
		"udp 10.0.0.1:1 > 224.0.0.251:2",
		"udp 10.0.0.1:1 > 255.255.255.255:2",
		"udp 10.0.0.1:1 > 127.0.0.1:2",
		"udp [::]:1 > [2001:db8::2]:2",
		"udp [::1]:1 > [2001:db8::2]:2",
		"udp [ff02::1]:1 > [2001:db8::2]:2",
		"udp [2001:db8::1]:1 > [ff02::1]:2",
		"udp 10.0.0.1 > 10.0.0.2 frag=4",
		"udp [2001:db8::1] > [2001:db8::2] frag=4",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 frag=0+",
		"udp 10.0.0.1:1 > 10.0.0.2:2 vlan",
		"arp",
	};
	uint8_t bytes[FRAME_MAX];
	size_t i, length;
	int side;

	(void)state;
	use("in", "out");
	for (side = IN; side <= OUT; side++) {
		for (i = 0; i < ARRAY_SIZE(texts); i++) {
			struct __sk_buff packet = { 0 };

			length = build(texts[i], 0, bytes);
			if (is_answered(side, bytes, length, &packet))
				fail_msg("%s", texts[i]);
		}
	}
}

static void frames_for_others_have_none_but_at_a_bridge(void **state)
{
	static const uint8_t first_bytes[] = { 0xff, 0x01, 0x33, 0x0a };
	struct __sk_buff packet;
	uint8_t bytes[FRAME_MAX];
	size_t length, i, j;

	(void)state;
	for (i = 0; i < 2 * ARRAY_SIZE(first_bytes); i++) {
		bool is_bridged = i % 2, is_many = first_bytes[i / 2] & 1;
		const bool wanted[] = { is_bridged && !is_many, !is_many };

		use_with("in", "out", is_bridged ? DEVICE_BRIDGED : 0);
		for (j = IN; j <= OUT; j++) {
			packet = (struct __sk_buff){ 0 };
			length = build(forms[0], 0, bytes);
			memset(bytes, first_bytes[i / 2], 6);
			assert_int_equal(is_answered(j, bytes, length, &packet),
					 wanted[j]);
		}
	}
}

/* Of IPv6 what is before the addresses has no checksum but of two fields. */
static bool is_guarded(const uint8_t *frame, size_t byte)
{
	return frame[LINK] >> 4 == 4 || byte >= 8 || byte == 4 || byte == 5;
}

static void what_was_harmed_has_none(void **state)
{
	static const char *const texts[] = {
		"tcp 10.0.0.1:1000 > 10.0.0.2:22 flags=S",
		"udp 10.0.0.1:1000 > 10.0.0.2:53 options=2",
		"icmp 10.0.0.1 > 10.0.0.2 type=8 id=7",
		"tcp [2001:db8::1]:1000 > [2001:db8::2]:22 flags=S",
		"udp [2001:db8::1]:1000 > [2001:db8::2]:53",
		"icmp6 [2001:db8::1] > [2001:db8::2] type=128 id=7",
	};
	uint8_t whole[FRAME_MAX], bytes[FRAME_MAX];
	size_t i, length, bit;

	(void)state;
	use("in", "out");
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		length = build(texts[i], 0, whole);
		for (bit = 0; bit < (length - LINK) * 8; bit++) {
			struct __sk_buff packet = { 0 };

			if (!is_guarded(whole, bit / 8))
				continue;
			memcpy(bytes, whole, length);
			bytes[LINK + bit / 8] ^= 1 << bit % 8;
			if (is_answered(IN, bytes, length, &packet))
				fail_msg("%s, bit %zu", texts[i], bit);
		}
	}
}

/* A byte too few, or one that is claimed: sealed as if it were whole. */
static void what_is_cut_off_has_none(void **state)
{
	uint8_t whole[FRAME_MAX], bytes[FRAME_MAX];
	size_t i, length, cut;

	(void)state;
	use("in", "out");
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		length = build(forms[i], 0, whole);
		/* The kernel takes no test that has less than an IP header. */
		for (cut = LINK + (whole[LINK] >> 4 == 4 ? 20 : 40);
		     cut < length; cut++) {
			struct __sk_buff packet = { 0 };

			memcpy(bytes, whole, cut);
			if (is_answered(IN, bytes, cut, &packet))
				fail_msg("%s, cut at %zu", forms[i], cut);
		}
	}
}

/* What is behind the packet, to fill up the frame, is no part of it. */
static void padding_is_not_answered(void **state)
{
	uint8_t bytes[FRAME_MAX], want[FRAME_MAX];
	struct __sk_buff packet = { 0 };
	size_t length, wanted;

	(void)state;
	use("in", NULL);
	length = build("udp [2001:db8::1]:1 > [2001:db8::2]:2", 1, bytes);
	wanted = answer_for(bytes, want);
	memset(bytes + length, 0xa5, 40);
	length += 40;
	forget();
	assert_int_equal(run(IN, bytes, &length, &packet), TC_ACT_REDIRECT);
	assert_int_equal(length, wanted);
	assert_memory_equal(bytes, want, wanted);
}

static void there_are_no_more_than_so_many(void **state)
{
	uint8_t bytes[FRAME_MAX];
	unsigned int sent = 0, i;
	size_t length;

	(void)state;
	use("in", NULL);
	forget();
	for (i = 0; i < 20 * ANSWER_BURST; i++) {
		struct __sk_buff packet = { 0 };

		length = build(forms[0], 0, bytes);
		sent += run(IN, bytes, &length, &packet) == TC_ACT_REDIRECT;
	}
	assert_int_equal(answers()->side[IN].sent, sent);
	assert_int_equal(answers()->side[IN].withheld, i - sent);
	assert_in_range(sent, ANSWER_BURST, i / 2);
}

/* The answer's mark lets it past the chain of the other direction, once. */
static void answers_pass_the_other_chain_once(void **state)
{
	struct __sk_buff packet = { 0 }, again;
	uint8_t bytes[FRAME_MAX];
	size_t length;
	int side;

	(void)state;
	for (side = IN; side <= OUT; side++) {
		use("in", "out");
		packet = (struct __sk_buff){ 0 };
		forget();
		length = build(forms[0], 0, bytes);
		assert_int_equal(run(side, bytes, &length, &packet),
				 TC_ACT_REDIRECT);
		assert_true(packet.mark != 0);
		again = packet;
		assert_int_equal(run(!side, bytes, &length, &packet),
				 TC_ACT_UNSPEC);
		assert_int_equal(packet.mark, 0);
		assert_int_equal(run(!side, bytes, &length, &again),
				 TC_ACT_SHOT);
	}
	use("in", NULL);
	packet = (struct __sk_buff){ .mark = 7 };
	length = build(forms[0], 0, bytes);
	assert_int_equal(run(IN, bytes, &length, &packet), TC_ACT_REDIRECT);
	assert_int_equal(packet.mark, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_rejected_is_answered),
		cmocka_unit_test(what_must_have_no_answer_has_none),
		cmocka_unit_test(frames_for_others_have_none_but_at_a_bridge),
		cmocka_unit_test(what_was_harmed_has_none),
		cmocka_unit_test(what_is_cut_off_has_none),
		cmocka_unit_test(padding_is_not_answered),
		cmocka_unit_test(there_are_no_more_than_so_many),
		cmocka_unit_test(answers_pass_the_other_chain_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
