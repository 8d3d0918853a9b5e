/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "rules/policy_text.h"
#include "tests/unit/compile_text.h"

static struct policy *read_text(const char *text)
{
	struct problems problems = { 0 };
	struct policy *policy = NULL;

	if (policy_read_text("text", text, strlen(text), &problems, &policy) <
	    0)
		problems_print(&problems, stderr);
	problems_clear(&problems);
	assert_non_null(policy);
	return policy;
}

struct image *compile_text(const char *text, const struct image *live)
{
	CLEANUP(policy_freep) struct policy *policy = read_text(text);
	struct problems problems = { 0 };
	struct image *image = NULL;

	if (compile(policy, live, &problems, &image) < 0)
		problems_print(&problems, stderr);
	assert_int_equal(problems.n_list, 0);
	problems_clear(&problems);
	return image;
}

char *compile_text_wrong(const char *text)
{
	CLEANUP(policy_freep) struct policy *policy = read_text(text);
	struct problems problems = { 0 };
	struct image *image = NULL;
	char *found;

	assert_int_equal(compile(policy, NULL, &problems, &image), -EINVAL);
	assert_null(image);
	assert_int_equal(problems.n_list, 1);
	found = strdup(problems.list[0].text);
	problems_clear(&problems);
	return found;
}
