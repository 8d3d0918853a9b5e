/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What device_out does to a packet of a limit, by BPF_PROG_TEST_RUN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tc/device_abi.h"
#include "tests/bpf/device_world.h"
#include "tests/bpf/frame.h"

#define MS	 1000000ULL
#define RATE	 1000000ULL /* bytes per second: a byte takes a microsecond */
#define QUEUE	 (200 * MS)
#define PACKET	 20000 /* on the wire */
#define SMALL	 200
#define SEGMENTS 14
#define FITS	 10 /* so many of them take as long as a queue is */

static struct device_world world;

static int set_up(void **state)
{
	(void)state;
	device_world_open(&world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	device_world_close(&world);
	return 0;
}

/*
 * A device with this limit out, in force, of which nothing has been counted.
 * Its row is that of a packet without a classid, as a test cannot give it one.
 */
static void begin(uint8_t shape, uint64_t rate)
{
	struct device_row row = {
		.in_use = 1,
		.shape_out = shape,
		.out_class = DEVICE_CLASS(0, 0),
		.out = { rate, 1 },
		.chain_in = NONE,
		.chain_out = NONE,
		.group = NONE,
	};
	struct image *image = image_new();
	AUTO_FREE struct device_tally *zero =
		calloc(libbpf_num_possible_cpus(), sizeof(*zero));
	AUTO_FREE void *clock = NULL;
	uint32_t index = 0, i;
	uint64_t due = 0;

	assert_non_null(image);
	image->devices = malloc(sizeof(row));
	image->devices[0] = row;
	image->n_devices = 1;
	device_world_use(&world, image);
	assert_int_equal(
		bpf_map_update_elem(
			bpf_map__fd(world.programs->maps.device_tallies),
			&index, zero, BPF_ANY),
		0);
	clock = calloc(1,
		       bpf_map__value_size(world.programs->maps.edt_devices));
	assert_int_equal(bpf_map_update_elem(
				 bpf_map__fd(world.programs->maps.edt_devices),
				 &index, clock, BPF_ANY),
			 0);
	for (i = 0; i < bpf_map__max_entries(world.programs->maps.lane_flows);
	     i++)
		bpf_map_update_elem(
			bpf_map__fd(world.programs->maps.lane_flows), &i, &due,
			BPF_ANY);
}

static struct device_tally tally(void)
{
	int n = libbpf_num_possible_cpus(), i;
	AUTO_FREE struct device_tally *values = calloc(n, sizeof(*values));
	struct device_tally sum = { 0 };
	uint32_t index = 0;
	size_t j;

	bpf_map_lookup_elem(bpf_map__fd(world.programs->maps.device_tallies),
			    &index, values);
	for (i = 0; i < n; i++)
		for (j = 0; j < sizeof(sum) / sizeof(__u64); j++)
			((__u64 *)&sum)[j] += ((__u64 *)&values[i])[j];
	return sum;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* A packet of so many bytes on the wire; *ret_tos: as it leaves. */
static int leave(const char *text, uint32_t wire, uint8_t tos,
		 struct __sk_buff *packet, uint8_t *ret_tos)
{
	uint8_t bytes[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes,
		    .data_out = bytes, .data_size_out = sizeof(bytes),
		    .ctx_in = packet, .ctx_size_in = sizeof(*packet),
		    .ctx_out = packet, .ctx_size_out = sizeof(*packet),
		    .repeat = 1);
	int fd = bpf_program__fd(world.programs->progs.device_out);
	struct frame_spec spec;
	unsigned int ip;

	frame_parse(text, &spec);
	opts.data_size_in = frame_build(&spec, bytes, &ip);
	bytes[15] |= tos;
	packet->wire_len = wire;
	packet->gso_segs = wire > 1514 ? SEGMENTS : 1;
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	*ret_tos = bytes[15];
	return (int)opts.retval;
}

static int send_one(const char *text, uint32_t wire, struct __sk_buff *packet)
{
	uint8_t tos;

	return leave(text, wire, 0, packet, &tos);
}

#define FLOW "udp 10.0.0.1:1 > 10.0.0.2:2 len=100"

static void bulk_leaves_as_far_apart_as_it_takes(void **state)
{
	struct __sk_buff packet;
	uint64_t begun = now_ns(), first = 0;
	int i;

	(void)state;
	begin(SHAPE_EDT, RATE);
	for (i = 0; i < 5; i++) {
		packet = (struct __sk_buff){ 0 };
		assert_int_equal(send_one(FLOW, PACKET, &packet),
				 TC_ACT_UNSPEC);
		/* Nothing was owed yet. */
		if (i == 0) {
			assert_true(packet.tstamp == 0);
			continue;
		}
		if (i == 1) {
			first = packet.tstamp;
			assert_in_range(first, begun + 20 * MS,
					now_ns() + 20 * MS);
		}
		assert_true(packet.tstamp == first + (i - 1) * 20 * MS);
	}
	assert_int_equal(tally().side[SIDE_OUT].passed.bytes, 5 * PACKET);
	assert_int_equal(tally().side[SIDE_OUT].passed.packets, 5 * SEGMENTS);
	assert_int_equal(tally().side[SIDE_OUT].queued.packets, 0);
}

static void the_sparse_leave_at_once(void **state)
{
	struct __sk_buff packet;
	int i;

	(void)state;
	begin(SHAPE_EDT, RATE);
	for (i = 0; i < 4; i++) {
		packet = (struct __sk_buff){ 0 };
		send_one(FLOW, PACKET, &packet);
	}
	packet = (struct __sk_buff){ 0 };
	assert_int_equal(
		send_one("udp 10.0.0.1:3 > 10.0.0.2:4 len=100", SMALL, &packet),
		TC_ACT_UNSPEC);
	assert_true(packet.tstamp == 0);
	assert_int_equal(packet.priority,
			 DEVICE_LANE(DEVICE_CLASS(0, 0), LANE_SPARSE));
}

/* Twice as much as may wait; how many were dropped, how many were told. */
static void overfill(uint8_t tos, uint32_t *ret_dropped, uint32_t *ret_told)
{
	uint32_t i, dropped = 0, told = 0;
	struct __sk_buff packet;
	uint8_t left;

	begin(SHAPE_EDT, RATE);
	for (i = 0; i < 2 * FITS; i++) {
		packet = (struct __sk_buff){ 0 };
		if (leave(FLOW, PACKET, tos, &packet, &left) == TC_ACT_SHOT) {
			dropped++;
			continue;
		}
		assert_true(packet.tstamp <= now_ns() + QUEUE);
		told += left == 3;
	}
	*ret_dropped = dropped;
	*ret_told = told;
}

static void what_would_wait_too_long_is_dropped_and_counted(void **state)
{
	uint32_t dropped, told;

	(void)state;
	overfill(0, &dropped, &told);
	assert_in_range(dropped, FITS - 2, FITS);
	assert_int_equal(told, 0);
	assert_int_equal(tally().side[SIDE_OUT].dropped.packets,
			 dropped * SEGMENTS);
	assert_int_equal(tally().side[SIDE_OUT].dropped.bytes,
			 dropped * PACKET);
	assert_int_equal(tally().side[SIDE_OUT].passed.packets,
			 (2 * FITS - dropped) * SEGMENTS);
}

static void who_can_be_told_is_told_before(void **state)
{
	uint32_t dropped, told;

	(void)state;
	overfill(2, &dropped, &told); /* ECT(0) */
	assert_in_range(told, (2 * FITS - dropped) / 2 - 1,
			(2 * FITS - dropped) / 2 + 1);
}

static void a_time_of_its_own_holds_up_to_a_queue(void **state)
{
	struct __sk_buff packet;
	uint64_t asked;

	(void)state;
	begin(SHAPE_EDT, RATE);
	asked = now_ns() + 30 * MS;
	packet = (struct __sk_buff){ .tstamp = asked };
	send_one(FLOW, SMALL, &packet);
	assert_true(packet.tstamp == asked);
	packet = (struct __sk_buff){ .tstamp = now_ns() + 3600000 * MS };
	send_one(FLOW, SMALL, &packet);
	assert_in_range(packet.tstamp, asked, now_ns() + QUEUE);
	begin(SHAPE_EDT, RATE);
	packet = (struct __sk_buff){ .tstamp = 5 };
	send_one(FLOW, SMALL, &packet);
	assert_true(packet.tstamp == 5);
}

static void no_priority_lets_it_past(void **state)
{
	struct __sk_buff packet = { .priority = 7 };

	(void)state;
	begin(SHAPE_EDT, RATE);
	/* fq sends what has it (TC_PRIO_CONTROL) at once. */
	send_one(FLOW, SMALL, &packet);
	assert_int_not_equal(packet.priority & 15, 7);
}

static void a_class_gives_no_times(void **state)
{
	struct __sk_buff packet;
	int i;

	(void)state;
	begin(SHAPE_HTB, RATE);
	for (i = 0; i < 20; i++) {
		packet = (struct __sk_buff){ 0 };
		assert_int_equal(send_one(FLOW, PACKET, &packet),
				 TC_ACT_UNSPEC);
		assert_true(packet.tstamp == 0);
	}
	assert_int_equal(tally().side[SIDE_OUT].queued.packets, 20 * SEGMENTS);
	assert_int_equal(tally().side[SIDE_OUT].passed.packets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_leaves_as_far_apart_as_it_takes),
		cmocka_unit_test(the_sparse_leave_at_once),
		cmocka_unit_test(
			what_would_wait_too_long_is_dropped_and_counted),
		cmocka_unit_test(who_can_be_told_is_told_before),
		cmocka_unit_test(a_time_of_its_own_holds_up_to_a_queue),
		cmocka_unit_test(no_priority_lets_it_past),
		cmocka_unit_test(a_class_gives_no_times),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
