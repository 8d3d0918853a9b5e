/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a policy in force that no file says. */
#include "tests/unit/unit.h"

#include <string.h>

#include "rules/adhoc.h"
#include "rules/describe.h"
#include "rules/image_copy.h"
#include "rules/image_diff.h"
#include "tests/unit/compile_text.h"

#define POLICY                                         \
	"[group web]\nmatch = /web\nout = 20mbit\n"    \
	"[group boxes]\nmatch = /box/* /extra\n"       \
	"out = 50mbit\nout-burst = 1mb\nin = 80mbit\n" \
	"filter-out = guard\n"                         \
	"[chain guard]\npolicy = allow\n"              \
	"10 = allow established\n20 = deny tcp to port 25\n"

static void expect_group(const struct image *image, const char *name,
			 const char *text)
{
	size_t index = adhoc_find(image, name);
	char found[DESCRIBE_MAX];

	if (index == image->n_groups)
		fail_msg("there is no group '%s'", name);
	describe_group(image, &image->groups[index], found);
	assert_string_equal(found, text);
}

static uint32_t group_at(const struct image *image, const char *path)
{
	size_t i;

	for (i = 0; i < image->n_paths; i++)
		if (strcmp(image->paths[i].key.path, path) == 0)
			return image->paths[i].value.group;
	return NONE;
}

static void limit(struct image *image, const char *target, uint64_t out_bps)
{
	struct adhoc_limit what = { target, true, false, out_bps, 0 };
	struct err err = { "" };

	if (adhoc_limit(image, &what, &err) < 0)
		fail_msg("%s", err.msg);
}

static void expect_refusal(struct image *image, const char *target,
			   const char *text)
{
	struct adhoc_limit what = { target, true, false, 1000000, 0 };
	struct err err = { "" };

	assert_true(adhoc_limit(image, &what, &err) < 0);
	assert_string_equal(err.msg, text);
}

static void a_changed_rate_takes_its_burst_along(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	uint32_t uid = image->groups[0].uid;

	(void)state;
	limit(image, "web", 5000000);
	expect_group(image, "web", "/web, out 5mbit (burst 25kb) by pace");
	assert_int_equal(image->groups[0].uid, uid);
	limit(image, "/web", 0);
	expect_group(image, "web", "/web");
	limit(image, "web", 20000000);
	expect_group(image, "web", "/web, out 20mbit (burst 100kb) by pace");
}

static void a_burst_that_the_policy_names_stays(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);

	(void)state;
	limit(image, "boxes", 10000000);
	expect_group(image, "boxes",
		     "/box/*, /extra, out 10mbit (burst 1mb) by pace, "
		     "in 80mbit (burst 100kb) by htb, filter-out guard");
}

static void what_changes_back_is_the_policy_again(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	CLEANUP(image_freep) struct image *same = compile_text(POLICY, NULL);

	(void)state;
	limit(image, "web", 1000);
	assert_false(image_same(image, same));
	limit(image, "web", 20000000);
	assert_true(image_same(image, same));
}

static void a_name_that_is_not_there_is_refused(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);

	(void)state;
	expect_refusal(image, "wbe",
		       "there is no group 'wbe' in force (try web)");
	expect_refusal(image, "nothing",
		       "there is no group 'nothing' in force (a cgroup begins "
		       "with /)");
	expect_refusal(image, "/box/*",
		       "'/box/*' is a pattern: name one cgroup, or a group");
	expect_refusal(image, "/a/../b",
		       "'/a/../b' has a '..' (write the path in full)");
}

static void a_shaper_that_is_not_for_it_is_refused(void **state)
{
	CLEANUP(image_freep)
	struct image *image =
		compile_text("[group g]\nmatch = /g\nin = 1mbit\nshaper = htb\n"
			     "[group p]\nmatch = /p\nout = 1mbit\nin = 1mbit\n"
			     "shaper = pace\n",
			     NULL);
	struct adhoc_limit none = { .target = "p", .has_out = true };
	struct err err;

	(void)state;
	expect_refusal(image, "g",
		       "group 'g': 'htb' cannot hold what a group sends "
		       "(try shaper = auto)");
	assert_int_equal(adhoc_limit(image, &none, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "group 'p': 'pace' cannot hold what a group "
			    "receives (try shaper = auto)");
}

static void a_cgroup_in_no_group_gets_one_and_loses_it(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	CLEANUP(image_freep) struct image *same = compile_text(POLICY, NULL);

	(void)state;
	assert_false(adhoc_is_matched(image, "/lone"));
	limit(image, "/lone", 0);
	assert_true(image_same(image, same));
	limit(image, "/lone", 3000000);
	expect_group(image, "/lone", "/lone, out 3mbit (burst 15kb) by pace");
	assert_int_equal(group_at(image, "/lone"), 2);
	assert_true(image->groups[2].flags & GROUP_LIMITED);
	assert_true(adhoc_is_matched(image, "/lone"));
	limit(image, "/lone", 0);
	assert_true(image_same(image, same));
	assert_int_equal(image->n_strings, same->n_strings);
}

static void a_cgroup_of_a_group_takes_its_rules_along(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	const struct group_row *group;

	(void)state;
	limit(image, "/box/1", 3000000);
	expect_group(image, "/box/1",
		     "/box/1, out 3mbit (burst 1mb) by pace, "
		     "in 80mbit (burst 100kb) by htb, filter-out guard");
	group = &image->groups[2];
	assert_int_equal(group->flags, GROUP_LIMITED | KEEP_STATES);
	assert_int_not_equal(group->uid, image->groups[1].uid);
	limit(image, "/extra", 2000000);
	assert_int_equal(group_at(image, "/extra"), 3);
	/* Without its group the pattern's limit would hold again. */
	limit(image, "/box/1", 0);
	assert_int_equal(image->n_groups, 4);
}

/* Or a limit for one of them would give it a quota once more. */
static void a_cgroup_of_a_group_keeps_its_account(void **state)
{
	CLEANUP(image_freep)
	struct image *image =
		compile_text("[group each]\nmatch = /e/*\nout = 20mbit\n"
			     "quota = 1gb/day\nafter = 10mbit\n"
			     "[group all]\nmatch = /a/*\nshare = all\n"
			     "quota = 1gb/week\nafter = deny\n",
			     NULL);
	const struct quota_row *quota;
	size_t index;
	struct err err;

	(void)state;
	limit(image, "/e/1", 4000000);
	quota = &image->groups[2].quota;
	assert_int_not_equal(image->groups[2].uid, image->groups[0].uid);
	assert_int_equal(quota->uid, image->groups[0].uid);
	assert_int_equal(quota->after_out.rate_bytes, 500000);
	assert_int_equal(quota->after_in.rate_bytes, 1250000);
	limit(image, "/a/1", 4000000);
	assert_int_equal(image->groups[3].quota.uid, image->groups[1].uid);
	assert_int_equal(image->groups[3].quota.all, 1);
	limit(image, "each", 0);
	assert_int_equal(image->groups[0].quota.after_out.rate_bytes, 1250000);

	assert_int_equal(adhoc_find_target(image, "/e/2", &index, &err), 0);
	assert_int_equal(index, 0);
	assert_int_equal(adhoc_find_target(image, "/e/1", &index, &err), 0);
	assert_int_equal(index, 2);
	assert_int_equal(adhoc_find_target(image, "/b", &index, &err), -ENOENT);
	assert_string_equal(err.msg, "no group in force matches cgroup '/b'");
}

static void add_run(struct image *image, const char *name, const char *path,
		    const char *chain)
{
	struct adhoc_run run = { name, path, 1000000, 0, chain };
	struct err err = { "" };

	if (adhoc_add_run(image, &run, &err) < 0)
		fail_msg("%s", err.msg);
}

static void a_run_is_kept_by_a_policy_that_has_its_chain(void **state)
{
	CLEANUP(image_freep) struct image *live = compile_text(POLICY, NULL);
	CLEANUP(image_freep) struct image *image = NULL, *other = NULL;
	struct err err;

	(void)state;
	add_run(live, "run:7", "/u/weir-run-7", "guard");
	assert_int_equal(live->groups[2].flags, GROUP_RUN | KEEP_STATES);
	image = compile_text("[chain a]\npolicy = deny\n" POLICY, live);
	assert_int_equal(adhoc_keep_run(image, live, 2, &err), 0);
	expect_group(image, "run:7",
		     "/u/weir-run-7, out 1mbit (burst 7.57kb) by pace, "
		     "filter-out guard");
	assert_int_equal(image->groups[2].chain_out, 1);
	assert_int_equal(image->groups[2].uid, live->groups[2].uid);

	other = compile_text("[group web]\nmatch = /web\n", live);
	assert_int_equal(adhoc_keep_run(other, live, 2, &err), -ENOENT);
	assert_string_equal(err.msg,
			    "chain 'guard' is not in the policy, and the "
			    "command of group 'run:7' is filtered by it: keep "
			    "the chain, or end the command");
}

static void a_run_wants_a_chain_in_force(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	struct adhoc_run run = { "run:7", "/u/weir-run-7", 0, 0, "gaurd" };
	struct err err;

	(void)state;
	assert_int_equal(adhoc_add_run(image, &run, &err), -ENOENT);
	assert_string_equal(err.msg,
			    "there is no chain 'gaurd' in force (try guard)");
}

/* Runs come and go in any order, and leave nothing in the tables. */
static void runs_that_end_leave_the_policy_as_it_was(void **state)
{
	CLEANUP(image_freep) struct image *image = compile_text(POLICY, NULL);
	CLEANUP(image_freep) struct image *same = compile_text(POLICY, NULL);
	CLEANUP(image_freep) struct image *copy = NULL;

	(void)state;
	add_run(image, "run:1", "/u/weir-run-1", NULL);
	add_run(image, "run:2", "/u/weir-run-2", "guard");
	assert_int_equal(image_copy(image, &copy), 0);
	add_run(copy, "run:3", "/u/weir-run-3", NULL);
	assert_int_equal(adhoc_remove(copy, adhoc_find(copy, "run:1")), 0);
	expect_group(copy, "run:3",
		     "/u/weir-run-3, out 1mbit (burst 7.57kb) by pace");
	assert_int_equal(group_at(copy, "/u/weir-run-3"),
			 adhoc_find(copy, "run:3"));
	assert_int_equal(group_at(copy, "/u/weir-run-1"), NONE);
	assert_int_equal(adhoc_remove(copy, adhoc_find(copy, "run:3")), 0);
	assert_int_equal(adhoc_remove(copy, adhoc_find(copy, "run:2")), 0);
	assert_true(image_same(copy, same));
	assert_int_equal(copy->n_strings, same->n_strings);
}

static void nothing_is_left_when_the_last_run_ends(void **state)
{
	CLEANUP(image_freep) struct image *image = image_new();

	(void)state;
	assert_true(adhoc_is_nothing(image));
	add_run(image, "run:1", "/weir-run-1", NULL);
	assert_false(adhoc_is_nothing(image));
	assert_int_equal(adhoc_remove(image, 0), 0);
	assert_true(adhoc_is_nothing(image));
	assert_int_equal(image->n_strings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_rate_takes_its_burst_along),
		cmocka_unit_test(a_burst_that_the_policy_names_stays),
		cmocka_unit_test(what_changes_back_is_the_policy_again),
		cmocka_unit_test(a_name_that_is_not_there_is_refused),
		cmocka_unit_test(a_shaper_that_is_not_for_it_is_refused),
		cmocka_unit_test(a_cgroup_in_no_group_gets_one_and_loses_it),
		cmocka_unit_test(a_cgroup_of_a_group_takes_its_rules_along),
		cmocka_unit_test(a_cgroup_of_a_group_keeps_its_account),
		cmocka_unit_test(a_run_is_kept_by_a_policy_that_has_its_chain),
		cmocka_unit_test(a_run_wants_a_chain_in_force),
		cmocka_unit_test(runs_that_end_leave_the_policy_as_it_was),
		cmocka_unit_test(nothing_is_left_when_the_last_run_ends),
	};

	return RUN(tests);
}
