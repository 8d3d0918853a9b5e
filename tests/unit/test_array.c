/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Enough for memory of several huge pages. */
#define MANY 1000000

struct numbers {
	uint64_t *list;
	size_t n_list;
};

static void assert_counts(const struct numbers *numbers, size_t n)
{
	size_t i;

	assert_int_equal(numbers->n_list, n);
	for (i = 0; i < n; i++)
		if (numbers->list[i] != i)
			fail_msg("element %zu is %llu", i,
				 (unsigned long long)numbers->list[i]);
}

static void what_is_added_one_by_one_stays(void **state)
{
	struct numbers numbers = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		uint64_t *added = ARRAY_ADD(&numbers, list);

		assert_non_null(added);
		assert_int_equal(*added, 0);
		*added = i;
	}
	assert_counts(&numbers, MANY);
	free(numbers.list);
}

static void what_is_added_at_once_stays(void **state)
{
	static const size_t more[] = { 1, 0, 2, 5, 300000, 1, 262144, 437847 };
	struct numbers numbers = { 0 };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		size_t n = numbers.n_list;
		uint64_t *added = array_extend(&numbers.list, &numbers.n_list,
					       sizeof(*added), more[i]);

		assert_ptr_equal(added, numbers.list + n);
		for (j = 0; j < more[i]; j++) {
			assert_int_equal(added[j], 0);
			added[j] = n + j;
		}
	}
	assert_counts(&numbers, MANY);
	free(numbers.list);
}

static void a_list_that_was_emptied_is_filled_again(void **state)
{
	struct numbers numbers = { 0 };
	size_t i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		numbers.n_list = 0;
		for (i = 0; i < MANY / 2; i++)
			*(uint64_t *)ARRAY_ADD(&numbers, list) = i;
		assert_counts(&numbers, MANY / 2);
	}
	free(numbers.list);
}

/* Else each would be a copy of all. */
static void what_is_taken_back_leaves_the_room(void **state)
{
	struct numbers numbers = { 0 };
	size_t n = (size_t)1 << 19, i;
	uint64_t *list;

	(void)state;
	assert_non_null(array_extend(&numbers.list, &numbers.n_list,
				     sizeof(*list), n + 1));
	list = numbers.list;
	for (i = 0; i < 1000; i++) {
		numbers.n_list = n;
		assert_ptr_equal(ARRAY_ADD(&numbers, list), list + n);
	}
	free(numbers.list);
}

/* Where n is a power of two, too: it grows as one that was filled. */
static void what_is_made_may_grow(void **state)
{
	struct numbers numbers = { 0 };
	size_t n, i;

	(void)state;
	for (n = 1; n <= MANY; n *= 2) {
		numbers.list = array_make(n, sizeof(*numbers.list));
		assert_non_null(numbers.list);
		for (i = 0; i < n; i++)
			numbers.list[i] = i;
		numbers.n_list = n;
		*(uint64_t *)ARRAY_ADD(&numbers, list) = n;
		assert_counts(&numbers, n + 1);
		free(numbers.list);
	}
	assert_null(array_make(SIZE_MAX, sizeof(*numbers.list)));
}

static void more_than_memory_is_refused(void **state)
{
	struct numbers numbers = { 0 };
	uint64_t *before;

	(void)state;
	*(uint64_t *)ARRAY_ADD(&numbers, list) = 0;
	before = numbers.list;
	assert_null(array_extend(&numbers.list, &numbers.n_list,
				 sizeof(*numbers.list), SIZE_MAX));
	assert_null(array_extend(&numbers.list, &numbers.n_list,
				 sizeof(*numbers.list), SIZE_MAX / 4));
	assert_ptr_equal(numbers.list, before);
	assert_counts(&numbers, 1);
	free(numbers.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_one_by_one_stays),
		cmocka_unit_test(what_is_added_at_once_stays),
		cmocka_unit_test(a_list_that_was_emptied_is_filled_again),
		cmocka_unit_test(what_is_taken_back_leaves_the_room),
		cmocka_unit_test(what_is_made_may_grow),
		cmocka_unit_test(more_than_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
