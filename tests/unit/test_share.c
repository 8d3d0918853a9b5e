/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those who share a limit are sure of. */
#include "tests/unit/unit.h"

#include "base/array.h"
#include "rules/policy.h"
#include "rules/share.h"

#define MBIT 125000ULL

/* What all lanes have for sure: sparse ones, and what bulk has of the rest. */
static uint64_t promised(const struct share_sure *sure, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += sure[i].sparse + sure[i].all - sure[i].all / 4;
	return sum;
}

static void who_asks_for_nothing_has_a_part_for_what_is_sparse(void **state)
{
	const struct share_ask asks[] = { { 10, 1, 0 }, { 30, 1, 0 } };
	struct share_sure sure[2];

	(void)state;
	shares_divide(asks, sure, 2, 100 * MBIT);
	assert_int_equal(sure[0].all, 0);
	assert_int_equal(sure[0].sparse, 12500 * MBIT / 1000);
	assert_int_equal(sure[1].sparse, 37500 * MBIT / 1000);
}

static void who_asks_for_something_has_it(void **state)
{
	const struct share_ask asks[] = { { 10, 1, 40 * MBIT }, { 10, 2, 0 } };
	struct share_sure sure[2];

	(void)state;
	shares_divide(asks, sure, 2, 100 * MBIT);
	assert_int_equal(sure[0].all, 40 * MBIT);
	assert_int_equal(sure[0].sparse, 35 * MBIT);
	assert_int_equal(sure[1].all, 0);
	assert_int_equal(sure[1].sparse, 25 * MBIT);
}

static void there_is_never_more_than_the_limit(void **state)
{
	const uint64_t mins[] = { 0, 1, 7, 1000, 333333, 99999999, UINT64_MAX };
	const uint64_t limits[] = { 1, 2, 3, 1000, 12500000, UINT64_MAX / 2 };
	struct share_ask asks[3];
	struct share_sure sure[3];
	size_t i, j, k, l;

	(void)state;
	for (l = 0; l < ARRAY_SIZE(limits); l++)
		for (i = 0; i < ARRAY_SIZE(mins); i++)
			for (j = 0; j < ARRAY_SIZE(mins); j++)
				for (k = 1; k <= 100; k += 33) {
					asks[0] = (struct share_ask){ k, 0,
								      mins[i] };
					asks[1] = (struct share_ask){ 10, 1,
								      mins[j] };
					asks[2] =
						(struct share_ask){ 10, 2, 0 };
					shares_divide(asks, sure, 3, limits[l]);
					assert_true(promised(sure, 3) <=
						    limits[l]);
					if (mins[i] < limits[l] / 2 &&
					    mins[j] < limits[l] / 2)
						assert_int_equal(sure[0].all,
								 mins[i]);
				}
}

static void what_a_group_asks_for_has_defaults(void **state)
{
	const struct group_row row = { .weight = 3,
				       .priority = PRIORITY_LOW,
				       .out_min_bytes = 5 };
	struct share_ask ask = share_of(NULL);

	(void)state;
	assert_int_equal(ask.weight, SHARE_WEIGHT);
	assert_int_equal(ask.rank, 1);
	assert_int_equal(ask.min_bytes, 0);
	ask = share_of(&row);
	assert_int_equal(ask.weight, 3);
	assert_int_equal(ask.rank, 2);
	assert_int_equal(ask.min_bytes, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			who_asks_for_nothing_has_a_part_for_what_is_sparse),
		cmocka_unit_test(who_asks_for_something_has_it),
		cmocka_unit_test(there_is_never_more_than_the_limit),
		cmocka_unit_test(what_a_group_asks_for_has_defaults),
	};

	return RUN(tests);
}
