/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/address.h"

static struct network network(const char *text)
{
	struct network network;
	struct err why;

	if (network_parse(text, &network, &why) < 0)
		fail_msg("%s", why.msg);
	return network;
}

static void assert_reads_as(const char *text, const char *canonical)
{
	struct network read = network(text), again;
	char printed[NETWORK_TEXT_MAX];

	network_format(&read, printed);
	assert_string_equal(printed, canonical);
	again = network(printed);
	assert_memory_equal(&read, &again, sizeof(read));
}

static void every_form_is_printed_in_its_shortest(void **state)
{
	(void)state;
	assert_reads_as("192.0.2.1", "192.0.2.1");
	assert_reads_as("192.0.2.1/32", "192.0.2.1");
	assert_reads_as("192.0.2.0/24", "192.0.2.0/24");
	assert_reads_as("192.0.2.0-192.0.2.255", "192.0.2.0/24");
	assert_reads_as("192.0.2.1-192.0.2.1", "192.0.2.1");
	assert_reads_as("192.0.2.1-192.0.2.2", "192.0.2.1-192.0.2.2");
	assert_reads_as("192.0.2.2-192.0.2.3", "192.0.2.2/31");
	assert_reads_as("0.0.0.0/0", "0.0.0.0/0");
	assert_reads_as("0.0.0.0-255.255.255.255", "0.0.0.0/0");
	assert_reads_as("128.0.0.0/1", "128.0.0.0/1");
	assert_reads_as("2001:DB8:0:0::", "2001:db8::");
	assert_reads_as("2001:db8::/32", "2001:db8::/32");
	assert_reads_as("::/0", "::/0");
	assert_reads_as("::1/128", "::1");
	assert_reads_as("fe80::/10", "fe80::/10");
	assert_reads_as("2001:db8::-2001:db8::ffff", "2001:db8::/112");
	assert_reads_as("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_reads_as("2001:db8::192.0.2.1", "2001:db8::c000:201");
}

static void an_ipv4_network_is_kept_in_mapped_form(void **state)
{
	struct network read = network("192.0.2.0/24");
	struct in6_addr first, last;

	(void)state;
	inet_pton(AF_INET6, "::ffff:192.0.2.0", &first);
	inet_pton(AF_INET6, "::ffff:192.0.2.255", &last);
	assert_int_equal(read.family, FAMILY_IP4);
	assert_memory_equal(&read.first, &first, sizeof(first));
	assert_memory_equal(&read.last, &last, sizeof(last));
	read = network("0.0.0.0/0");
	inet_pton(AF_INET6, "::ffff:0.0.0.0", &first);
	assert_memory_equal(&read.first, &first, sizeof(first));
}

static void assert_refused(const char *text, const char *message)
{
	struct network untouched = { .family = 77 }, read = untouched;
	struct err why;

	assert_int_equal(network_parse(text, &read, &why), -EINVAL);
	assert_string_equal(why.msg, message);
	assert_memory_equal(&read, &untouched, sizeof(read));
}

static void what_is_no_network_is_refused_with_what_would_do(void **state)
{
	(void)state;
	assert_refused("10.0.0.5/24", "'10.0.0.5/24' has host bits beyond the "
				      "prefix (try 10.0.0.0/24)");
	assert_refused("2001:db8::1/64",
		       "'2001:db8::1/64' has host bits beyond the prefix (try "
		       "2001:db8::/64)");
	assert_refused("10.0.0.9-10.0.0.1", "'10.0.0.9-10.0.0.1' runs "
					    "backwards (try "
					    "10.0.0.1-10.0.0.9)");
	assert_refused("::ffff:10.0.0.1", "'::ffff:10.0.0.1' is an IPv4 "
					  "address in IPv6 form (try "
					  "10.0.0.1)");
	assert_refused("10.0.0.1-::2", "'10.0.0.1-::2' goes from one family "
				       "to the other");
	assert_refused("10.0.0.0/33",
		       "'10.0.0.0/33': the prefix length is 0 to 32");
	assert_refused("", "'' is not an address (try 192.0.2.1, 192.0.2.0/24 "
			   "or 2001:db8::/32)");
}

static void equal_networks_are_kept_once_and_in_order(void **state)
{
	struct network list[] = {
		network("2001:db8::/32"), network("10.0.0.0/8"),
		network("10.0.0.0/24"),	  network("10.0.0.0/8"),
		network("::/0"),	  network("9.0.0.0/8"),
	};
	static const char *const sorted[] = { "9.0.0.0/8", "10.0.0.0/24",
					      "10.0.0.0/8", "::/0",
					      "2001:db8::/32" };
	char printed[NETWORK_TEXT_MAX];
	size_t i, n = ARRAY_SIZE(list);

	(void)state;
	networks_sort(list, &n);
	assert_int_equal(n, ARRAY_SIZE(sorted));
	for (i = 0; i < n; i++) {
		network_format(&list[i], printed);
		assert_string_equal(printed, sorted[i]);
	}
}

static void neighbours_and_overlaps_become_one(void **state)
{
	struct network list[] = {
		network("10.0.1.0/24"),
		network("10.0.0.0/24"),
		network("10.0.0.7"),
		network("255.255.255.255"),
		network("10.0.4.0-10.0.4.9"),
		network("10.0.4.5-10.0.4.20"),
		network("::"),
		network("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	};
	static const char *const merged[] = {
		"10.0.0.0/23", "10.0.4.0-10.0.4.20", "255.255.255.255",
		"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	};
	char printed[NETWORK_TEXT_MAX];
	size_t i, n = ARRAY_SIZE(list);

	(void)state;
	networks_merge(list, &n);
	assert_int_equal(n, ARRAY_SIZE(merged));
	for (i = 0; i < n; i++) {
		network_format(&list[i], printed);
		assert_string_equal(printed, merged[i]);
	}
	n = 0;
	networks_merge(NULL, &n);
	assert_int_equal(n, 0);
}

static void any_range_reads_as_it_was_printed(void **state)
{
	char printed[NETWORK_TEXT_MAX];
	struct network made, again;
	struct err why;
	int i, j;

	(void)state;
	srandom(2);
	for (i = 0; i < 20000; i++) {
		made = network(i % 2 ? "2001:db8::" : "192.0.2.0");
		for (j = 12; j < 16; j++) {
			made.first.s6_addr[j] = random() % 3 ? random() : 0;
			made.last.s6_addr[j] = random() % 3 ? random() : 255;
		}
		if (memcmp(&made.first, &made.last, 16) > 0)
			continue;
		network_format(&made, printed);
		assert_int_equal(network_parse(printed, &again, &why), 0);
		assert_int_equal(network_compare(&made, &again), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_printed_in_its_shortest),
		cmocka_unit_test(an_ipv4_network_is_kept_in_mapped_form),
		cmocka_unit_test(
			what_is_no_network_is_refused_with_what_would_do),
		cmocka_unit_test(equal_networks_are_kept_once_and_in_order),
		cmocka_unit_test(neighbours_and_overlaps_become_one),
		cmocka_unit_test(any_range_reads_as_it_was_printed),
	};

	return RUN(tests);
}
