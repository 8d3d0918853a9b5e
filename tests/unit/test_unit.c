/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "rules/unit.h"

struct value {
	const char *text;
	uint64_t value;
};

static void every_unit_of_a_rate_is_read_exactly(void **state)
{
	static const struct value rates[] = {
		{ "1kbit", 1000 },
		{ "1000bit", 1000 },
		{ "200mbit", 200000000 },
		{ "10gbit", 10000000000 },
		{ "1tbit", 1000000000000 },
		{ "1kibit", 1024 },
		{ "1mibit", 1 << 20 },
		{ "1gibit", 1 << 30 },
		{ "1.5mbit", 1500000 },
		{ "0.001gbit", 1000000 },
		{ "1.0000000000000000000mbit", 1000000 },
		{ "100tbit", RATE_MAX_BPS },
	};
	struct err why;
	uint64_t bps;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		assert_int_equal(rate_parse(rates[i].text, &bps, &why), 0);
		assert_int_equal(bps, rates[i].value);
	}
}

static void every_unit_of_a_size_is_read_exactly(void **state)
{
	static const struct value sizes[] = {
		{ "1b", 1 },	       { "256kb", 256000 }, { "1mb", 1000000 },
		{ "1gb", 1000000000 }, { "1kib", 1024 },    { "1.5kib", 1536 },
		{ "1mib", 1 << 20 },   { "1gib", 1 << 30 },
	};
	struct err why;
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(size_parse(sizes[i].text, &bytes, &why), 0);
		assert_int_equal(bytes, sizes[i].value);
	}
}

static void a_value_that_is_refused_is_not_written(void **state)
{
	uint64_t value = 77;
	struct err why;

	(void)state;
	assert_int_equal(rate_parse("10", &value, &why), -EINVAL);
	assert_int_equal(rate_parse("0mbit", &value, &why), -EINVAL);
	assert_int_equal(rate_parse("", &value, &why), -EINVAL);
	assert_int_equal(size_parse("1.5b", &value, &why), -EINVAL);
	assert_int_equal(value, 77);
}

static void mbps_is_refused_with_both_of_its_meanings(void **state)
{
	struct err why;
	uint64_t bps;

	(void)state;
	assert_int_equal(rate_parse("10mbps", &bps, &why), -EINVAL);
	assert_string_equal(why.msg,
			    "'10mbps' is not a rate: bps means bits to some "
			    "and bytes to others (try 10mbit or 80mbit)");
}

static void rates_are_printed_as_people_write_them(void **state)
{
	static const struct value rates[] = {
		{ "200mbit", 200000000 },
		{ "1gbit", 1000000000 },
		{ "1.5mbit", 1500000 },
		{ "1kbit", 1000 },
		{ "2.048mbit", 2048000 },
		{ "1mibit", 1 << 20 },
		{ "64kibit", 65536 },
		{ "123456.789kbit", 123456789 },
		{ "0bit", 0 },
		{ "999bit", 999 },
		{ "100tbit", RATE_MAX_BPS },
		{ "1.001kbit", 1001 },
	};
	char text[RATE_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		rate_format(rates[i].value, text);
		assert_string_equal(text, rates[i].text);
	}
}

static void sizes_are_printed_as_people_write_them(void **state)
{
	char text[SIZE_TEXT_MAX];

	(void)state;
	size_format(256000, text);
	assert_string_equal(text, "256kb");
	size_format(262144, text);
	assert_string_equal(text, "256kib");
	size_format(1, text);
	assert_string_equal(text, "1b");
	size_format(UINT64_MAX, text);
	assert_string_equal(text, "18446744073709551.615kb");
}

static void what_is_printed_reads_as_the_same_value(void **state)
{
	char text[RATE_TEXT_MAX];
	struct err why;
	uint64_t value, again;
	int i;

	(void)state;
	srandom(1);
	for (i = 0; i < 100000; i++) {
		value = (uint64_t)random() << (random() % 16);
		value += RATE_MIN_BPS;
		rate_format(value, text);
		assert_int_equal(rate_parse(text, &again, &why), 0);
		assert_int_equal(again, value);
		size_format(value % SIZE_MAX_BYTES + 1, text);
		assert_int_equal(size_parse(text, &again, &why), 0);
		assert_int_equal(again, value % SIZE_MAX_BYTES + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_unit_of_a_rate_is_read_exactly),
		cmocka_unit_test(every_unit_of_a_size_is_read_exactly),
		cmocka_unit_test(a_value_that_is_refused_is_not_written),
		cmocka_unit_test(mbps_is_refused_with_both_of_its_meanings),
		cmocka_unit_test(rates_are_printed_as_people_write_them),
		cmocka_unit_test(sizes_are_printed_as_people_write_them),
		cmocka_unit_test(what_is_printed_reads_as_the_same_value),
	};

	return RUN(tests);
}
