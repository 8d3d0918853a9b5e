/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a cgroup whose path cannot be put together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cgroup/cgroup_abi.h"
#include "tests/bpf/member_test.h"
#include "tests/bpf/member_test.skel.h"

static struct member_test_bpf *programs;

static int set_up(void **state)
{
	struct bpf_map *map;

	(void)state;
	programs = member_test_bpf__open();
	if (!programs)
		return -1;
	bpf_object__for_each_map(map, programs->obj) {
		bpf_map__set_pin_path(map, NULL);
	}
	return member_test_bpf__load(programs);
}

static int tear_down(void **state)
{
	(void)state;
	member_test_bpf__destroy(programs);
	return 0;
}

/* What the program says of a place. */
static uint32_t found_at(const struct place *place)
{
	char frame[64] = { 0 };
	uint64_t key = MEMBER_PLACE;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame));

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs->maps.places),
					     &key, place, BPF_ANY),
			 0);
	assert_int_equal(
		bpf_prog_test_run_opts(
			bpf_program__fd(programs->progs.member_paths), &opts),
		0);
	return opts.retval;
}

static void the_root_has_no_name_to_read(void **state)
{
	struct place place = { .depth = 0 };

	(void)state;
	assert_int_equal(found_at(&place), MEMBER_FOUND);
}

/* Nothing of the kernel's lies in the first page. */
static void a_name_that_cannot_be_read_is_a_fault(void **state)
{
	struct place place = { .depth = 2, .kernfs = { 8, 8, 8 } };

	(void)state;
	assert_int_equal(found_at(&place), MEMBER_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_has_no_name_to_read),
		cmocka_unit_test(a_name_that_cannot_be_read_is_a_fault),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
