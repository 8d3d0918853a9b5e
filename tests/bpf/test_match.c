/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matcher in the kernel: which rule decides a packet, and what counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "tests/bpf/match_cases.h"
#include "tests/bpf/matcher.h"

#define SETS                                                                \
	"[set nets]\nelements = 10.0.0.0/8, 2001:db8:1::/48, 10.9.0.0/16\n" \
	"[set ports]\nelements = 80, 443, 8000-8079\n"                      \
	"[set ifaces]\nholds = interfaces\nelements = t0, t1\n"             \
	"[set others]\nholds = interfaces\nelements = t1, l*\n"             \
	"[set none]\nholds = interfaces\n"

/* What a packet is worth to a counter: the length that it claims. */
static uint64_t packet_bytes(const char *packet)
{
	struct frame_spec spec;
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;

	frame_parse(packet, &spec);
	frame_build(&spec, bytes, &ip);
	return ip;
}

/* Rules that no packet here fits: with them the classifier is used. */
static void write_filler(FILE *out, unsigned int number, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		fprintf(out, "%u = deny 253 from 203.0.113.%u\n", number + i,
			i);
}

static void write_cases(FILE *out, const char *verdict, const char *policy,
			unsigned int filler)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(match_cases); i++) {
		fprintf(out,
			"[chain %s%zu]\npolicy = %s\nstrict = yes\n"
			"10 = %s %s\n",
			verdict, i, policy, verdict, match_cases[i].rule);
		write_filler(out, 11, filler);
	}
}

static void check_case(size_t i, const char *verdict, int fitting, int missing,
		       uint32_t hook)
{
	const struct match_case *c = &match_cases[i];
	struct counter rule, policy, before;
	struct question q = { .hook = hook };
	int is_lo = strstr(c->packet, " lo") != NULL;
	char name[32];
	int decision;

	snprintf(name, sizeof(name), "%s%zu", verdict, i);
	q.chain = matcher_chain(name);
	before = matcher_count(q.chain, c->fits ? 10 : 0);
	decision = matcher_ask_text(&q, c->packet, NULL);
	if (decision != (c->fits ? fitting : is_lo ? ROW_ALLOW : missing))
		fail_msg("%s %s: %s: decided %d", verdict, c->rule, c->packet,
			 decision);
	rule = matcher_count(q.chain, 10);
	policy = matcher_count(q.chain, 0);
	if (!c->fits)
		rule = policy;
	assert_int_equal(rule.packets, before.packets + 1);
	assert_int_equal(rule.bytes, before.bytes + packet_bytes(c->packet));
	if (c->fits)
		assert_int_equal(policy.packets, 0);
	else
		assert_int_equal(matcher_count(q.chain, 10).packets, 0);
}

static void check_forms(unsigned int filler)
{
	char *text = NULL;
	size_t size, i, h;
	FILE *out = open_memstream(&text, &size);

	fputs(SETS, out);
	write_cases(out, "allow", "deny", filler);
	write_cases(out, "deny", "allow", filler);
	write_cases(out, "reject", "allow", filler);
	fclose(out);
	matcher_use_text(text);
	free(text);
	for (i = 0; i < ARRAY_SIZE(match_cases); i++) {
		for (h = 0; h < MATCHER_HOOKS; h++) {
			matcher_forget();
			check_case(i, "allow", ROW_ALLOW, ROW_DENY,
				   matcher_hooks[h]);
			check_case(i, "deny", ROW_DENY, ROW_ALLOW,
				   matcher_hooks[h]);
			check_case(i, "reject", ROW_REJECT, ROW_ALLOW,
				   matcher_hooks[h]);
		}
	}
}

static void every_form_of_a_rule_decides(void **state)
{
	(void)state;
	check_forms(0);
}

static void every_form_of_a_rule_decides_in_a_long_chain(void **state)
{
	(void)state;
	check_forms(20);
}

static int ask(const char *chain, uint32_t hook, const char *packet)
{
	struct question q = { .chain = matcher_chain(chain), .hook = hook };

	return matcher_ask_text(&q, packet, NULL);
}

static const char *const malformed[] = {
	/* cut off */
	"tcp 10.0.0.1:1 > 10.0.0.2:22 cut=20",
	"tcp 10.0.0.1:1 > 10.0.0.2:22 len=0 cut=39",
	"tcp 10.0.0.1:1 > 10.0.0.2:22 cut=21 claims=21",
	"udp 10.0.0.1:1 > 10.0.0.2:22 cut=27 claims=27",
	"icmp 10.0.0.1 > 10.0.0.2 type=8 cut=24 claims=24",
	"tcp [2001:db8::1]:1 > [2001:db8::2]:22 cut=59 claims=59",
	"tcp [2001:db8::1]:1 > [2001:db8::2]:22 ext=0 cut=44 claims=44",
	/* lying */
	"tcp 10.0.0.1:1 > 10.0.0.2:22 claims=19",
	"tcp 10.0.0.1:1 > 10.0.0.2:22 claims=0",
	"tcp 10.0.0.1:1 > 10.0.0.2:22 claims=1000",
	"tcp [2001:db8::1]:1 > [2001:db8::2]:22 claims=1000",
	/* the flags of the first would be overwritten */
	"tcp 10.0.0.1 > 10.0.0.2 frag=1",
	"tcp [2001:db8::1] > [2001:db8::2] frag=1+",
	/* pretending to be IPv4 */
	"tcp [::ffff:10.0.0.1]:1 > [2001:db8::2]:22 ext=0",
	"tcp [2001:db8::1]:1 > [::ffff:10.0.0.1]:22 ext=0",
	/* beyond what is looked at */
	"tcp [2001:db8::1]:1 > [2001:db8::2]:22 ext=0,60,60,60,60,60,60,60,60",
	"udp 10.0.0.1:1 > 10.0.0.2:22 vlan vlan vlan",
};

static void check_malformed(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		if (ask("closed", HOOK_DEVICE, malformed[i]) != ROW_DENY ||
		    ask("ports", HOOK_DEVICE, malformed[i]) != ROW_DENY ||
		    ask("named", HOOK_DEVICE, malformed[i]) != ROW_ALLOW)
			fail_msg("%s", malformed[i]);
	}
}

static void what_cannot_be_read_fails_closed(void **state)
{
	(void)state;
	matcher_use_text(
		"[chain closed]\npolicy = deny\n"
		"10 = allow tcp to port 22\n20 = allow udp to port 22\n"
		"30 = allow icmp 8\n"
		"[chain ports]\npolicy = allow\n"
		"10 = deny tcp to port 22\n20 = deny udp to port 22\n"
		"30 = deny icmp 8\n40 = deny icmp6 3\n"
		"[chain named]\npolicy = deny\n10 = allow invalid\n");
	check_malformed();
}

/* There any rule that refuses denies it, and none that allows does. */
static void what_cannot_be_read_fails_closed_in_a_long_chain(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("[chain closed]\npolicy = deny\n"
	      "10 = allow tcp to port 22\n20 = allow udp to port 22\n"
	      "30 = allow icmp 8\n",
	      out);
	write_filler(out, 40, 20);
	fputs("[chain ports]\npolicy = allow\n", out);
	write_filler(out, 40, 20);
	fputs("[chain named]\npolicy = deny\n10 = allow invalid\n", out);
	write_filler(out, 40, 20);
	fclose(out);
	matcher_use_text(text);
	free(text);
	check_malformed();
	assert_int_equal(matcher_count(matcher_chain("ports"), 40).packets,
			 ARRAY_SIZE(malformed));
}

static void padding_behind_the_packet_does_no_harm(void **state)
{
	(void)state;
	matcher_use_text("[chain padded]\npolicy = deny\n"
			 "10 = allow udp to port 2 length 30\n");
	assert_int_equal(ask("padded", HOOK_DEVICE,
			     "udp 10.0.0.1:1 > 10.0.0.2:2 len=50 claims=30"),
			 ROW_ALLOW);
	assert_int_equal(matcher_count(matcher_chain("padded"), 10).bytes, 30);
}

static void tags_are_looked_through_on_devices(void **state)
{
	(void)state;
	matcher_use_text("[chain tagged]\npolicy = deny\nstrict = yes\n"
			 "10 = allow tcp to port 80\n");
	assert_int_equal(
		ask("tagged", HOOK_DEVICE, "tcp 10.0.0.1:1 > 10.0.0.2:80 vlan"),
		ROW_ALLOW);
	assert_int_equal(ask("tagged", HOOK_DEVICE,
			     "tcp 10.0.0.1:1 > 10.0.0.2:80 vlan vlan"),
			 ROW_ALLOW);
	assert_int_equal(ask("tagged", HOOK_DEVICE,
			     "tcp [2001:db8::1]:1 > [2001:db8::2]:80 vlan"),
			 ROW_ALLOW);
	assert_int_equal(
		ask("tagged", HOOK_DEVICE, "tcp 10.0.0.1:1 > 10.0.0.2:81 vlan"),
		ROW_DENY);
}

static void loopback_is_decided_only_by_rules_that_name_it(void **state)
{
	(void)state;
	matcher_use_text("[chain a]\npolicy = deny\n10 = deny udp\n"
			 "[chain b]\npolicy = deny\n"
			 "10 = deny udp\n20 = deny udp to port 2 iface lo\n");
	assert_int_equal(ask("a", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 lo"),
			 ROW_ALLOW);
	assert_int_equal(ask("b", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 lo"),
			 ROW_DENY);
	assert_int_equal(ask("b", 0, "udp 10.0.0.1:1 > 10.0.0.2:3 lo"),
			 ROW_ALLOW);
	assert_int_equal(matcher_count(matcher_chain("b"), 20).packets, 1);
	assert_int_equal(matcher_count(matcher_chain("b"), 0).packets, 0);
}

/* As long as it has no lo, it has no say there. */
static void loopback_is_decided_by_sets_that_have_it(void **state)
{
	(void)state;
	matcher_use_text("[chain a]\npolicy = deny\n10 = deny udp iface @a\n"
			 "[chain b]\npolicy = deny\n10 = deny udp\n"
			 "20 = deny udp to port 2 iface t0,@b\n"
			 "[chain c]\npolicy = deny\n10 = jump d iface @b\n"
			 "[chain d]\n10 = deny udp to port 2\n"
			 "[set a]\nholds = interfaces\nelements = t0\n"
			 "[set b]\nholds = interfaces\nelements = lo\n");
	assert_int_equal(ask("a", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"), ROW_DENY);
	assert_int_equal(ask("a", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 lo"),
			 ROW_ALLOW);
	assert_int_equal(ask("b", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 lo"),
			 ROW_DENY);
	assert_int_equal(ask("b", 0, "udp 10.0.0.1:1 > 10.0.0.2:3 lo"),
			 ROW_ALLOW);
	assert_int_equal(ask("c", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 lo"),
			 ROW_DENY);
	assert_int_equal(ask("c", 0, "udp 10.0.0.1:1 > 10.0.0.2:3 lo"),
			 ROW_ALLOW);
}

static const struct {
	const char *packet;
	int in, out; /* passes a chain with policy deny */
} needed[] = {
	{ "arp", 1, 1 },
	{ "icmp6 [fe80::1] > [ff02::1:ff00:2] type=135 ttl=255", 1, 1 },
	{ "icmp6 [fe80::1] > [fe80::2] type=136 ttl=255", 1, 1 },
	{ "icmp6 [fe80::1] > [ff02::2] type=133 ttl=255", 1, 1 },
	{ "icmp6 [fe80::1] > [ff02::1] type=134 ttl=255", 1, 1 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=134 ttl=254", 0, 0 },
	{ "icmp6 [fe80::1] > [fe80::2] type=136 ttl=254", 0, 0 },
	{ "icmp6 [fe80::1] > [fe80::2] type=137 ttl=255", 0, 0 },
	{ "icmp6 [fe80::1] > [ff02::16] type=143 ttl=1 ext=0", 1, 1 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=2", 1, 1 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=2 frag=0+", 1, 1 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=1", 0, 0 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=3", 0, 0 },
	{ "icmp6 [2001:db8::1] > [2001:db8::2] type=128", 0, 0 },
	{ "icmp 10.0.0.1 > 10.0.0.2 type=3 code=4", 1, 1 },
	{ "icmp 10.0.0.1 > 10.0.0.2 type=3 code=1", 0, 0 },
	{ "udp 0.0.0.0:68 > 255.255.255.255:67", 0, 1 },
	{ "udp 10.0.0.1:67 > 10.0.0.2:68", 1, 0 },
	{ "udp 10.0.0.1:67 > 255.255.255.255:68", 1, 0 },
	{ "udp [fe80::1]:546 > [ff02::1:2]:547", 0, 1 },
	{ "udp [fe80::2]:547 > [fe80::1]:546", 1, 0 },
	{ "udp [2001:db8::1]:547 > [2001:db8::2]:546", 0, 0 },
	{ "udp 10.0.0.1:1 > 10.0.0.2:2", 0, 0 },
};

static void what_a_host_needs_passes_a_device_that_denies(void **state)
{
	size_t i;

	(void)state;
	matcher_use_text("[chain plain]\npolicy = deny\n"
			 "[chain strict]\npolicy = deny\nstrict = yes\n"
			 "[chain rule]\npolicy = deny\n10 = deny\n");
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *packet = needed[i].packet;
		int is_arp = strcmp(packet, "arp") == 0;

		if (ask("plain", HOOK_DEVICE, packet) != needed[i].in ||
		    ask("plain", HOOK_DEVICE | HOOK_OUT, packet) !=
			    needed[i].out ||
		    ask("strict", HOOK_DEVICE, packet) != ROW_DENY ||
		    ask("rule", HOOK_DEVICE, packet) != is_arp)
			fail_msg("%s", packet);
		if (!is_arp)
			assert_int_equal(ask("plain", HOOK_OUT, packet),
					 ROW_DENY);
	}
}

static void later_fragments_are_decided_as_the_first(void **state)
{
	uint32_t chain, flows;

	(void)state;
	matcher_forget();
	matcher_use_text("[chain fragments]\npolicy = deny\n"
			 "10 = allow udp to port 2049\n"
			 "[chain d]\npolicy = deny\n10 = allow udp\n");
	chain = matcher_chain("fragments");
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1 > 10.0.0.2 frag=4+ fragid=7"),
			 ROW_DENY);
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1:1 > 10.0.0.2:2049 frag=0+ fragid=7"),
			 ROW_ALLOW);
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1 > 10.0.0.2 frag=4+ fragid=7"),
			 ROW_ALLOW);
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1 > 10.0.0.2 frag=8 fragid=7"),
			 ROW_ALLOW);
	assert_int_equal(matcher_count(chain, 10).packets, 3);
	/* Of another datagram, sender, or chain, they are not. */
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1 > 10.0.0.2 frag=8 fragid=8"),
			 ROW_DENY);
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.3 > 10.0.0.2 frag=8 fragid=7"),
			 ROW_DENY);
	/* The first of one that is denied leaves nothing behind. */
	flows = matcher_fragments();
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1:1 > 10.0.0.2:9 frag=0+ fragid=9"),
			 ROW_DENY);
	assert_int_equal(matcher_fragments(), flows);
	/* IPv6 */
	assert_int_equal(
		ask("fragments", HOOK_DEVICE,
		    "udp [2001:db8::1]:1 > [2001:db8::2]:2049 frag=0+ fragid=7"),
		ROW_ALLOW);
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp [2001:db8::1] > [2001:db8::2] frag=8 "
			     "fragid=7"),
			 ROW_ALLOW);
	/* Nor, under the next policy, of what this one allowed. */
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1:1 > 10.0.0.2:2049 frag=0+ fragid=9"),
			 ROW_ALLOW);
	matcher_use_text("[chain fragments]\npolicy = deny\n"
			 "20 = allow udp to port 53\n"
			 "[chain d]\npolicy = deny\n10 = allow udp\n");
	assert_int_equal(ask("fragments", HOOK_DEVICE,
			     "udp 10.0.0.1 > 10.0.0.2 frag=4 fragid=9"),
			 ROW_DENY);
}

static void a_rule_over_its_limit_does_not_match(void **state)
{
	uint32_t chain, i;

	(void)state;
	matcher_use_text("[chain limited]\npolicy = deny\n"
			 "10 = allow udp limit 1/m burst 3\n");
	chain = matcher_chain("limited");
	for (i = 0; i < 5; i++)
		assert_int_equal(
			ask("limited", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"),
			i < 3 ? ROW_ALLOW : ROW_DENY);
	assert_int_equal(matcher_count(chain, 10).packets, 3);
	assert_int_equal(matcher_count(chain, 0).packets, 2);

	/* Tokens come back: 1000/s is one a millisecond. */
	matcher_use_text("[chain quick]\npolicy = deny\n"
			 "10 = allow udp limit 1000/s burst 1\n");
	assert_int_equal(ask("quick", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"),
			 ROW_ALLOW);
	usleep(2000);
	assert_int_equal(ask("quick", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"),
			 ROW_ALLOW);
}

/* Asks for n packets of a source; returns how many were allowed. */
static uint32_t count_allowed(const char *chain, const char *text, uint32_t n)
{
	uint32_t i, allowed = 0;

	for (i = 0; i < n; i++)
		allowed += ask(chain, 0, text) == ROW_ALLOW;
	return allowed;
}

static void each_source_has_a_limit_of_its_own(void **state)
{
	static const char policy[] =
		"[chain c]\npolicy = deny\n"
		"10 = allow udp limit 1/m per source burst 3\n"
		"20 = allow tcp limit 1/m per source burst 2\n";

	(void)state;
	matcher_use_text(policy);
	assert_int_equal(count_allowed("c", "udp 10.0.0.1:1 > 10.0.0.9:2", 5),
			 3);
	assert_int_equal(count_allowed("c", "udp 10.0.0.2:1 > 10.0.0.9:2", 5),
			 3);
	/* By its first 64 bits; the address of IPv4 is none of them. */
	assert_int_equal(count_allowed("c", "udp [2001:db8::1] > [::9]", 5), 3);
	assert_int_equal(count_allowed("c", "udp [2001:db8::2] > [::9]", 5), 0);
	assert_int_equal(count_allowed("c", "udp [2001:db8:1::1] > [::9]", 5),
			 3);
	assert_int_equal(count_allowed("c", "udp [::a00:3] > [::9]", 5), 3);
	assert_int_equal(count_allowed("c", "udp 10.0.0.3:1 > 10.0.0.9:2", 5),
			 3);
	/* Each rule has its own; they outlive an apply that leaves the rule. */
	assert_int_equal(count_allowed("c", "tcp 10.0.0.1:1 > 10.0.0.9:2", 5),
			 2);
	matcher_use_text(policy);
	assert_int_equal(count_allowed("c", "udp 10.0.0.1:1 > 10.0.0.9:2", 5),
			 0);
	matcher_use_text("[chain c]\npolicy = deny\n"
			 "10 = allow udp limit 1/m per source burst 4\n");
	assert_int_equal(count_allowed("c", "udp 10.0.0.1:1 > 10.0.0.9:2", 5),
			 4);
}

static void who_waited_long_enough_makes_room(void **state)
{
	char text[64];
	uint32_t i;

	(void)state;
	matcher_use_text("[chain c]\npolicy = deny\n"
			 "10 = allow udp limit 1/m per source burst 2\n");
	assert_int_equal(count_allowed("c", "udp 10.9.9.9:1 > 10.0.0.9:2", 9),
			 2);
	/* 2000 others leave the tokens of one alone: there are 65536 places. */
	for (i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "udp 10.1.%u.%u:1 > 10.0.0.9:2",
			 i / 250, i % 250);
		assert_int_equal(ask("c", 0, text), ROW_ALLOW);
	}
	assert_int_equal(count_allowed("c", "udp 10.9.9.9:1 > 10.0.0.9:2", 9),
			 0);
}

/* Behind one without a token the next that fits has its turn. */
static void a_long_chain_goes_on_behind_a_limit(void **state)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);
	uint32_t chain;

	(void)state;
	fputs("[chain limits]\npolicy = deny\n", out);
	for (i = 0; i < 40; i++)
		fprintf(out, "%zu = allow udp to port 53 limit 1/m burst 1\n",
			10 + i);
	write_filler(out, 100, 20);
	fputs("200 = reject udp to 10.0.0.0/8 port 53\n", out);
	fclose(out);
	matcher_use_text(text);
	free(text);
	chain = matcher_chain("limits");
	for (i = 0; i < 42; i++)
		assert_int_equal(
			ask("limits", 0, "udp 10.0.0.1:1 > 10.0.0.2:53"),
			i < 40 ? ROW_ALLOW : ROW_REJECT);
	assert_int_equal(matcher_count(chain, 49).packets, 1);
	assert_int_equal(matcher_count(chain, 200).packets, 2);
}

static void use_long(uint32_t n, bool by_ports)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	fputs("[chain long]\npolicy = deny\n", out);
	for (i = 1; i <= n; i++) {
		if (by_ports)
			fprintf(out, "%zu = allow udp to port %zu\n", i, i);
		else
			fprintf(out, "%zu = allow udp from 10.1.%zu.%zu\n", i,
				i / 250, i % 250);
	}
	fclose(out);
	matcher_use_text(text);
	free(text);
}

/* n rules, of which every so many is asked for, the first and the last too. */
static void check_long(uint32_t n, bool by_ports)
{
	char packet[64];
	uint64_t before;
	uint32_t chain;
	size_t i;

	use_long(n, by_ports);
	chain = matcher_chain("long");
	before = matcher_count(chain, 0).packets;
	for (i = 1; i <= n; i += (n - 1) / 5) {
		if (by_ports)
			snprintf(packet, sizeof(packet),
				 "udp 10.0.0.1:1 > 10.0.0.2:%zu", i);
		else
			snprintf(packet, sizeof(packet),
				 "udp 10.1.%zu.%zu:1 > 10.0.0.2:9", i / 250,
				 i % 250);
		assert_int_equal(ask("long", 0, packet), ROW_ALLOW);
		assert_int_equal(matcher_count(chain, i).packets, 1);
	}
	assert_int_equal(ask("long", 0, "udp 10.0.0.1:1 > 10.0.0.2:60000"),
			 ROW_DENY);
	assert_int_equal(matcher_count(chain, 0).packets, before + 1);
}

static void the_last_of_many_rules_decides(void **state)
{
	(void)state;
	check_long(4096, true);
	check_long(50001, false);
}

/* The classifier knows nothing of them. */
static void the_last_of_4096_rules_that_are_walked_decides(void **state)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);
	uint32_t chain;

	(void)state;
	fputs("[chain walked]\npolicy = deny\n", out);
	for (i = 1; i <= 4096; i++)
		fprintf(out, "%zu = allow mark %zu\n", i, i);
	fclose(out);
	matcher_use_text(text);
	free(text);
	chain = matcher_chain("walked");
	assert_int_equal(
		ask("walked", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 mark=4096"),
		ROW_ALLOW);
	assert_int_equal(
		ask("walked", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 mark=17"),
		ROW_ALLOW);
	assert_int_equal(ask("walked", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"),
			 ROW_DENY);
	assert_int_equal(matcher_count(chain, 4096).packets, 1);
	assert_int_equal(matcher_count(chain, 17).packets, 1);
	assert_int_equal(matcher_count(chain, 0).packets, 1);
}

static void an_unchanged_rule_keeps_its_count(void **state)
{
	uint32_t chain;

	(void)state;
	matcher_use_text("[chain k]\npolicy = deny\n10 = allow udp\n"
			 "20 = allow tcp\n");
	assert_int_equal(ask("k", 0, "udp 10.0.0.1:1 > 10.0.0.2:2"), 1);
	assert_int_equal(ask("k", 0, "tcp 10.0.0.1:1 > 10.0.0.2:2"), 1);
	matcher_use_text("[chain a]\npolicy = allow\n"
			 "[chain k]\npolicy = deny\n5 = allow sctp\n"
			 "10 = allow udp\n20 = allow tcp to port 2\n");
	chain = matcher_chain("k");
	assert_int_equal(matcher_count(chain, 10).packets, 1);
	assert_int_equal(matcher_count(chain, 20).packets, 0);
	assert_int_equal(matcher_count(chain, 5).packets, 0);
}

/* Of the two words of a counter, the one that is added to gets full. */
static void a_counter_is_right_however_much_it_counts(void **state)
{
	static const struct {
		uint64_t packets, bytes;
	} before[] = {
		{ (1 << 21) - 1, 1 },
		{ 1, (1ULL << 37) - 1 },
		{ (1 << 21) - 1, (1ULL << 37) - 1 },
		{ 0, 3ULL << 37 },
		/* two moved it at once */
		{ -(1ULL << 21), -(1ULL << 37) },
		{ 5, -(1ULL << 36) },
	};
	uint64_t cpus = libbpf_num_possible_cpus();
	struct counter count;
	uint32_t chain;
	size_t i, j;

	(void)state;
	matcher_use_text("[chain full]\npolicy = deny\n10 = allow udp\n");
	chain = matcher_chain("full");
	for (i = 0; i < ARRAY_SIZE(before); i++) {
		matcher_set_recent(chain, 10,
				   (before[i].packets << COUNTER_PACKETS) +
					   before[i].bytes);
		for (j = 0; j < 5; j++)
			ask("full", 0, "udp 10.0.0.1:1 > 10.0.0.2:2 len=72");
		count = matcher_count(chain, 10);
		assert_int_equal(count.packets, cpus * before[i].packets + 5);
		assert_int_equal(count.bytes, cpus * before[i].bytes + 5 * 100);
	}
}

enum {
	ALIKE = 0,
	VARIES = DECIDED_VARIES,
	BY_STATE = DECIDED_STATES,
};

/* What decides the next packet of the flow alike; policy: rule 0. */
static const struct {
	const char *packet;
	uint32_t rule, flags;
} bases[] = {
	{ "udp 10.0.0.1:1 > 10.0.0.2:53", 10, ALIKE },
	{ "udp 10.0.0.1:1 > 10.0.0.2:54", 20, VARIES },
	{ "tcp 10.0.0.1:1 > 10.0.0.2:80 flags=S", 30, ALIKE },
	{ "tcp 10.0.0.1:1 > 10.0.0.2:81 flags=S", 50, BY_STATE },
	{ "tcp 10.0.0.1:1 > 10.0.0.2:82 flags=A", 0, VARIES },
	{ "tcp [2001:db8::1]:1 > [2001:db8::2]:81 flags=S", 50,
	  BY_STATE | VARIES },
	{ "icmp 10.0.0.1 > 10.0.0.2 type=8", 0, VARIES },
	{ "udp 10.0.0.1 > 10.0.0.2:53 frag=100", 20, VARIES },
	{ "sctp 10.0.0.1:1 > 10.0.0.2:82", 80, VARIES },
	{ "esp 10.0.0.1 > 10.0.0.2", 0, ALIKE },
};

static void a_decision_says_whether_it_holds_for_the_flow(void **state)
{
	uint32_t chain;
	size_t i;

	(void)state;
	matcher_use_text("[chain f]\npolicy = deny\n"
			 "10 = allow udp to port 53\n"
			 "20 = allow udp mark 0\n"
			 "30 = allow tcp to port 80 iface t0\n"
			 "40 = deny ip6 tcp length 1-2\n"
			 "50 = allow tcp to port 81 new\n"
			 "60 = allow tcp flags SYN/SYN,ACK\n"
			 "70 = deny sctp uid 77\n"
			 "80 = allow sctp\n");
	chain = matcher_chain("f");
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		struct question q = { .chain = chain, .place = 1 };

		matcher_forget();
		matcher_ask_text(&q, bases[i].packet, NULL);
		if (matcher_answer.flags != bases[i].flags ||
		    matcher_answer.counter !=
			    matcher_counter(chain, bases[i].rule))
			fail_msg("%s: flags %#x, counter %u", bases[i].packet,
				 matcher_answer.flags, matcher_answer.counter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_rule_decides),
		cmocka_unit_test(every_form_of_a_rule_decides_in_a_long_chain),
		cmocka_unit_test(what_cannot_be_read_fails_closed),
		cmocka_unit_test(
			what_cannot_be_read_fails_closed_in_a_long_chain),
		cmocka_unit_test(padding_behind_the_packet_does_no_harm),
		cmocka_unit_test(tags_are_looked_through_on_devices),
		cmocka_unit_test(
			loopback_is_decided_only_by_rules_that_name_it),
		cmocka_unit_test(loopback_is_decided_by_sets_that_have_it),
		cmocka_unit_test(what_a_host_needs_passes_a_device_that_denies),
		cmocka_unit_test(later_fragments_are_decided_as_the_first),
		cmocka_unit_test(a_rule_over_its_limit_does_not_match),
		cmocka_unit_test(each_source_has_a_limit_of_its_own),
		cmocka_unit_test(who_waited_long_enough_makes_room),
		cmocka_unit_test(a_long_chain_goes_on_behind_a_limit),
		cmocka_unit_test(the_last_of_many_rules_decides),
		cmocka_unit_test(
			the_last_of_4096_rules_that_are_walked_decides),
		cmocka_unit_test(an_unchanged_rule_keeps_its_count),
		cmocka_unit_test(a_counter_is_right_however_much_it_counts),
		cmocka_unit_test(a_decision_says_whether_it_holds_for_the_flow),
	};

	return cmocka_run_group_tests(tests, matcher_set_up, matcher_tear_down);
}
