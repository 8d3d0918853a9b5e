/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>

#include "base/array.h"
#include "rules/port.h"

static void ports_and_ranges_are_read_and_printed(void **state)
{
	struct port_range range;
	char text[PORT_TEXT_MAX];
	struct err why;

	(void)state;
	assert_int_equal(port_parse("80", &range, &why), 0);
	assert_int_equal(range.first, 80);
	assert_int_equal(range.last, 80);
	port_format(&range, text);
	assert_string_equal(text, "80");
	assert_int_equal(port_parse("0-65535", &range, &why), 0);
	port_format(&range, text);
	assert_string_equal(text, "0-65535");
	assert_int_equal(port_parse("7-7", &range, &why), 0);
	port_format(&range, text);
	assert_string_equal(text, "7");
}

static void what_is_no_port_is_refused(void **state)
{
	static const char *const bad[] = { "",	      "-",     "80-",
					   "-80",     "65536", "80 ",
					   "+80",     "0x50",  "80-90-100",
					   "1-65536", "@x" };
	struct port_range range = { 7, 7 };
	struct err why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(port_parse(bad[i], &range, &why), -EINVAL);
	assert_int_equal(range.first, 7);
	assert_int_equal(port_parse("443-80", &range, &why), -EINVAL);
	assert_string_equal(why.msg, "'443-80' runs backwards (try 80-443)");
	assert_int_equal(port_parse("https", &range, &why), -EINVAL);
	assert_string_equal(why.msg, "'https' is not a port (try 443)");
}

static void lists_of_ports_are_merged(void **state)
{
	struct port_range list[] = { { 443, 443 }, { 80, 80 },	     { 81, 90 },
				     { 85, 100 },  { 65535, 65535 }, { 80, 80 },
				     { 0, 0 } };
	size_t n = ARRAY_SIZE(list);

	(void)state;
	ports_merge(list, &n);
	assert_int_equal(n, 4);
	assert_int_equal(list[0].last, 0);
	assert_int_equal(list[1].first, 80);
	assert_int_equal(list[1].last, 100);
	assert_int_equal(list[2].first, 443);
	assert_int_equal(list[3].first, 65535);
}

static void sorting_keeps_what_overlaps(void **state)
{
	struct port_range list[] = {
		{ 443, 443 }, { 80, 90 }, { 85, 85 }, { 443, 443 }
	};
	size_t n = ARRAY_SIZE(list);

	(void)state;
	ports_sort(list, &n);
	assert_int_equal(n, 3);
	assert_int_equal(list[1].first, 85);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_ranges_are_read_and_printed),
		cmocka_unit_test(what_is_no_port_is_refused),
		cmocka_unit_test(lists_of_ports_are_merged),
		cmocka_unit_test(sorting_keeps_what_overlaps),
	};

	return RUN(tests);
}
