/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of rules that never match, and that nothing is of others. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/cover.h"
#include "rules/policy_text.h"
#include "rules/rule.h"
#include "rules/shadow.h"
#include "rules/warn.h"

static void assert_warnings(const char *text, const char *expected)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 }, warnings = { 0 };
	char *said = NULL;
	size_t size;
	FILE *out;

	if (policy_read_text("t", text, strlen(text), &problems, &policy) < 0) {
		problems_print(&problems, stderr);
		fail_msg("no policy");
	}
	assert_int_equal(policy_warn(policy, &warnings), 0);
	problems_sort(&warnings);
	out = open_memstream(&said, &size);
	problems_print_warnings(&warnings, out);
	fclose(out);
	assert_string_equal(said, expected);
	free(said);
	problems_clear(&warnings);
	problems_clear(&problems);
}

#define CHAIN "[chain c]\npolicy = deny\n"

/* Two rules; whether the second is said to be covered by the first. */
static void assert_covered(const char *first, const char *second,
			   bool is_covered)
{
	char text[512];

	snprintf(text, sizeof(text),
		 CHAIN "10 = %s\n20 = %s\n[set a]\nelements = 10.0.0.1\n"
		       "[set b]\nelements = 10.0.0.2\n"
		       "[set i]\nholds = interfaces\nelements = eth5\n",
		 first, second);
	assert_warnings(text, is_covered
				      ? "t:4: warning: 20: no packet gets "
					"here: rule 10, at t:3, takes all that "
					"would match\n"
				      : "");
}

static void a_wider_rule_above_covers(void **state)
{
	(void)state;
	assert_covered("allow tcp", "deny tcp to port 80", true);
	assert_covered("allow", "deny icmp echo-request", true);
	assert_covered("deny tcp from 10.0.0.0/8",
		       "allow tcp from 10.1.0.0/16 to port 22", true);
	assert_covered("deny from 10.0.0.0/9, 10.128.0.0/9",
		       "allow from 10.100.0.0-10.200.0.0", true);
	assert_covered("deny from 2001:db8::/32, 10.0.0.0/8",
		       "allow from 10.1.1.1, 2001:db8::1", true);
	assert_covered("deny tcp to port 1-100, 200-300",
		       "allow tcp to port 80, 250-260", true);
	assert_covered("deny from @a", "allow tcp from @a", true);
	assert_covered("deny from @a, @b, 10.0.0.0/8",
		       "allow from @b, 10.0.0.1", true);
	assert_covered("deny from not 10.0.0.0/8", "allow from 192.0.2.1",
		       true);
	assert_covered("deny from not 10.0.0.0/16", "allow from not 10.0.0.0/8",
		       true);
	assert_covered("allow new,established", "deny established", true);
	assert_covered("allow tcp flags SYN/SYN", "deny tcp flags SYN/SYN,ACK",
		       true);
	assert_covered("allow icmp 0,3,8", "deny icmp echo-request", true);
	assert_covered("allow mark 0x10/0xf0", "deny mark 0x1f", true);
	assert_covered("allow length 0-100", "deny length 50", true);
	assert_covered("allow uid 5", "deny tcp uid 5", true);
	assert_covered("allow dscp ef", "deny udp dscp 46", true);
	assert_covered("allow iface eth0", "deny tcp iface eth0", true);
	assert_covered("allow", "deny iface eth0", true);
	assert_covered("allow tcp,udp", "deny udp to port 53", true);
	assert_covered("allow tcp,udp,47", "deny 47,udp", true);
	assert_covered("allow", "deny tcp,udp", true);
	assert_covered("allow", "deny iface eth*,wlan0", true);
	assert_covered("allow iface eth0,eth1", "deny iface eth1", true);
	assert_covered("allow iface eth*", "deny tcp iface eth0,eth1,eth1*",
		       true);
	assert_covered("allow iface lo,@i", "deny iface @i", true);
	assert_covered("allow tcp", "deny tcp limit 10/s", true);
}

static void one_that_leaves_something_does_not(void **state)
{
	(void)state;
	assert_covered("allow tcp to port 80", "deny tcp", false);
	assert_covered("allow tcp to port 0-65535", "deny tcp", false);
	assert_covered("allow tcp limit 10/s", "deny tcp", false);
	assert_covered("allow established", "deny tcp", false);
	assert_covered("allow", "deny iface lo", false);
	assert_covered("allow tcp", "deny tcp,udp", false);
	assert_covered("allow tcp,udp", "deny", false);
	assert_covered("allow tcp,udp", "deny tcp,sctp", false);
	assert_covered("allow tcp,udp", "deny sctp", false);
	assert_covered("allow iface eth0", "deny", false);
	assert_covered("allow iface eth0*", "deny iface eth*", false);
	assert_covered("allow iface eth0,eth1", "deny iface eth0,eth2", false);
	assert_covered("allow iface @i", "deny iface @i,eth0", false);
	assert_covered("allow iface eth0", "deny iface @i", false);
	assert_covered("allow", "deny iface @i", false);
	assert_covered("allow", "deny iface l*", false);
	assert_covered("allow from 10.0.0.0/9, 10.192.0.0/10",
		       "deny from 10.0.0.0/8", false);
	assert_covered("allow from @a", "deny from 10.0.0.0/8", false);
	assert_covered("allow from 10.0.0.0/8", "deny from @a", false);
	assert_covered("allow from not @a", "deny from 10.0.0.0/8", false);
	assert_covered("allow from not 10.0.0.0/8", "deny from 10.0.0.1",
		       false);
	assert_covered("allow from not 10.0.0.0/8", "deny from not 10.0.0.0/16",
		       false);
	assert_covered("allow from 10.0.0.0/8", "deny to 10.0.0.1", false);
	assert_covered("allow tcp from 10.0.0.1 to port 80",
		       "deny udp from 10.0.0.1 to port 80", false);
	assert_covered("allow ip4", "deny", false);
	assert_covered("allow length 50-60", "deny length 0-55", false);
	assert_covered("allow mark 0x10", "deny mark 0x10/0xf0", false);
	assert_covered("allow uid 5", "deny uid 6", false);
	assert_covered("allow tcp to port 1-100", "deny tcp to port 50-101",
		       false);
}

static void what_contradicts_itself_is_said(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = allow tcp related\n"
			      "20 = allow tcp new flags SYN,FIN/SYN,FIN\n"
			      "30 = allow icmp 3 established\n"
			      "40 = deny length 0-19\n"
			      "50 = deny ip6 udp to port 53 length 20-47\n"
			      "60 = deny ip4 from not 0.0.0.0/0\n",
			"t:3: warning: 10: no packet can match: only ICMP "
			"errors are related\n"
			"t:4: warning: 20: no packet can match: packets with "
			"such flags are invalid\n"
			"t:5: warning: 30: no packet can match: ICMP errors "
			"are related or invalid\n"
			"t:6: warning: 40: no packet can match: no such packet "
			"is that short: its headers are longer\n"
			"t:7: warning: 50: no packet can match: no such packet "
			"is that short: its headers are longer\n"
			"t:8: warning: 60: no packet can match: it excepts all "
			"addresses\n");
}

static void what_may_be_is_not(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = allow tcp related,established\n"
			      "20 = deny tcp invalid flags SYN,FIN/SYN,FIN\n"
			      "30 = allow icmp 3,8 established\n"
			      "40 = deny tcp length 20-39\n"
			      "50 = deny icmp6 1 related\n"
			      "60 = deny from not 0.0.0.0/0\n"
			      "70 = deny udp new\n",
			"");
}

static void an_empty_set_is_said(void **state)
{
	(void)state;
	assert_warnings("[set a]\n[set b]\nelements = 10.0.0.1\n" CHAIN
			"10 = allow from @a\n20 = allow to @a, @b\n"
			"30 = deny to @b, 10.0.0.2\n40 = deny from not @a\n",
			"t:6: warning: 10: no packet can match as long as set "
			"'a' is empty\n");
	assert_warnings("[set a]\n" CHAIN "10 = allow iface @a, eth0\n"
			"20 = allow iface @a\n",
			"t:5: warning: 20: no packet can match as long as set "
			"'a' is empty\n");
}

/* ----------------------------------------------------------- jumps */

#define DARK(line, number, by) \
	"t:" #line ": warning: " #number ": no packet gets here: " by "\n"
#define TAKES ", takes all that would match"

static void what_was_decided_before_a_jump_is_not_behind_it(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = allow tcp to port 22\n20 = jump d tcp\n"
			      "[chain d]\n10 = deny to 10.0.0.1\n"
			      "20 = deny tcp to port 22-23\n",
			"");
	assert_warnings(CHAIN "10 = allow tcp\n20 = jump d\n"
			      "[chain d]\n10 = deny tcp to port 22\n"
			      "20 = deny udp\n",
			DARK(6, 10, "rule 10 of chain 'c', at t:3" TAKES));
	/* The jump's facts are facts. */
	assert_warnings(CHAIN "10 = allow tcp from 10.0.0.0/8\n"
			      "20 = jump d from 10.1.0.0/16\n"
			      "[chain d]\n10 = deny tcp\n20 = deny udp\n",
			DARK(6, 10, "rule 10 of chain 'c', at t:3" TAKES));
	/* What leads nowhere is said once. */
	assert_warnings(CHAIN "10 = allow tcp\n20 = jump d tcp to port 22\n"
			      "[chain d]\n10 = deny\n",
			DARK(4, 20, "rule 10, at t:3" TAKES));
}

static void what_was_decided_behind_a_jump_is_not_when_it_is_back(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = jump d\n20 = allow udp to port 53\n"
			      "[chain d]\n10 = deny udp\n",
			DARK(4, 20, "rule 10 of chain 'd', at t:6" TAKES));
	assert_warnings(CHAIN "10 = jump d to 10.0.0.0/8\n"
			      "20 = allow udp to 10.0.0.1\n"
			      "30 = allow udp to 11.0.0.1\n"
			      "[chain d]\n10 = deny udp\n",
			DARK(4, 20, "rule 10 of chain 'd', at t:7" TAKES));
	/* Two deep, and the next chain as well. */
	assert_warnings(CHAIN "10 = jump d\n20 = jump f\n"
			      "[chain d]\n10 = jump e udp\n"
			      "[chain e]\n10 = deny to 10.0.0.0/8\n"
			      "[chain f]\n10 = allow udp to 10.0.0.1\n",
			DARK(10, 10, "rule 10 of chain 'e', at t:8" TAKES));
	/* Some may have returned before. */
	assert_warnings(CHAIN "10 = jump d\n20 = allow udp to port 53\n"
			      "[chain d]\n5 = return from 10.0.0.1\n"
			      "10 = deny udp\n20 = allow udp\n",
			DARK(8, 20, "rule 10, at t:7" TAKES));
	assert_warnings(CHAIN "10 = jump d\n20 = allow udp to port 53\n"
			      "[chain d]\n10 = deny udp\n"
			      "20 = return from 10.0.0.1\n",
			DARK(4, 20, "rule 10 of chain 'd', at t:6" TAKES));
	/* Of what has returned from an inner chain the outer one knows all. */
	assert_warnings(CHAIN "10 = jump d\n20 = allow udp to port 53\n"
			      "[chain d]\n10 = jump e\n20 = deny udp\n"
			      "[chain e]\n10 = return tcp\n20 = deny tcp\n",
			DARK(4, 20, "rule 20 of chain 'd', at t:7" TAKES)
				DARK(10, 20, "rule 10, at t:9" TAKES));
}

static void a_return_takes_what_is_behind_it_and_its_jumps(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = jump d\n20 = allow tcp to port 22\n"
			      "[chain d]\n10 = return tcp\n"
			      "20 = deny tcp to port 22\n30 = jump e\n"
			      "[chain e]\n10 = deny tcp to port 23\n",
			DARK(7, 20, "rule 10, at t:6" TAKES) DARK(
				10, 10, "rule 10 of chain 'd', at t:6" TAKES));
}

/* All ways that lead to a rule must be dark. */
static void a_rule_that_some_jump_leads_to_is_met(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = allow tcp\n20 = jump d\n"
			      "[chain b]\npolicy = deny\n10 = jump d\n"
			      "[chain d]\n10 = deny tcp\n",
			"");
	assert_warnings(CHAIN "10 = allow tcp\n20 = jump d\n"
			      "[chain d]\npolicy = deny\n10 = deny tcp\n",
			"");
	assert_warnings(
		CHAIN "10 = allow tcp\n20 = jump d\n"
		      "[chain b]\npolicy = deny\n10 = reject\n20 = jump d\n"
		      "[chain d]\n10 = deny tcp\n",
		DARK(8, 20, "rule 10, at t:7" TAKES)
			DARK(10, 10, "rule 10 of chain 'c', at t:3" TAKES));
	assert_warnings(
		CHAIN "10 = allow tcp\n20 = jump d\n"
		      "[chain b]\npolicy = deny\n10 = reject tcp to port 22\n"
		      "20 = jump d\n[chain d]\n10 = deny tcp to port 22\n",
		DARK(10, 10,
		     "from wherever it is jumped to, rules before take all "
		     "that would match, such as rule 10 of chain 'c', at t:3"));
}

/* Of what passes lo, only rules behind a jump that names it have a say. */
static void loopback_is_another_matter(void **state)
{
	(void)state;
	assert_warnings(CHAIN "10 = allow\n20 = jump d iface lo\n"
			      "[chain d]\n10 = deny\n",
			"");
	assert_warnings(CHAIN "10 = allow\n20 = jump d\n"
			      "[chain d]\n10 = deny iface lo\n",
			"");
	assert_warnings(CHAIN "10 = allow\n20 = jump d\n"
			      "[chain d]\n10 = deny iface eth0\n",
			DARK(4, 20, "rule 10, at t:3" TAKES));
	assert_warnings(CHAIN "10 = jump d iface lo\n20 = deny iface lo\n"
			      "30 = deny\n[chain d]\n10 = allow\n",
			DARK(4, 20, "rule 10 of chain 'd', at t:7" TAKES));
}

static void what_is_rejected_where_no_answer_goes_is_said(void **state)
{
	static const char text[] =
		"[group a]\nmatch = /a\nfilter-in = by-rule\n"
		"filter-out = out\n"
		"[group b]\nmatch = /b\nfilter-in = by-rule\n"
		"[group c]\nmatch = /c\nfilter-in = by-policy\n"
		"[group d]\nmatch = /d\nfilter-in = led\n"
		"[device eth0]\nfilter-in = out\n"
		"[chain by-rule]\npolicy = deny\n10 = allow tcp\n"
		"20 = reject udp\n30 = reject\n"
		"[chain by-policy]\npolicy = reject\n"
		"[chain led]\npolicy = deny\n10 = jump last\n"
		"[chain last]\n10 = reject icmp\n"
		"[chain out]\npolicy = reject\n10 = reject tcp\n";
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 }, warnings = { 0 };

	(void)state;
	assert_int_equal(
		policy_read_text("t", text, strlen(text), &problems, &policy),
		0);
	policy_warn_unanswered(policy, &warnings);
	problems_sort(&warnings);
	assert_int_equal(warnings.n_list, 3);
	assert_int_equal(warnings.list[0].line, 19);
	assert_int_equal(warnings.list[1].line, 21);
	assert_int_equal(warnings.list[2].line, 27);
	assert_non_null(strstr(warnings.list[2].text, "chain 'led'"));
	problems_clear(&warnings);
	problems_clear(&problems);
}

/* ---------------------------------------------------- against the plain */

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

static const char *pick(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return list[dice(n)];
}

static void random_rule(struct rule *rule, uint32_t number)
{
	static const char *const protocols[] = { "", "tcp", "tcp", "udp",
						 NULL };
	static const char *const addresses[] = { "",
						 "",
						 "10.0.0.0/8",
						 "10.1.0.0/16",
						 "10.1.2.0/24",
						 "10.1.2.3",
						 "10.1.2.3, 10.1.2.9",
						 "10.1.2.2-10.1.2.10",
						 "not 10.1.0.0/16",
						 "10.0.0.0/8, 2001:db8::/32",
						 "2001:db8::1",
						 NULL };
	static const char *const ports[] = { "",      "",	    "80",
					     "80-90", "80, 85",	    "0-1023",
					     "443",   "1024-65535", NULL };
	static const char *const rest[] = { "",
					    "",
					    "",
					    "established",
					    "mark 5",
					    "mark 4/4",
					    "uid 5",
					    "iface eth0",
					    "dscp ef",
					    "limit 5/s",
					    "iface lo",
					    "length 100-200",
					    "length 150",
					    "iface eth*",
					    "iface eth0,eth1",
					    "iface @i",
					    "iface @i,eth0",
					    NULL };
	const char *protocol = pick(protocols), *from = pick(addresses);
	const char *port = *protocol ? pick(ports) : "", *what = pick(rest);
	struct err why;
	char text[256];

	snprintf(text, sizeof(text), "allow %s%s %s%s %s %s", protocol,
		 *from ? " from" : "", from, *port ? " to port" : "", port,
		 what);
	*rule = (struct rule){ .number = number };
	assert_int_equal(rule_parse(text, rule, &why), 0);
}

static void as_if_all_were_held_against_all(void **state)
{
	struct rule rules[200];
	struct chain chain = { .name = "c", .rules = rules, .n_rules = 200 };
	struct policy policy = { .chains = &chain, .n_chains = 1 };
	size_t i, j, round, found = 0;

	(void)state;
	for (round = 0; round < 20; round++) {
		CLEANUP(shadows_clear) struct shadows shadows = { 0 };

		for (i = 0; i < chain.n_rules; i++)
			random_rule(&rules[i], i);
		assert_int_equal(shadow_find(&policy, &shadows), 0);
		assert_null(shadows.given_up[0]);
		for (i = 0; i < chain.n_rules; i++) {
			for (j = 0; j < i; j++)
				if (rule_covers(&rules[j], &rules[i]))
					break;
			assert_ptr_equal(shadows.list[i].above,
					 j < i ? &rules[j] : NULL);
			assert_int_equal(shadow_is_dark(&shadows.list[i]),
					 j < i);
			found += j < i;
		}
		for (i = 0; i < chain.n_rules; i++)
			rule_clear(&rules[i]);
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wider_rule_above_covers),
		cmocka_unit_test(one_that_leaves_something_does_not),
		cmocka_unit_test(what_contradicts_itself_is_said),
		cmocka_unit_test(what_may_be_is_not),
		cmocka_unit_test(an_empty_set_is_said),
		cmocka_unit_test(
			what_was_decided_before_a_jump_is_not_behind_it),
		cmocka_unit_test(
			what_was_decided_behind_a_jump_is_not_when_it_is_back),
		cmocka_unit_test(
			a_return_takes_what_is_behind_it_and_its_jumps),
		cmocka_unit_test(a_rule_that_some_jump_leads_to_is_met),
		cmocka_unit_test(loopback_is_another_matter),
		cmocka_unit_test(what_is_rejected_where_no_answer_goes_is_said),
		cmocka_unit_test(as_if_all_were_held_against_all),
	};

	return RUN(tests);
}
