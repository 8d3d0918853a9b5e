/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bound on what arrives, by BPF_PROG_TEST_RUN: rate and burst. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "tests/bpf/pace_world.h"

#define SEC    1000000000ULL
#define START  (1000 * SEC)
#define PACKET 1514
#define KBIT   125ULL /* bytes per second */
#define GBIT   125000000ULL

/* How many of n packets that arrive at once may pass. */
static uint32_t receive(uint64_t now, uint32_t n)
{
	struct pace_step step = { .now = now,
				  .wire = PACKET,
				  .sock = PACE_NO_TCP };
	uint32_t passed = 0;

	while (n--)
		passed += world_receive(&step);
	return passed;
}

static void the_burst_passes_at_once_and_then_the_rate(void **state)
{
	(void)state;
	world_begin("a burst of ten packets");
	world_limit(0, 1000 * PACKET, 10 * PACKET);
	assert_int_equal(receive(START, 100), 11);
	assert_int_equal(receive(START + SEC / 100, 100), 10);
	/* However long nothing came. */
	assert_int_equal(receive(START + 100 * SEC, 100), 11);
}

static void no_burst_is_too_large_to_be_one(void **state)
{
	static const uint64_t rates[] = { KBIT, GBIT, 100000 * GBIT };
	/* The most that a file may say, and where its nanoseconds wrap. */
	static const uint64_t bursts[] = { 1000000000000, 18446744074,
					   36893488148 };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++)
		for (j = 0; j < ARRAY_SIZE(bursts); j++) {
			world_begin("a burst of gigabytes");
			world_limit(0, rates[i], bursts[j]);
			assert_int_equal(receive(START, 500), 500);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_burst_passes_at_once_and_then_the_rate),
		cmocka_unit_test(no_burst_is_too_large_to_be_one),
	};

	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
