/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet in words: what it becomes, and what is said of words that are none.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "rules/sample.h"

#define WORDS_MAX 16

static int parse(const char *text, bool is_out, struct sample *sample,
		 struct err *why)
{
	char copy[256], *words[WORDS_MAX], *save;
	size_t n = 0;

	strcpy(copy, text);
	for (words[n] = strtok_r(copy, " ", &save); words[n];
	     words[n] = strtok_r(NULL, " ", &save))
		n++;
	return sample_parse(words, n, is_out, sample, why);
}

static void assert_sample(const char *text, bool is_out, const char *expected)
{
	char said[SAMPLE_TEXT_MAX];
	struct sample sample;
	struct err why = { .msg = "" };

	if (parse(text, is_out, &sample, &why) < 0)
		fail_msg("%s: %s", text, why.msg);
	sample_format(&sample, said);
	assert_string_equal(said, expected);
}

static void assert_refused(const char *text, const char *expected)
{
	struct sample sample;
	struct err why;

	assert_int_equal(parse(text, false, &sample, &why), -EINVAL);
	assert_string_equal(why.msg, expected);
}

static void ends_are_told_apart(void **state)
{
	(void)state;
	assert_sample("tcp 203.0.113.9:5555 443", false,
		      "tcp 203.0.113.9:5555 > 0.0.0.0:443 new, 40 bytes, flags "
		      "SYN");
	assert_sample("tcp 203.0.113.9:443", true,
		      "tcp 0.0.0.0:50000 > 203.0.113.9:443 new, 40 bytes, "
		      "flags SYN");
	assert_sample("udp [2001:db8::1]:53 :5353", false,
		      "udp [2001:db8::1]:53 > [::]:5353 new, 48 bytes");
	assert_sample("tcp 443", false,
		      "tcp 0.0.0.0:50000 > 0.0.0.0:443 new, 40 bytes, flags "
		      "SYN");
	assert_sample("tcp from 192.0.2.1 to 192.0.2.2:https", true,
		      "tcp 192.0.2.1:50000 > 192.0.2.2:443 new, 40 bytes, "
		      "flags SYN");
	assert_sample("icmp echo-request 192.0.2.1", false,
		      "icmp echo-request 192.0.2.1 > 0.0.0.0 new, 28 bytes");
	assert_sample("icmp6 128 to 2001:db8::1", true,
		      "icmp6 echo-request :: > 2001:db8::1 new, 48 bytes");
	assert_sample("47 192.0.2.1 192.0.2.2", false,
		      "gre 192.0.2.1 > 192.0.2.2 new, 20 bytes");
}

static void words_say_the_rest(void **state)
{
	(void)state;
	assert_sample("tcp 192.0.2.1:1 2 state established mark 0x10 dscp ef "
		      "uid 33 iface eth0 length 100",
		      false,
		      "tcp 192.0.2.1:1 > 0.0.0.0:2 established, 100 bytes, "
		      "flags ACK, mark 0x10, dscp ef, uid 33, iface eth0");
	assert_sample("tcp 192.0.2.1:1 2 flags SYN,ACK invalid", false,
		      "tcp 192.0.2.1:1 > 0.0.0.0:2 invalid, 40 bytes, flags "
		      "SYN,ACK");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_refused("tpc 192.0.2.1:1 2",
		       "'tpc' is not a protocol (try tcp, udp, icmp, icmp6 or "
		       "a number)");
	assert_refused("tcp", "there is no address or port where 'the end' "
			      "stands (try 203.0.113.9:5555)");
	assert_refused("tcp 192.0.2.1:1",
		       "there is no port that it goes to (try a second word, "
		       "443)");
	assert_refused("icmp 192.0.2.1",
		       "'192.0.2.1' is not an ICMP type (try echo-request)");
	assert_refused("gre 192.0.2.1:80",
		       "the protocol has no ports, but '80' is one");
	assert_refused("udp 192.0.2.1 [2001:db8::1]:53",
		       "'2001:db8::1' is IPv6, but the packet is IPv4");
	assert_refused("tcp 192.0.2.300:1 2",
		       "'192.0.2.300' is neither an address nor a port (try "
		       "203.0.113.9:5555 or [2001:db8::1]:5555)");
	assert_refused("tcp [::1:1 2", "'[::1:1' has brackets that do not fit "
				       "(try [2001:db8::1]:5555)");
	assert_refused("tcp 192.0.2.1:1 70000",
		       "'70000' is not a port (0 to 65535)");
	assert_refused("ip6 icmp echo-request 192.0.2.1", "icmp is IPv4 only");
	assert_refused("tcp 192.0.2.1:1 2 colour red",
		       "'colour' is not a word of a packet (state, flags, "
		       "mark, dscp, iface, uid, length)");
	assert_refused("tcp 192.0.2.1:1 2 mark",
		       "'mark' needs something behind it");
	assert_refused("udp 192.0.2.1:1 2 flags SYN", "flags are those of tcp");
	assert_refused("tcp 192.0.2.1:1 2 length 39",
		       "its headers alone are 40 bytes long");
	assert_refused("tcp 192.0.2.1:1 2 length 9000",
		       "'9000' is not a length that can be tried (3000 bytes "
		       "at most)");
}

static void its_bytes_are_a_frame(void **state)
{
	static const uint8_t expected[] = {
		0,    0,       0,    0,	   0,	0, 0, 0, 0,  0, 0, 0,
		0x08, 0x00, /* Ethernet */
		0x45, 46 << 2, 0,    60,   0,	0, 0, 0, 64, 6, 0, 0, /* IPv4 */
		192,  0,       2,    1,	   192, 0, 2, 2, /* addresses */
		0x12, 0x34,    0x01, 0xbb, 0,	0, 0, 0, 0,  0, 0, 0, /* TCP */
		0x50, 0x12,    0,    0,	   0,	0, 0, 0
	};
	uint8_t frame[SAMPLE_FRAME_MAX];
	struct sample sample;
	struct err why;

	(void)state;
	assert_int_equal(parse("tcp 192.0.2.1:4660 192.0.2.2:443 flags SYN,ACK "
			       "dscp ef length 60",
			       true, &sample, &why),
			 0);
	assert_int_equal(sample_build(&sample, frame), 74);
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_int_equal(parse("icmp6 neighbour-solicitation 2001:db8::1",
			       false, &sample, &why),
			 0);
	assert_int_equal(sample_build(&sample, frame), 62);
	assert_int_equal(frame[12] << 8 | frame[13], 0x86dd);
	assert_int_equal(frame[14] >> 4, 6);
	assert_int_equal(frame[19], 8);
	assert_int_equal(frame[20], 58);
	assert_int_equal(frame[21], 255);
	assert_int_equal(frame[54], 135);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told_apart),
		cmocka_unit_test(words_say_the_rest),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(its_bytes_are_a_frame),
	};

	return RUN(tests);
}
