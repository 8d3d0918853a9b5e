/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements of sets: their order, and as text. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/element.h"
#include "rules/iface.h"

/* Reads and writes it again. */
static void assert_text(const char *text, unsigned int want_family,
			unsigned int want_kind, const char *want)
{
	char again[ELEMENT_TEXT_MAX];
	struct element element;
	unsigned int family;
	struct err why;
	unsigned int kind;

	assert_int_equal(element_parse(text, &element, &family, &kind, &why),
			 0);
	assert_int_equal(family, want_family);
	assert_int_equal(kind, want_kind);
	assert_int_equal(element.seconds, 0);
	element_format(&element, family, kind, again);
	assert_string_equal(again, want);
}

static void every_form_is_read_and_written(void **state)
{
	(void)state;
	assert_text("192.0.2.1", SET_IP4, SET_OF_NETWORKS, "192.0.2.1");
	assert_text("192.0.2.1/32", SET_IP4, SET_OF_NETWORKS, "192.0.2.1");
	assert_text("10.0.0.0/8", SET_IP4, SET_OF_NETWORKS, "10.0.0.0/8");
	assert_text("0.0.0.0/0", SET_IP4, SET_OF_NETWORKS, "0.0.0.0/0");
	assert_text("255.255.255.255", SET_IP4, SET_OF_NETWORKS,
		    "255.255.255.255");
	assert_text("192.0.2.4-192.0.2.7", SET_IP4, SET_OF_NETWORKS,
		    "192.0.2.4/30");
	assert_text("192.0.2.4-192.0.2.8", SET_IP4, SET_OF_NETWORKS,
		    "192.0.2.4-192.0.2.8");
	assert_text("2001:db8::1", SET_IP6, SET_OF_NETWORKS, "2001:db8::1");
	assert_text("2001:db8::/32", SET_IP6, SET_OF_NETWORKS, "2001:db8::/32");
	assert_text("::/0", SET_IP6, SET_OF_NETWORKS, "::/0");
	assert_text("80", SET_IP4, SET_OF_PORTS, "80");
	assert_text("80-90", SET_IP4, SET_OF_PORTS, "80-90");
	assert_text("192.0.2.1:443", SET_IP4, SET_OF_SERVICES, "192.0.2.1:443");
	assert_text("10.0.0.0/8:80-90", SET_IP4, SET_OF_SERVICES,
		    "10.0.0.0/8:80-90");
	assert_text("192.0.2.4-192.0.2.8:0-65535", SET_IP4, SET_OF_SERVICES,
		    "192.0.2.4-192.0.2.8:0-65535");
	assert_text("[2001:db8::1]:8443", SET_IP6, SET_OF_SERVICES,
		    "[2001:db8::1]:8443");
	assert_text("[2001:db8::/32]:53", SET_IP6, SET_OF_SERVICES,
		    "[2001:db8::/32]:53");
	assert_text("[2001:db8:1111:1111:1111:1111:1111:1111-"
		    "2001:db8:1111:1111:1111:1111:1111:1119]:65530-65535",
		    SET_IP6, SET_OF_SERVICES,
		    "[2001:db8:1111:1111:1111:1111:1111:1111-"
		    "2001:db8:1111:1111:1111:1111:1111:1119]:65530-65535");
}

static void what_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1.",
		"192.0.2.1/",
		"192.0.2.1/33",
		"192.0.2.1/24",
		"192.0.2.01",
		"192.0.2.1 ",
		"192.0.2.0x1",
		"99999",
		"@other",
		"::ffff:1.2.3.4",
		"eth0",
		"2001:db8::1/32",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:90-80",
		"192.0.2:80",
		"192.0.2.1/24:80",
		":80",
		"[192.0.2.1]:80",
		"[2001:db8::1]",
		"[2001:db8::1]80",
		"[2001:db8::1]:",
		"[2001:db8::1:80",
		"[]:80",
		"2001:db8::1]:80",
		"www.example.com:80",
	};
	struct element element;
	unsigned int family;
	struct err why;
	unsigned int kind;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		why.msg[0] = '\0';
		assert_int_equal(
			element_parse(wrong[i], &element, &family, &kind, &why),
			-EINVAL);
		assert_true(*why.msg);
	}
}

static void timeouts_have_units(void **state)
{
	uint32_t seconds;
	struct err why;

	(void)state;
	assert_int_equal(timeout_parse("90", &seconds, &why), 0);
	assert_int_equal(seconds, 90);
	assert_int_equal(timeout_parse("90s", &seconds, &why), 0);
	assert_int_equal(seconds, 90);
	assert_int_equal(timeout_parse("10m", &seconds, &why), 0);
	assert_int_equal(seconds, 600);
	assert_int_equal(timeout_parse("2d", &seconds, &why), 0);
	assert_int_equal(seconds, 2 * 86400);
	assert_int_equal(timeout_parse("3650d", &seconds, &why), 0);
	assert_int_equal(timeout_parse("3651d", &seconds, &why), -EINVAL);
	assert_int_equal(timeout_parse("0", &seconds, &why), -EINVAL);
	assert_int_equal(timeout_parse("10min", &seconds, &why), -EINVAL);
	assert_int_equal(timeout_parse("", &seconds, &why), -EINVAL);
	assert_int_equal(timeout_parse("-1", &seconds, &why), -EINVAL);
}

/* Few are compared, many go by their digits. */
static void assert_sorts(size_t n)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	uint64_t random = n;
	struct element_list *list = &elements.of[SET_IP6];
	size_t i;

	for (i = 0; i < n; i++) {
		struct element element = { 0 };

		random = random * 6364136223846793005ULL + 1;
		element.first = (span_end)(random >> 60) << 100 |
				(random >> 40 & 0xff);
		element.last = element.first + (random >> 35 & 3);
		element.seconds = random >> 33 & 3;
		assert_int_equal(elements_add(&elements, SET_IP6, &element), 0);
	}
	assert_int_equal(elements_sort(&elements), 0);
	assert_true(list->n_list <= 16 * 256 * 4);
	for (i = 1; i < list->n_list; i++) {
		const struct element *a = &list->list[i - 1], *b = a + 1;

		assert_true(a->first < b->first ||
			    (a->first == b->first && a->last < b->last));
	}
	/* With so many of each, one is there for ever. */
	for (i = 0; n > 100000 && i < list->n_list; i++)
		assert_int_equal(list->list[i].seconds, 0);
}

static void they_are_sorted_and_doubles_dropped(void **state)
{
	(void)state;
	assert_sorts(0);
	assert_sorts(1);
	assert_sorts(100);
	assert_sorts(5000);
	assert_sorts(1000000);
}

static void assert_iface(const char *text, const char *want)
{
	char again[ELEMENT_TEXT_MAX];
	struct element element;
	struct err why;

	assert_int_equal(iface_parse(text, &element, &why), 0);
	element_format(&element, IFACE_FAMILY, SET_OF_INTERFACES, again);
	assert_string_equal(again, want);
}

static void assert_no_iface(const char *text, const char *want)
{
	struct element element;
	struct err why;

	assert_int_equal(iface_parse(text, &element, &why), -EINVAL);
	assert_string_equal(why.msg, want);
}

static void interfaces_are_read_and_written(void **state)
{
	(void)state;
	assert_iface("eth0", "eth0");
	assert_iface("10", "10");
	assert_iface("fifteen-letters", "fifteen-letters");
	assert_iface("fifteen-letter*", "fifteen-letter*");
	assert_iface("fifteen-letters*", "fifteen-letters*");
	assert_iface("e*", "e*");
	assert_iface("..*", "..*");
	assert_iface("\xc3\xa4*", "\xc3\xa4*");
	assert_no_iface("*", "'*' is every interface (try eth* or wl*)");
	assert_no_iface("", "'' is not the name of an interface");
	assert_no_iface("..", "'..' is not the name of an interface");
	assert_no_iface("a b*", "'a b' is not the name of an interface");
	assert_no_iface("sixteen-letters-", "interface 'sixteen-letters-' is "
					    "16 bytes long, 15 at most");
	assert_no_iface("sixteen-letters-*", "interface 'sixteen-letters-*' is "
					     "17 bytes long, 15 at most");
	assert_no_iface("e*h", "'e*h' is not an interface ('*' stands at the "
			       "end of a name alone)");
	assert_no_iface("e**", "'e**' is not an interface ('*' stands at the "
			       "end of a name alone)");
}

static void names_that_begin_alike_are_a_range(void **state)
{
	struct element beginning;
	struct err why;

	(void)state;
	assert_int_equal(iface_parse("eth*", &beginning, &why), 0);
	assert_true(iface_number("eth") >= beginning.first);
	assert_true(iface_number("eth0") > beginning.first);
	assert_true(iface_number("eth\xff\xff") <= beginning.last);
	assert_true(iface_number("fifteen-letters") > beginning.last);
	assert_true(iface_number("etg\xff") < beginning.first);
	assert_true(iface_number("et") < beginning.first);
	assert_true(iface_number("eti") > beginning.last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read_and_written),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(interfaces_are_read_and_written),
		cmocka_unit_test(names_that_begin_alike_are_a_range),
		cmocka_unit_test(timeouts_have_units),
		cmocka_unit_test(they_are_sorted_and_doubles_dropped),
	};

	return RUN(tests);
}
