/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The law of departure times, by BPF_PROG_TEST_RUN in simulated time: against a
 * plain reference, and what it promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tests/bpf/edt_test.h"
#include "tests/bpf/edt_test.skel.h"

#define SEC    1000000000ULL
#define MS     1000000ULL
#define START  (1000 * SEC)
#define PACKET 1514
#define MBIT   125000ULL /* bytes per second */

static struct edt_test_bpf *programs;
static struct edt_world *world;

static int set_up(void **state)
{
	(void)state;
	programs = edt_test_bpf__open_and_load();
	assert_non_null(programs);
	world = &programs->bss->world;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	edt_test_bpf__destroy(programs);
	return 0;
}

static void begin(uint64_t rate_bytes, uint64_t burst_bytes)
{
	memset(world, 0, sizeof(*world));
	world->limit.rate_bytes = rate_bytes;
	world->limit.burst_bytes = burst_bytes;
}

static uint64_t send(uint64_t now, uint32_t lane, uint32_t bytes)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = world,
		    .data_size_in = 64, .repeat = 1);
	int fd = bpf_program__fd(programs->progs.edt_packet);

	world->now = now;
	world->lane = lane;
	world->bytes = bytes;
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	return world->at;
}

/* How long a packet may wait, in ns. */
static uint64_t queue_of(uint64_t rate_bytes)
{
	uint64_t fifth = rate_bytes / 5, ns;

	/* So many bytes, or a fifth of a second of them. */
	if (fifth < 32768)
		fifth = 32768;
	ns = (fifth < 262144 ? fifth : 262144) * SEC / rate_bytes;

	if (ns < 50 * MS)
		return 50 * MS;
	return ns < 60 * SEC ? ns : 60 * SEC;
}

/* ---------------------------------------------------- a plain reference */

/* Time in fractions of a nanosecond, 1/rate each: nothing is rounded. */
struct reference {
	uint64_t rate;
	__int128 common;
	uint64_t lanes[LANES_END]; /* ns */
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t reference_send(struct reference *ref, uint64_t rate,
			       uint64_t burst, uint64_t now, uint32_t lane,
			       uint32_t bytes)
{
	uint64_t queue = queue_of(rate), credit = burst * SEC / rate;
	uint64_t common, own, leaves, cost, parts = 1;
	uint32_t i;

	if (ref->rate != rate) {
		common = ref->rate ? ref->common / ref->rate : 0;
		if (common > now + queue)
			common = now + queue;
		ref->common = (__int128)common * rate;
		for (i = 0; i < LANES_END; i++)
			if (ref->lanes[i] > now + queue)
				ref->lanes[i] = now + queue;
		ref->rate = rate;
	}
	if (ref->common / rate < now - credit)
		ref->common = (__int128)(now - credit) * rate +
			      (uint64_t)(ref->common % rate);
	common = ref->common / rate;
	own = later(ref->lanes[lane], now);
	leaves = own < common ? own : common;
	if (leaves > now + queue)
		return EDT_DROP;
	if (lane != LANE_SPARSE && common > now + 2 * queue)
		return EDT_DROP;
	ref->common += (__int128)bytes * SEC;
	cost = (uint64_t)(ref->common / rate) - common;
	if (own > now + queue)
		return later(leaves, now);
	for (i = LANE_BULK; i < LANES_END; i++) {
		bool is_busy = i != lane && ref->lanes[i] > now;

		if (lane != LANE_SPARSE)
			parts += is_busy;
		else if (is_busy)
			ref->lanes[i] += cost;
	}
	ref->lanes[lane] = own + cost * (lane == LANE_SPARSE ? 2 : parts);
	return later(leaves, now);
}

static void packets_leave_when_a_plain_reference_says(void **state)
{
	static const uint64_t rates[] = { 125,	       1000,	   10 * MBIT,
					  10 * MBIT,   100 * MBIT, 1000 * MBIT,
					  99999 * MBIT };
	struct reference ref = { 0 };
	uint64_t rate = 10 * MBIT, burst = 16384, now = START;
	int i;

	(void)state;
	srandom(1);
	begin(rate, burst);
	for (i = 0; i < 200000; i++) {
		uint32_t lane = 1 + random() % (LANES_END - 1);
		uint32_t bytes = random() % 8 ? 60 + random() % 1455
					      : 60 + random() % 70000;
		uint64_t at;

		if (random() % 2)
			lane = 1 + random() % 3;
		if (random() % 2000 == 0) {
			rate = rates[random() % ARRAY_SIZE(rates)];
			burst = 1 + random() % (2 * rate);
		}
		now += random() % (3 * PACKET * SEC / rate / 2);
		if (random() % 1000 == 0)
			now += random() % (3 * queue_of(rate));
		world->limit.rate_bytes = rate;
		world->limit.burst_bytes = burst;
		at = send(now, lane, bytes);
		if (at != reference_send(&ref, rate, burst, now, lane, bytes))
			fail_msg("packet %d, lane %u, %u bytes at %llu, "
				 "rate %llu",
				 i, lane, bytes, (unsigned long long)now,
				 (unsigned long long)rate);
	}
}

/* ------------------------------------------------------ what it promises */

static void who_sends_twice_the_rate_gets_the_rate(void **state)
{
	static const uint64_t rates[] = { MBIT, 10 * MBIT, 100 * MBIT,
					  1000 * MBIT, 10000 * MBIT };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t rate = rates[i], queue = queue_of(rate);
		uint64_t step = PACKET * SEC / rate / 2, now = START;
		uint64_t end = START + 200000 * step, last = 0, bytes = 0, at;

		begin(rate, 16384);
		for (; now < end; now += step) {
			at = send(now, LANE_BULK, PACKET);
			if (at == EDT_DROP)
				continue;
			/* In order, and never later than a queue is long. */
			assert_true(at >= last && at <= now + queue);
			last = at;
			bytes += at < end ? PACKET : 0;
		}
		assert_in_range(bytes, (end - START) / 1000 * rate / 1000000,
				(end - START) / 1000 * rate / 1000000 + 16384 +
					2 * PACKET);
	}
}

static void the_sparse_leave_at_once_beside_a_flood(void **state)
{
	uint64_t rate = 100 * MBIT, now, step = PACKET * SEC / rate / 2;
	uint64_t bytes = 0, begun = START + SEC;
	int i;

	(void)state;
	begin(rate, 16384);
	for (now = START, i = 0; now < START + 11 * SEC; now += step, i++) {
		if (i % 50 == 0) {
			assert_int_equal(send(now, LANE_SPARSE, 100), now);
			bytes += now >= begun ? 100 : 0;
		}
		if (send(now, LANE_BULK, PACKET) != EDT_DROP && now >= begun)
			bytes += PACKET;
	}
	/* And are charged for. */
	assert_in_range(bytes, 10 * rate - rate / 1000,
			10 * rate + rate / 1000);
}

/* Bytes of each lane in n seconds, where all send as much as they can. */
static void flood(uint64_t rate, const uint32_t *lanes, size_t n_lanes,
		  uint64_t from, uint64_t until, uint64_t *ret_bytes)
{
	uint64_t step = PACKET * SEC / rate / 3, now;
	size_t i;

	memset(ret_bytes, 0, n_lanes * sizeof(*ret_bytes));
	for (now = from; now < until; now += step)
		for (i = 0; i < n_lanes; i++)
			if (send(now, lanes[i], PACKET) != EDT_DROP)
				ret_bytes[i] += PACKET;
}

static void lanes_share_evenly_and_the_sparse_have_half(void **state)
{
	static const uint32_t bulk[] = { LANE_BULK, LANE_BULK + 1,
					 LANE_BULK + 2 };
	static const uint32_t all[] = { LANE_BULK, LANE_BULK + 1, LANE_SPARSE };
	uint64_t rate = 100 * MBIT, now = START, bytes[3], sum;

	(void)state;
	begin(rate, 16384);
	/* One has it all; two begin: within a second all have a third. */
	flood(rate, bulk, 1, now, now + SEC, bytes);
	flood(rate, bulk, 3, now + SEC, now + 2 * SEC, bytes);
	flood(rate, bulk, 3, now + 2 * SEC, now + 4 * SEC, bytes);
	sum = bytes[0] + bytes[1] + bytes[2];
	assert_in_range(sum, 2 * rate - rate / 100, 2 * rate + rate / 100);
	assert_in_range(bytes[0] * 1000 / sum, 323, 343);
	assert_in_range(bytes[1] * 1000 / sum, 323, 343);
	/* Any number of flows that look sparse leave the others half. */
	now += 4 * SEC;
	flood(rate, all, 3, now, now + SEC, bytes);
	flood(rate, all, 3, now + SEC, now + 3 * SEC, bytes);
	sum = bytes[0] + bytes[1] + bytes[2];
	assert_in_range(sum, 2 * rate - rate / 100, 2 * rate + rate / 100);
	assert_in_range(bytes[2] * 1000 / sum, 490, 510);
	assert_in_range(bytes[0] * 1000 / sum, 240, 260);
	/* And when these stop, what was theirs is the others'. */
	now += 3 * SEC;
	flood(rate, bulk, 2, now, now + SEC, bytes);
	flood(rate, bulk, 2, now + SEC, now + 3 * SEC, bytes);
	sum = bytes[0] + bytes[1];
	assert_in_range(sum, 2 * rate - rate / 100, 2 * rate + rate / 100);
}

/* What leaves in a millisecond, added up. */
#define TICKS 8192
static uint64_t ticks[TICKS];

static void in_no_time_more_than_burst_and_three_queues_leave(void **state)
{
	uint64_t rate = 50 * MBIT, now = START, at, most;
	uint64_t burst = 40000, queue = queue_of(rate);
	unsigned int lanes = 1, i, j;

	(void)state;
	memset(ticks, 0, sizeof(ticks));
	srandom(2);
	begin(rate, burst);
	/* Floods of lanes that come and go, with pauses. */
	while (now < START + 6 * SEC) {
		uint32_t lane = 1 + random() % lanes;

		if (random() % 3000 == 0)
			lanes = 1 + random() % (LANES_END - 1);
		if (random() % 20000 == 0)
			now += random() % (2 * queue);
		now += random() % (PACKET * SEC / rate / 2);
		at = send(now, lane, PACKET);
		if (at != EDT_DROP)
			ticks[(at - START) / MS] += PACKET;
	}
	most = burst + 3 * queue / MS * (rate / 1000) + PACKET;
	for (i = 0; i < TICKS; i++) {
		uint64_t sum = 0;

		for (j = i; j < TICKS; j++) {
			sum += ticks[j];
			assert_true(sum <= (j - i + 1) * (rate / 1000) + most);
		}
	}
}

static void an_idle_limit_has_its_burst_and_no_more(void **state)
{
	uint64_t rate = 10 * MBIT, now = START;
	int i, pass;

	(void)state;
	begin(rate, 10 * PACKET);
	for (pass = 0; pass < 2; pass++, now += 100 * SEC) {
		for (i = 0; i <= 10; i++)
			assert_int_equal(send(now, LANE_BULK, PACKET), now);
		assert_in_range(send(now, LANE_BULK, PACKET), now + 1,
				now + PACKET * SEC / rate);
	}
}

static void a_raised_rate_does_not_wait_for_the_old_queue(void **state)
{
	uint64_t now = START, at = 0, last;

	(void)state;
	begin(MBIT, 1);
	for (last = START; at != EDT_DROP; last = at == EDT_DROP ? last : at)
		at = send(now, LANE_BULK, PACKET);
	assert_in_range(last, now + 200 * MS, now + 300 * MS);
	world->limit.rate_bytes = 1000 * MBIT;
	assert_in_range(send(now, LANE_BULK, PACKET), now, now + 50 * MS);
	assert_in_range(send(now + 51 * MS, LANE_BULK, PACKET), now + 51 * MS,
			now + 52 * MS);
}

static void no_rate_and_no_burst_is_too_large_or_small(void **state)
{
	static const uint64_t rates[] = { 1, 125, 1000000 * MBIT };
	static const uint64_t bursts[] = { 1, 1000000000000, UINT64_MAX };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++)
		for (j = 0; j < ARRAY_SIZE(bursts); j++) {
			begin(rates[i], bursts[j]);
			/* Also soon after the machine has started. */
			assert_int_equal(send(1, LANE_BULK, PACKET), 1);
			assert_int_equal(send(2, LANE_SPARSE, PACKET), 2);
		}
	begin(1, 1);
	send(START, LANE_BULK, 65536);
	assert_true(send(START, LANE_BULK, PACKET) == EDT_DROP);
	begin(MBIT, 1);
	assert_true(send(START, LANES_END, PACKET) == EDT_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_leave_when_a_plain_reference_says),
		cmocka_unit_test(who_sends_twice_the_rate_gets_the_rate),
		cmocka_unit_test(the_sparse_leave_at_once_beside_a_flood),
		cmocka_unit_test(lanes_share_evenly_and_the_sparse_have_half),
		cmocka_unit_test(
			in_no_time_more_than_burst_and_three_queues_leave),
		cmocka_unit_test(an_idle_limit_has_its_burst_and_no_more),
		cmocka_unit_test(a_raised_rate_does_not_wait_for_the_old_queue),
		cmocka_unit_test(no_rate_and_no_burst_is_too_large_or_small),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
