/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of an image say for the text of a policy. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "tests/unit/compile_text.h"

/* ------------------------------------------------------------ rules */

static uint32_t counter_of(const struct image *image, const char *chain,
			   uint32_t number)
{
	size_t i;
	uint32_t k;

	for (i = 0; i < image->n_chains; i++) {
		const struct chain_row *row = &image->chains[i];

		if (strcmp(image_string(image, row->name), chain) != 0)
			continue;
		if (!number)
			return row->counter;
		for (k = row->first; k < row->first + row->count; k++)
			if (image->rules[k].number == number)
				return image->rules[k].counter;
	}
	fail_msg("no rule %u in '%s'", number, chain);
	return NONE;
}

static void a_limit_becomes_an_interval_and_a_depth(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow limit 10/s burst 20\n"
			     "20 = allow limit 1/m\n",
			     NULL);
	assert_int_equal(image->rules[0].looks, LOOK_LIMIT);
	assert_int_equal(image->rules[0].limit_interval_ns, 100000000);
	assert_int_equal(image->rules[0].limit_burst_ns, 2000000000);
	assert_int_equal(image->rules[1].limit_interval_ns, 60000000000);
	assert_int_equal(image->rules[1].limit_burst_ns, 300000000000);
}

static void a_limit_per_source_has_a_name_of_its_own(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	CLEANUP(image_freep) struct image *again = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow limit 10/s per source\n"
			     "20 = allow limit 10/s per source\n"
			     "30 = allow limit 10/s\n",
			     NULL);
	again = compile_text("[chain c]\npolicy = deny\n"
			     "5 = deny tcp\n"
			     "10 = allow limit 10/s per source\n"
			     "20 = allow limit 11/s per source\n",
			     image);
	assert_true(image->rules[0].limit_source != 0);
	assert_true(image->rules[0].limit_source !=
		    image->rules[1].limit_source);
	assert_true(image->rules[2].limit_source == 0);
	assert_true(again->rules[1].limit_source ==
		    image->rules[0].limit_source);
	assert_true(again->rules[2].limit_source !=
		    image->rules[1].limit_source);
}

static void a_chain_says_what_its_rules_look_at(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain a]\npolicy = deny\nstrict = yes\n"
			     "10 = allow established\n20 = allow iface lo\n"
			     "[chain b]\npolicy = reject\n"
			     "10 = allow uid 5\n20 = allow iface eth0\n"
			     "30 = allow limit 1/s\n"
			     "[group g]\nmatch = /a\nfilter-in = a\n"
			     "[group h]\nmatch = /b\nfilter-out = b\n"
			     "[device d]\nfilter-in = b\nfilter-out = a\n",
			     NULL);
	/* Neither looks at an address: see test_compile_class. */
	assert_int_equal(image->chains[0].flags,
			 CHAIN_STRICT | CHAIN_STATES | CHAIN_LOOPBACK |
				 CHAIN_LINEAR | CHAIN_LISTED);
	assert_int_equal(image->chains[1].flags, CHAIN_UIDS | CHAIN_LIMITS |
							 CHAIN_LINEAR |
							 CHAIN_LISTED);
	assert_int_equal(image->chains[1].policy, ROW_REJECT);
	assert_int_equal(image->chains[1].first, 2);
	assert_int_equal(image->rules[1].ifindex, 1);
	assert_int_equal(image->rules[3].ifindex, 0);
	assert_string_equal(image_string(image, image->rules[3].iface), "eth0");
	assert_int_equal(image->groups[0].flags, KEEP_STATES);
	assert_int_equal(image->groups[0].chain_in, 0);
	assert_int_equal(image->groups[0].chain_out, NONE);
	assert_int_equal(image->groups[1].flags, 0);
	assert_int_equal(image->devices[1].flags, KEEP_STATES);
}

static void a_first_rule_that_allows_by_states_alone_is_noted(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text(
		"[chain a]\npolicy = deny\n10 = allow established related\n"
		"[chain b]\npolicy = deny\n10 = allow tcp established\n"
		"[chain c]\npolicy = deny\n10 = deny invalid\n"
		"[chain d]\npolicy = deny\n"
		"10 = allow tcp to port 22\n20 = allow established\n"
		"[chain e]\npolicy = deny\n10 = allow established limit 1/s\n"
		"[chain f]\npolicy = allow\n",
		NULL);
	assert_int_equal(image->chains[0].opens,
			 PACKET_ESTABLISHED | PACKET_RELATED);
	assert_int_equal(image->chains[0].opens_counter,
			 image->rules[0].counter);
	assert_int_equal(image->chains[1].opens, 0);
	assert_int_equal(image->chains[2].opens, 0);
	assert_int_equal(image->chains[3].opens, 0);
	assert_int_equal(image->chains[4].opens, 0);
	assert_int_equal(image->chains[5].opens, 0);
}

#define LOOKS "[chain c]\npolicy = deny\n10 = allow established\n"

static uint32_t share_of(const struct image *image, const char *name)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (strcmp(image_string(image, image->groups[i].name), name) ==
		    0)
			return image->groups[i].flow_share;
	return NONE;
}

static void a_group_keeps_its_table_of_flows(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL;
	CLEANUP(image_freep) struct image *second = NULL;
	CLEANUP(image_freep) struct image *third = NULL;

	(void)state;
	first = compile_text(LOOKS "[group a]\nmatch = /a\nfilter-in = c\n"
				   "flows = 100\ntimeouts = udp 10s, icmp 1m\n"
				   "[group b]\nmatch = /b\nfilter-in = c\n"
				   "[group d]\nmatch = /d\n",
			     NULL);
	assert_int_equal(share_of(first, "a"), FLOW_SHARE_GROUPS);
	assert_int_equal(share_of(first, "b"), FLOW_SHARE_GROUPS + 1);
	assert_int_equal(share_of(first, "d"), 0);
	assert_int_equal(first->groups[0].flow_room.flows, 100);
	assert_int_equal(first->groups[0].flow_room.seconds[FLOW_UDP], 10);
	assert_int_equal(first->groups[0].flow_room.seconds[FLOW_ICMP], 60);
	assert_int_equal(first->groups[0].flow_room.seconds[FLOW_TCP_RESET], 0);
	/* What another has had, nobody has before it is empty. */
	second = compile_text(LOOKS "[group e]\nmatch = /e\nfilter-in = c\n"
				    "[group b]\nmatch = /b\nfilter-in = c\n",
			      first);
	assert_int_equal(share_of(second, "b"), FLOW_SHARE_GROUPS + 1);
	assert_int_equal(share_of(second, "e"), FLOW_SHARE_GROUPS + 2);
	third = compile_text(LOOKS "[group a]\nmatch = /a\nfilter-in = c\n"
				   "[group b]\nmatch = /b\nfilter-in = c\n",
			     second);
	assert_int_equal(share_of(third, "a"), FLOW_SHARE_GROUPS);
	assert_int_equal(share_of(third, "b"), FLOW_SHARE_GROUPS + 1);
}

static void windows_are_of_a_device_that_looks_at_states(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	AUTO_FREE char *problem = NULL;

	(void)state;
	image = compile_text(LOOKS "[device eth0]\nfilter-out = c\n"
				   "tcp-windows = yes\n"
				   "[device eth1]\nfilter-out = c\n"
				   "tcp-windows = no\n",
			     NULL);
	assert_int_equal(image->devices[1].tcp_windows, 1);
	assert_int_equal(image->devices[2].tcp_windows, 0);
	problem = compile_text_wrong(
		"[device eth0]\nfilter-out = c\n"
		"tcp-windows = yes\n"
		"[chain c]\npolicy = allow\n10 = deny udp\n");
	assert_string_equal(problem, "device 'eth0' has tcp-windows, but no "
				     "rule of its chains looks at states (try "
				     "deny invalid)");
}

static void unchanged_rules_keep_their_counters(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL;
	CLEANUP(image_freep) struct image *second = NULL;
	CLEANUP(image_freep) struct image *third = NULL;
	size_t i, k;

	(void)state;
	first = compile_text("[chain a]\npolicy = deny\n"
			     "10 = allow tcp\n20 = allow udp\n30 = allow icmp\n"
			     "[chain z]\npolicy = deny\n10 = allow tcp\n",
			     NULL);
	second = compile_text("[chain b]\npolicy = deny\n10 = allow tcp\n"
			      "[chain z]\npolicy = allow\n10 = allow tcp\n"
			      "[chain a]\npolicy = deny\n15 = deny gre\n"
			      "20 = allow udp\n30 = allow icmp 8\n",
			      first);
	assert_int_equal(counter_of(first, "a", 20),
			 counter_of(second, "a", 20));
	assert_int_equal(counter_of(first, "a", 0), counter_of(second, "a", 0));
	assert_int_equal(counter_of(first, "z", 10),
			 counter_of(second, "z", 10));
	/* Another verdict, another count. */
	assert_int_not_equal(counter_of(first, "z", 0),
			     counter_of(second, "z", 0));
	/* What is new has a counter that nobody counts in now. */
	for (i = 0; i < first->n_rules; i++) {
		uint32_t old = first->rules[i].counter;

		assert_int_not_equal(old, counter_of(second, "a", 15));
		assert_int_not_equal(old, counter_of(second, "a", 30));
		assert_int_not_equal(old, counter_of(second, "b", 10));
	}
	for (i = 0; i < second->n_rules; i++)
		for (k = 0; k < i; k++)
			assert_int_not_equal(second->rules[i].counter,
					     second->rules[k].counter);
	/* The counters of the first that are gone are used again. */
	third = compile_text("[chain n]\npolicy = deny\n10 = allow tcp\n",
			     second);
	assert_true(counter_of(third, "n", 10) < 12);
}

/* ------------------------------------------------ groups and devices */

static void a_group_keeps_its_uid_by_its_name(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL;
	CLEANUP(image_freep) struct image *second = NULL;

	(void)state;
	first = compile_text("[group a]\nmatch = /a\nout = 1mbit\n"
			     "[group b]\nmatch = /b\nout = 1mbit\n",
			     NULL);
	second = compile_text("[group c]\nmatch = /c\nout = 1mbit\n"
			      "[group b]\nmatch = /b\nout = 2mbit\n",
			      first);
	assert_int_equal(first->groups[1].uid, second->groups[1].uid);
	assert_int_not_equal(first->groups[0].uid, second->groups[0].uid);
	assert_int_not_equal(first->groups[0].uid, 0);
	assert_int_equal(second->n_paths, 2);
	assert_string_equal(second->paths[0].key.path, "/b");
	assert_int_equal(second->paths[0].value.group, 1);
}

static void a_device_keeps_its_index(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL;
	CLEANUP(image_freep) struct image *second = NULL;

	(void)state;
	first = compile_text("[device a]\nout = 1mbit\n"
			     "[device b]\nout = 1mbit\n"
			     "[device c]\nout = 1mbit\n",
			     NULL);
	assert_int_equal(first->n_devices, 4);
	assert_int_equal(first->devices[0].in_use, 0);
	/* As if they were a container's veth and a pool. */
	first->devices[2].group = 7;
	first->devices[3].group = 7;
	first->devices[3].flags = DEVICE_POOL;
	second = compile_text("[device d]\nout = 1mbit\n"
			      "[device b]\nout = 1mbit\n"
			      "[device c]\nout = 1mbit\n",
			      first);
	assert_int_equal(second->n_devices, 6);
	assert_string_equal(image_string(second, second->devices[2].name), "b");
	assert_int_equal(second->devices[1].in_use, 0);
	assert_int_equal(second->devices[3].in_use, 0);
	assert_string_equal(image_string(second, second->devices[4].name), "d");
	assert_string_equal(image_string(second, second->devices[5].name), "c");
}

static void limits_get_bytes_bursts_and_shapes(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	const struct group_row *groups;

	(void)state;
	image = compile_text("[group a]\nmatch = /a\nout = 8gbit\nin = 8mbit\n"
			     "[group b]\nmatch = /b\nout = 1mbit\n"
			     "out-burst = 5kb\nshaper = police\n"
			     "[group c]\nmatch = /c/*\nin = 1gbit\n"
			     "share = all\n"
			     "[group d]\nmatch = /d\nin = 1mbit\n"
			     "out = 1mbit\nshaper = edt\n",
			     NULL);
	groups = image->groups;
	assert_int_equal(groups[0].out.rate_bytes, 1000000000);
	assert_int_equal(groups[0].out.burst_bytes, 40000000);
	assert_int_equal(groups[0].in.burst_bytes, 16384);
	assert_int_equal(groups[0].shape_out, SHAPE_PACE);
	assert_int_equal(groups[0].shape_in, SHAPE_HTB);
	assert_int_equal(groups[1].out.burst_bytes, 5000);
	assert_int_equal(groups[1].shape_out, SHAPE_POLICE);
	assert_int_equal(groups[1].shape_in, SHAPE_NONE);
	assert_int_equal(groups[2].shape_out, SHAPE_NONE);
	assert_true(groups[2].share_all);
	/* What has departure times has left its socket. */
	assert_int_equal(groups[3].shape_out, SHAPE_PACE);
	assert_int_equal(groups[3].shape_in, SHAPE_EDT);
	assert_true(image_group_wants_queue(image, 3));
	assert_int_equal(image->n_globs, 1);
	assert_int_equal(image->globs[0].group, 2);
	assert_int_equal(image->globs[0].level, 2);
}

static void a_device_has_a_shape_where_it_has_a_limit_out(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[device a]\nout = 1mbit\n"
			     "[device b]\nout = 1mbit\nshaper = htb\n"
			     "[device c]\nout = 1mbit\nin = 1mbit\n"
			     "shaper = edt\n"
			     "[device d]\nshaper = edt\n",
			     NULL);
	assert_int_equal(image->devices[1].shape_out, SHAPE_HTB);
	assert_int_equal(image->devices[2].shape_out, SHAPE_HTB);
	assert_int_equal(image->devices[3].shape_out, SHAPE_EDT);
	assert_int_equal(image->devices[4].shape_out, SHAPE_NONE);
}

/* How many rules of a chain that arrives at a device are early. */
static uint32_t early_of(const char *keys, const char *rules)
{
	CLEANUP(image_freep) struct image *image = NULL;
	AUTO_FREE char *text = NULL;

	assert_true(asprintf(&text,
			     "[device d]\nfilter-in = c\n%s\n"
			     "[chain c]\npolicy = allow\n%s\n"
			     "[chain other]\npolicy = allow\n"
			     "10 = deny from 10.0.0.1\n"
			     "[set s]\nelements = 10.0.0.0/8\n"
			     "[set services]\nholds = services\n",
			     keys, rules) > 0);
	image = compile_text(text, NULL);
	return image->devices[1].early;
}

static void rules_that_deny_by_the_source_alone_are_early(void **state)
{
	AUTO_FREE char *many = NULL;
	size_t size, i;
	FILE *out;

	(void)state;
	assert_int_equal(early_of("", "10 = deny from @s\n"
				      "20 = deny ip6 from fd00::/8\n"
				      "30 = deny from not 10.0.0.1, 10.0.0.3\n"
				      "40 = allow from 10.0.0.2\n"
				      "50 = deny from 10.0.0.4"),
			 3);
	assert_int_equal(early_of("", "10 = deny from @s\n20 = jump other"), 1);
	assert_int_equal(early_of("xdp = yes", "10 = deny from @s"), 1);
	assert_int_equal(early_of("xdp = no", "10 = deny from @s"), 0);
	out = open_memstream(&many, &size);
	for (i = 1; i <= EARLY_MAX + 1; i++)
		fprintf(out, "%zu = deny from 10.0.0.%zu\n", i, i);
	fclose(out);
	assert_int_equal(early_of("", many), EARLY_MAX);
}

static void rules_that_ask_for_more_are_not_early(void **state)
{
	static const char *const rules[] = {
		"reject from @s",
		"allow from @s",
		"deny",
		"deny ip4",
		"deny tcp from @s",
		"deny udp from @s port 53",
		"deny from @s to 10.0.0.1",
		"deny to @s",
		"deny udp from @services",
		"deny from @s log",
		"deny from @s limit 1/s",
		"deny from @s new",
		"deny from @s iface eth0",
		"deny from @s mark 1",
		"deny icmp from @s",
		"deny from @s length 1-9",
		"jump other",
	};
	AUTO_FREE char *text = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		assert_true(asprintf(&text, "10 = %s\n20 = deny from @s",
				     rules[i]) > 0);
		if (early_of("", text))
			fail_msg("early: %s", rules[i]);
		free(TAKE_PTR(text));
	}
}

/* ----------------------------------------------------------- bounds */

static void what_does_not_fit_is_refused_by_name(void **state)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *found = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (i = 1; i <= DEVICES_MAX; i++)
		fprintf(out, "[device d%zu]\n", i);
	fclose(out);
	found = compile_text_wrong(text);
	assert_string_equal(found,
			    "device 'd4096' is one too many: at most 4095 are "
			    "possible, with containers'");
}

static void too_many_limits_of_rules_are_refused(void **state)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *found = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (i = 0; i < RULE_LIMITS_MAX + 2; i++) {
		if (i % 4096 == 0)
			fprintf(out, "[chain c%zu]\npolicy = deny\n", i);
		fprintf(out, "%zu = allow limit 1/s\n", i % 4096 + 1);
	}
	fclose(out);
	found = compile_text_wrong(text);
	assert_string_equal(found, "more than 65536 rules have a limit");
}

static void too_many_rules_with_log_are_refused(void **state)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *found = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (i = 0; i < RULE_LOGS_MAX + 2; i++) {
		if (i % 4096 == 0)
			fprintf(out, "[chain c%zu]\npolicy = deny\n", i);
		fprintf(out, "%zu = deny log\n", i % 4096 + 1);
	}
	fclose(out);
	found = compile_text_wrong(text);
	assert_string_equal(found, "more than 16384 rules have log");
}

static void texts_stand_once_and_damage_reads_as_nothing(void **state)
{
	CLEANUP(image_freep) struct image *image = image_new();
	str_off a, b, c;

	(void)state;
	assert_non_null(image);
	assert_int_equal(image_add_string(image, "", &a), 0);
	assert_int_equal(a, 0);
	assert_int_equal(image_add_string(image, "one", &a), 0);
	assert_int_equal(image_add_string(image, "one", &b), 0);
	assert_int_equal(image_add_string(image, "two", &c), 0);
	assert_int_equal(a, b);
	assert_string_equal(image_string(image, c), "two");
	assert_string_equal(image_string(image, 12345), "");
	image->strings[image->n_strings - 1] = 'x';
	assert_string_equal(image_string(image, c), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_becomes_an_interval_and_a_depth),
		cmocka_unit_test(a_limit_per_source_has_a_name_of_its_own),
		cmocka_unit_test(a_chain_says_what_its_rules_look_at),
		cmocka_unit_test(
			a_first_rule_that_allows_by_states_alone_is_noted),
		cmocka_unit_test(a_group_keeps_its_table_of_flows),
		cmocka_unit_test(windows_are_of_a_device_that_looks_at_states),
		cmocka_unit_test(unchanged_rules_keep_their_counters),
		cmocka_unit_test(a_group_keeps_its_uid_by_its_name),
		cmocka_unit_test(a_device_keeps_its_index),
		cmocka_unit_test(limits_get_bytes_bursts_and_shapes),
		cmocka_unit_test(a_device_has_a_shape_where_it_has_a_limit_out),
		cmocka_unit_test(rules_that_deny_by_the_source_alone_are_early),
		cmocka_unit_test(rules_that_ask_for_more_are_not_early),
		cmocka_unit_test(what_does_not_fit_is_refused_by_name),
		cmocka_unit_test(too_many_limits_of_rules_are_refused),
		cmocka_unit_test(too_many_rules_with_log_are_refused),
		cmocka_unit_test(texts_stand_once_and_damage_reads_as_nothing),
	};

	return RUN(tests);
}
