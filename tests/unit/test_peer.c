/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits by address: their rows, their state, and what changes beside them. */
#include "tests/unit/unit.h"

#include <string.h>

#include "rules/adhoc.h"
#include "rules/describe.h"
#include "rules/image_copy.h"
#include "rules/image_diff.h"
#include "tests/unit/compile_text.h"

#define SETS                                                     \
	"[set backup]\nelements = 198.51.100.0/24 2001:db8::1\n" \
	"[set empty]\n"
#define GROUP(limits) "[group web]\nmatch = /web/*\n" limits SETS

static const struct peer_row *out_to(const struct image *image, size_t group,
				     size_t index)
{
	const struct peer_row *row =
		image_peer(image, &image->groups[group].out_to, index);

	assert_non_null(row);
	return row;
}

static void each_entry_becomes_a_row_of_its_group(void **state)
{
	CLEANUP(image_freep)
	struct image *image = compile_text(
		"[group first]\nmatch = /first\nout = 1gbit\n"
		"out-to = @empty 8mbit\n" GROUP(
			"out = 20mbit\n"
			"out-to = @backup 5mbit, 10.0.0.0/8 none,"
			" 10.0.0.0/7 @backup2 192.0.2.1-192.0.2.3 800kbit\n"
			"in-from = fd00::/8 4mbit\n") "[set backup2]\n",
		NULL);
	const struct group_row *group = &image->groups[1];

	(void)state;
	assert_int_equal(image->n_peers, 5);
	assert_int_equal(group->out_to.first, 1);
	assert_int_equal(group->out_to.count, 3);
	assert_int_equal(out_to(image, 1, 0)->side.set, 0);
	assert_int_equal(out_to(image, 1, 0)->limit.rate_bytes, 625000);
	assert_int_equal(out_to(image, 1, 0)->limit.burst_bytes, 25000);
	assert_int_equal(out_to(image, 1, 0)->shape, SHAPE_PACE);
	assert_int_equal(out_to(image, 1, 1)->side.set, NONE);
	assert_int_equal(out_to(image, 1, 1)->side.addr[12], 10);
	assert_int_equal(out_to(image, 1, 1)->side.mask[12], 255);
	assert_int_equal(out_to(image, 1, 1)->side.mask[13], 0);
	assert_int_equal(out_to(image, 1, 1)->limit.rate_bytes, 0);
	assert_int_equal(out_to(image, 1, 1)->shape, SHAPE_NONE);
	/* A list is a set without a name. */
	assert_int_equal(out_to(image, 1, 2)->side.set, 3);
	assert_int_equal(image->sets[3].name, 0);
	assert_int_equal(group->in_from.first, 4);
	assert_int_equal(image->peers[4].shape, SHAPE_POLICE);
	assert_int_equal(image->peers[4].limit.burst_bytes, 16384);
	assert_null(image_peer(image, &group->in_from, 1));
}

static void only_what_has_the_groups_own_limit_waits(void **state)
{
	CLEANUP(image_freep)
	struct image *image = compile_text(
		GROUP("in = 8mbit\nin-from = @backup 1mbit, @empty none\n"),
		NULL);

	(void)state;
	assert_int_equal(image->groups[0].shape_in, SHAPE_HTB);
	assert_true(image_group_wants_queue(image, 0));
	assert_int_equal(image->peers[0].shape, SHAPE_POLICE);
	assert_int_equal(image->peers[1].shape, SHAPE_NONE);
}

static void the_state_goes_with_group_direction_and_addresses(void **state)
{
	CLEANUP(image_freep) struct image *first = NULL;
	CLEANUP(image_freep) struct image *second = NULL;
	size_t i, k;

	(void)state;
	first = compile_text(GROUP("out-to = @backup 5mbit, 10.0.0.0/8 1mbit\n"
				   "in-from = @backup 5mbit\n"),
			     NULL);
	second = compile_text(
		"[group other]\nmatch = /o\nout-to = @backup 5mbit\n" GROUP(
			"out = 1mbit\n"
			"out-to = 10.0.0.0/9 2mbit, @backup none\n"),
		first);
	assert_int_equal(out_to(second, 1, 1)->uid, out_to(first, 0, 0)->uid);
	assert_int_equal(second->groups[1].uid, first->groups[0].uid);
	for (i = 0; i < first->n_peers; i++) {
		assert_int_not_equal(first->peers[i].uid, 0);
		assert_int_not_equal(first->peers[i].uid, first->groups[0].uid);
		for (k = 0; k < i; k++)
			assert_int_not_equal(first->peers[i].uid,
					     first->peers[k].uid);
		assert_int_not_equal(first->peers[i].uid,
				     out_to(second, 0, 0)->uid);
		assert_int_not_equal(first->peers[i].uid,
				     out_to(second, 1, 0)->uid);
	}
}

static char *changes_between(const char *was, const char *is)
{
	CLEANUP(image_freep) struct image *old = compile_text(was, NULL);
	CLEANUP(image_freep) struct image *new = compile_text(is, old);
	CLEANUP(changes_clear) struct changes changes = { 0 };
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(image_diff(old, new, &changes), 0);
	for (i = 0; i < changes.n_list; i++)
		fprintf(out, "%s %s: %s\n", changes.list[i].object,
			changes.list[i].name, changes.list[i].detail);
	fclose(out);
	assert_int_equal(image_same(old, new), changes.n_list == 0);
	return text;
}

static void a_change_is_one_of_the_group(void **state)
{
	AUTO_FREE char *same = NULL, *rate = NULL, *order = NULL;

	(void)state;
	same = changes_between(
		GROUP("out-to = @backup 5mbit,10.0.0.0/8 none\n"),
		GROUP("out-to = @backup 5mbit 10.0.0.0/8 none\n"));
	assert_string_equal(same, "");
	rate = changes_between(GROUP("out-to = @backup 5mbit\n"),
			       GROUP("out-to = @backup none, @empty 8mbit\n"));
	assert_string_equal(rate, "group web: /web/*, out-to @backup none, "
				  "out-to @empty 8mbit (burst 40kb) by pace\n");
	order = changes_between(GROUP("out-to = @backup 5mbit, @empty none\n"),
				GROUP("out-to = @empty none, @backup 5mbit\n"));
	assert_string_equal(order,
			    "group web: /web/*, out-to @empty none, "
			    "out-to @backup 5mbit (burst 25kb) by pace\n");
}

static void a_cgroup_of_its_own_keeps_them(void **state)
{
	CLEANUP(image_freep)
	struct image *image = compile_text(
		GROUP("out = 1mbit\nout-to = @backup 5mbit\n"), NULL);
	CLEANUP(image_freep) struct image *copy = NULL;
	struct adhoc_limit less = { "/web/1", true, false, 500000, 0 };
	struct adhoc_run run = { "run:1", "/run", 1000000, 0, NULL };
	char text[DESCRIBE_MAX];
	struct err err;
	size_t i;

	(void)state;
	assert_int_equal(image_copy(image, &copy), 0);
	assert_true(image_same(image, copy));
	assert_int_equal(adhoc_limit(copy, &less, &err), 0);
	describe_group(copy, &copy->groups[1], text);
	assert_string_equal(text, "/web/1, out 500kbit (burst 7.57kb) by pace, "
				  "out-to @backup 5mbit (burst 25kb) by pace");
	assert_int_equal(adhoc_add_run(copy, &run, &err), 0);
	assert_int_equal(copy->groups[2].out_to.count, 0);
	for (i = 0; i < copy->n_groups; i++)
		assert_int_not_equal(copy->groups[i].uid, copy->peers[0].uid);
	assert_int_equal(adhoc_remove(copy, 2), 0);
	assert_int_equal(adhoc_remove(copy, 1), 0);
	assert_string_equal(image_string(copy, copy->peers[0].text), "@backup");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_becomes_a_row_of_its_group),
		cmocka_unit_test(only_what_has_the_groups_own_limit_waits),
		cmocka_unit_test(
			the_state_goes_with_group_direction_and_addresses),
		cmocka_unit_test(a_change_is_one_of_the_group),
		cmocka_unit_test(a_cgroup_of_its_own_keeps_them),
	};

	return RUN(tests);
}
