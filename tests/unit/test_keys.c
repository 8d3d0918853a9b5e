/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <string.h>

#include "rules/keys.h"

static void every_key_says_what_it_wants_and_can_be_found(void **state)
{
	int kind, n = 0;

	(void)state;
	for (kind = 0; kind < N_SECTIONS; kind++) {
		const struct key *key;

		assert_non_null(sections[kind].name);
		for (key = sections[kind].keys; key->name; key++, n++) {
			assert_non_null(key->wants);
			assert_non_null(key->parse);
			assert_ptr_equal(key_find(kind, key->name), key);
		}
		assert_null(key_find(kind, "nothing"));
	}
	assert_int_equal(n, 37);
}

static void rules_are_the_only_keys_with_numbers(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < N_SECTIONS; kind++)
		assert_int_equal(sections[kind].numbered,
				 kind == SECTION_CHAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_says_what_it_wants_and_can_be_found),
		cmocka_unit_test(rules_are_the_only_keys_with_numbers),
	};

	return RUN(tests);
}
