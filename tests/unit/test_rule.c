/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rules/iface.h"
#include "rules/rule.h"

static struct rule rule(const char *text)
{
	struct rule rule = { 0 };
	struct err why;

	if (rule_parse(text, &rule, &why) < 0)
		fail_msg("%s: %s", text, why.msg);
	return rule;
}

static void the_simplest_rule_looks_at_nothing(void **state)
{
	struct rule read = rule("deny");

	(void)state;
	assert_int_equal(read.verdict, VERDICT_DENY);
	assert_int_equal(read.family, FAMILY_ANY);
	assert_int_equal(read.protocol, PROTOCOL_ANY);
	assert_int_equal(read.dscp, DSCP_ANY);
	assert_int_equal(read.states, 0);
	assert_int_equal(read.limit_count, 0);
	assert_false(read.log);
	assert_string_equal(read.text, "deny");
	rule_clear(&read);
}

static void addresses_and_ports_go_to_their_sides(void **state)
{
	struct rule read = rule("deny ip6 tcp from not 2001:db8::/32,@x "
				"port 1-1023,@p to any port 53 853 new");

	(void)state;
	assert_int_equal(read.family, FAMILY_IP6);
	assert_int_equal(read.protocol, IPPROTO_TCP);
	assert_true(read.from.negated);
	assert_int_equal(read.from.n_networks, 1);
	assert_int_equal(read.from.n_sets, 1);
	assert_string_equal(read.from.sets[0], "x");
	assert_int_equal(read.from.n_ports, 1);
	assert_int_equal(read.from.ports[0].last, 1023);
	assert_string_equal(read.from.port_sets[0], "p");
	assert_false(read.to.negated);
	assert_int_equal(read.to.n_networks, 0);
	assert_int_equal(read.to.n_ports, 2);
	assert_int_equal(read.states, STATE_NEW);
	rule_clear(&read);
}

static void what_else_must_match_is_read(void **state)
{
	struct rule read = rule("allow tcp established,related flags "
				"SYN/SYN,ACK mark 0x10/0xf0 dscp ef iface "
				"enP3s0 uid 33 length 40-1500");

	(void)state;
	assert_int_equal(read.states, STATE_ESTABLISHED | STATE_RELATED);
	assert_int_equal(read.flags_value, 0x02);
	assert_int_equal(read.flags_mask, 0x12);
	assert_true(read.has_mark);
	assert_int_equal(read.mark, 0x10);
	assert_int_equal(read.mark_mask, 0xf0);
	assert_int_equal(read.dscp, 46);
	assert_int_equal(read.ifaces.names.n_list, 1);
	assert_true(read.ifaces.names.list[0].first == iface_number("enP3s0"));
	assert_true(read.ifaces.names.list[0].last == iface_number("enP3s0"));
	assert_true(read.has_uid);
	assert_int_equal(read.uid, 33);
	assert_true(read.has_length);
	assert_int_equal(read.length_first, 40);
	assert_int_equal(read.length_last, 1500);
	rule_clear(&read);
}

static void options_are_read(void **state)
{
	struct rule read = rule("allow log \"ssh: \" limit 10/m burst 7 "
				"comment \"say \\\"hi\\\", twice\"");

	(void)state;
	assert_true(read.log);
	assert_string_equal(read.log_prefix, "ssh: ");
	assert_int_equal(read.limit_count, 10);
	assert_int_equal(read.limit_seconds, 60);
	assert_int_equal(read.limit_burst, 7);
	assert_false(read.limit_per_source);
	assert_string_equal(read.comment, "say \"hi\", twice");
	rule_clear(&read);
	read = rule("allow log limit 10/s");
	assert_true(read.log);
	assert_null(read.log_prefix);
	assert_int_equal(read.limit_seconds, 1);
	assert_int_equal(read.limit_burst, LIMIT_BURST_DEFAULT);
	assert_int_equal(read.log_count, 0);
	assert_string_equal(read.text, "allow log limit 10/s");
	rule_clear(&read);
	read = rule("deny log \"x\" 3/m burst 4 limit 5/s burst 6");
	assert_int_equal(read.log_count, 3);
	assert_int_equal(read.log_seconds, 60);
	assert_int_equal(read.log_burst, 4);
	assert_int_equal(read.limit_count, 5);
	assert_int_equal(read.limit_burst, 6);
	assert_string_equal(read.text,
			    "deny log \"x\" 3/m burst 4 limit 5/s burst 6");
	rule_clear(&read);
	read = rule("deny log 7/s burst 20");
	assert_int_equal(read.log_burst, LOG_BURST_DEFAULT);
	assert_string_equal(read.text, "deny log 7/s");
	rule_clear(&read);
	read = rule("allow limit 10/s burst 9 per source");
	assert_true(read.limit_per_source);
	assert_int_equal(read.limit_burst, 9);
	assert_string_equal(read.text, "allow limit 10/s per source burst 9");
	rule_clear(&read);
}

static void icmp_types_are_bits_and_bring_their_family(void **state)
{
	struct rule read = rule("allow icmp echo-request,0 3");

	(void)state;
	assert_int_equal(read.family, FAMILY_IP4);
	assert_true(read.has_icmp_types);
	assert_int_equal(read.icmp_types[0], 1 << 0 | 1 << 3 | 1 << 8);
	rule_clear(&read);
	read = rule("allow icmp6 echo-request");
	assert_int_equal(read.family, FAMILY_IP6);
	assert_int_equal(read.icmp_types[2], 1);
	rule_clear(&read);
	read = rule("allow icmp6");
	assert_false(read.has_icmp_types);
	rule_clear(&read);
}

static void addresses_bring_their_family(void **state)
{
	struct rule read = rule("allow to 192.0.2.1");

	(void)state;
	assert_int_equal(read.family, FAMILY_IP4);
	rule_clear(&read);
	read = rule("allow from ::1");
	assert_int_equal(read.family, FAMILY_IP6);
	rule_clear(&read);
	read = rule("allow from ::1, 127.0.0.1");
	assert_int_equal(read.family, FAMILY_ANY);
	rule_clear(&read);
	read = rule("allow from not 127.0.0.1");
	assert_int_equal(read.family, FAMILY_ANY);
	rule_clear(&read);
	read = rule("allow from 127.0.0.1, @x");
	assert_int_equal(read.family, FAMILY_ANY);
	rule_clear(&read);
}

static void one_meaning_has_one_canonical_text(void **state)
{
	static const char *const same[] = {
		"allow tcp from 10.0.0.0/23 to port 80-81,443 new",
		"allow  6  new to port 443, 81 80 from 10.0.1.0/24,10.0.0.0/24",
		"allow ip4 tcp to any port 80,80,81,443 new from "
		"10.0.0.0-10.0.1.255",
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct rule read = rule(same[i]);

		assert_string_equal(read.text, same[0]);
		rule_clear(&read);
	}
}

static void a_rule_that_is_refused_is_not_written(void **state)
{
	struct rule untouched = { .number = 7 }, read = untouched;
	struct err why;

	(void)state;
	assert_int_equal(rule_parse("allow tcp from @x to port http comment "
				    "\"x\"",
				    &read, &why),
			 -EINVAL);
	assert_memory_equal(&read, &untouched, sizeof(read));
}

static void number_and_where_belong_to_the_caller(void **state)
{
	struct rule read = { .number = 7, .where = { "f", 3 } };
	struct err why;

	(void)state;
	assert_int_equal(rule_parse("allow", &read, &why), 0);
	assert_int_equal(read.number, 7);
	assert_int_equal(read.where.line, 3);
	rule_clear(&read);
}

/* ------------------------------------------------- rules made at random */

static const char *any_of(const char *const *words, size_t n)
{
	return words[(size_t)random() % n];
}

#define ANY_OF(...)                                           \
	any_of((const char *const[]){ __VA_ARGS__ },          \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / \
		       sizeof(const char *))

static void random_rule(char *text, size_t size)
{
	snprintf(text, size, "%s %s%s%s%s%s%s%s%s%s%s%s",
		 ANY_OF("allow", "deny", "reject"),
		 ANY_OF("tcp", "udp", "sctp", "ip4 tcp", "ip6 udp", "udp,tcp",
			"ip6 sctp, 6"),
		 ANY_OF("", " from any", " from @a", " from not @b,@a",
			" from 10.0.0.0/8", " from 10.0.0.1-10.9.9.9,@c",
			" from 2001:db8::/32, ::1", " from not ::1"),
		 ANY_OF("", "", " port 1-1023", " port 7 @p"),
		 ANY_OF("", " from port 5"),
		 ANY_OF("", " to @z", " to 192.0.2.1", " to not ::/0, @q",
			" to 192.0.2.1,::1"),
		 ANY_OF("", " port 80,443", " port 80 81 82", " port @web"),
		 ANY_OF("", " new", " established,related", " invalid"),
		 ANY_OF("", " mark 1", " mark 0x10/0xff", " dscp ef"),
		 ANY_OF("", " iface eth0", " iface wl*, @lan,eth1",
			" iface @a, @b", " uid 0", " length 0-100"),
		 ANY_OF("", " log", " log \"a \\\" b\"", " limit 10/s",
			" log 3/s", " log \"a\" 9/m burst 3 limit 2/s",
			" limit 5/m burst 9", " limit 5/m per source",
			" limit 6/s per source burst 2"),
		 ANY_OF("", " comment \"x\"", " comment \"\\\\, ; #\""));
}

static void canonical_text_parses_to_itself(void **state)
{
	struct rule first = { 0 }, second = { 0 };
	int i, n_good = 0;
	char text[1024];
	struct err why;

	(void)state;
	srandom(3);
	for (i = 0; i < 20000; i++) {
		random_rule(text, sizeof(text));
		if (rule_parse(text, &first, &why) < 0)
			continue;
		n_good++;
		second = rule(first.text);
		assert_string_equal(first.text, second.text);
		assert_int_equal(first.family, second.family);
		assert_int_equal(first.states, second.states);
		assert_int_equal(first.from.negated, second.from.negated);
		rule_clear(&first);
		rule_clear(&second);
	}
	assert_true(n_good > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_simplest_rule_looks_at_nothing),
		cmocka_unit_test(addresses_and_ports_go_to_their_sides),
		cmocka_unit_test(what_else_must_match_is_read),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(icmp_types_are_bits_and_bring_their_family),
		cmocka_unit_test(addresses_bring_their_family),
		cmocka_unit_test(one_meaning_has_one_canonical_text),
		cmocka_unit_test(a_rule_that_is_refused_is_not_written),
		cmocka_unit_test(number_and_where_belong_to_the_caller),
		cmocka_unit_test(canonical_text_parses_to_itself),
	};

	return RUN(tests);
}
