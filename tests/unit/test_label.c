/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "rules/label.h"

static void names_are_lower_case_and_short(void **state)
{
	char text[LABEL_MAX + 2];
	struct err why;

	(void)state;
	assert_int_equal(label_check("a", &why), 0);
	assert_int_equal(label_check("0", &why), 0);
	assert_int_equal(label_check("web-in_2.x", &why), 0);
	assert_int_equal(label_check("", &why), -EINVAL);
	assert_int_equal(label_check(".web", &why), -EINVAL);
	assert_int_equal(label_check("a b", &why), -EINVAL);
	assert_int_equal(label_check("Web", &why), -EINVAL);
	assert_non_null(strstr(why.msg, "(try web)"));
	memset(text, 'a', sizeof(text));
	text[LABEL_MAX + 1] = '\0';
	assert_int_equal(label_check(text, &why), -EINVAL);
	text[LABEL_MAX] = '\0';
	assert_int_equal(label_check(text, &why), 0);
}

static void interfaces_are_named_as_the_kernel_allows(void **state)
{
	struct err why;

	(void)state;
	assert_int_equal(interface_check("eth0", &why), 0);
	assert_int_equal(interface_check("enP3s0f0np0", &why), 0);
	assert_int_equal(interface_check("br-5f0a.100", &why), 0);
	assert_int_equal(interface_check("fifteen-letters", &why), 0);
	assert_int_equal(interface_check("sixteen-letters-", &why), -EINVAL);
	assert_int_equal(interface_check("", &why), -EINVAL);
	assert_int_equal(interface_check(".", &why), -EINVAL);
	assert_int_equal(interface_check("..", &why), -EINVAL);
	assert_int_equal(interface_check("a/b", &why), -EINVAL);
	assert_int_equal(interface_check("eth0:1", &why), -EINVAL);
	assert_int_equal(interface_check("eth*", &why), -EINVAL);
}

static void namespaces_are_names_not_paths(void **state)
{
	struct err why;

	(void)state;
	assert_int_equal(netns_check("blue", &why), 0);
	assert_int_equal(netns_check("cni-0a1b", &why), 0);
	assert_int_equal(netns_check("/run/netns/blue", &why), -EINVAL);
	assert_int_equal(netns_check("a/b", &why), -EINVAL);
	assert_int_equal(netns_check("..", &why), -EINVAL);
	assert_int_equal(netns_check("", &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_lower_case_and_short),
		cmocka_unit_test(interfaces_are_named_as_the_kernel_allows),
		cmocka_unit_test(namespaces_are_names_not_paths),
	};

	return RUN(tests);
}
