/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "ctl/command.h"
#include "ctl/json.h"

static void what_is_added_is_there(void **state)
{
	json_t *array = json_array(), *object = json_object();

	(void)state;
	json_add(&array, json_true());
	json_put(&object, "array", array);
	assert_int_equal(json_array_size(json_object_get(object, "array")), 1);
	json_decref(object);
}

static void a_document_that_lacks_a_part_is_not_printed(void **state)
{
	json_t *array = json_array(), *object = json_object();

	(void)state;
	json_add(&array, json_true());
	json_add(&array, NULL);
	assert_null(array);
	json_add(&array, json_true());
	assert_null(array);
	json_put(&object, "whole", json_true());
	json_put(&object, "array", array);
	assert_null(object);
	json_put(&object, "whole", json_true());
	assert_int_equal(json_print(object), EXIT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_there),
		cmocka_unit_test(a_document_that_lacks_a_part_is_not_printed),
	};

	return RUN(tests);
}
