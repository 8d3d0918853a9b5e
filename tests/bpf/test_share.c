/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which class device_out gives a packet where groups share a limit.  A packet
 * of a test has no classid, so the device is row 0; it is of the root cgroup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "tc/device_abi.h"
#include "tests/bpf/device_world.h"
#include "tests/bpf/frame.h"

#define ROOT_CGROUP 1

static struct device_world world;

static int set_up(void **state)
{
	(void)state;
	assert(unshare(CLONE_NEWNET) == 0);
	assert(system("ip link set lo up") == 0);
	device_world_open(&world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	device_world_close(&world);
	return 0;
}

/* A device with the limit, and who shares it. */
static void use(const struct device_row *device,
		const struct share_entry *shares, size_t n)
{
	struct image *image = image_new();
	struct device_row *row;
	size_t i;

	assert(image);
	row = ARRAY_ADD(image, devices);
	assert(row);
	*row = *device;
	row->in_use = 1;
	row->group = row->chain_out = row->chain_in = NONE;
	row->out.rate_bytes = 12500000;
	for (i = 0; i < n; i++) {
		struct share_entry *entry = ARRAY_ADD(image, shares);

		assert(entry);
		*entry = shares[i];
		entry->key.side = device->in_class ? SIDE_IN : SIDE_OUT;
	}
	image_sort(image);
	device_world_use(&world, image);
}

/* The class that a program gives to a packet. */
static uint32_t class_by(const struct bpf_program *program, const char *text)
{
	uint8_t bytes[FRAME_MAX], out[FRAME_MAX];
	struct __sk_buff context = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .ctx_out = &context,
		    .ctx_size_out = sizeof(context), .repeat = 1);
	struct frame_spec spec;
	unsigned int ip;

	frame_parse(text, &spec);
	opts.data_size_in = frame_build(&spec, bytes, &ip);
	assert(bpf_prog_test_run_opts(bpf_program__fd(program), &opts) == 0);
	assert_int_equal((int)opts.retval, -1); /* TC_ACT_UNSPEC */
	return context.priority;
}

/* The class of a packet of a flow that leaves. */
static uint32_t class_of(unsigned int port, unsigned int payload)
{
	char text[128];

	snprintf(text, sizeof(text), "udp 10.0.0.1:%u > 10.0.0.2:53 len=%u",
		 port, payload);
	return class_by(world.programs->progs.device_out, text);
}

static const struct share_entry of_root = {
	.key = { .cgroup = ROOT_CGROUP },
	.value = { .number = 5, .sparse_bytes = 1250000 },
};
static const struct share_entry of_others = {
	.value = { .number = 0, .sparse_bytes = 1250000, .group = NONE },
};

static void without_shares_a_flow_has_a_lane_of_the_device(void **state)
{
	const struct device_row device = { .out_class = DEVICE_CLASS(0, 1) };

	(void)state;
	use(&device, NULL, 0);
	assert_int_equal(class_of(1, 10),
			 DEVICE_LANE(DEVICE_CLASS(0, 1), LANE_SPARSE));
}

static void a_cgroup_has_the_class_of_its_share(void **state)
{
	const struct share_entry shares[] = { of_root, of_others };
	struct device_row device = { .out_class = DEVICE_CLASS(0, 0),
				     .out_levels = 1 };

	(void)state;
	use(&device, shares, 2);
	assert_int_equal(class_of(2, 10), SHARE_CLASS(5, SHARE_SPARSE, 0));
	device.out_class = DEVICE_CLASS(0, 1);
	use(&device, shares, 2);
	assert_int_equal(class_of(2, 10), SHARE_CLASS(5, SHARE_SPARSE, 1));
}

static void who_has_no_share_is_with_all_others(void **state)
{
	const struct share_entry of_another = {
		.key = { .cgroup = 77 },
		.value = { .number = 9, .sparse_bytes = 1250000 },
	};
	const struct share_entry shares[] = { of_another, of_others };
	struct device_row device = { .out_class = DEVICE_CLASS(0, 0),
				     .out_levels = 3 };

	(void)state;
	use(&device, shares, 2);
	assert_int_equal(class_of(3, 10), SHARE_CLASS(0, SHARE_SPARSE, 0));
	/* A level at which nobody has one is not looked at. */
	device.out_levels = 2;
	use(&device, (struct share_entry[]){ of_root, of_others }, 2);
	assert_int_equal(class_of(4, 10), SHARE_CLASS(0, SHARE_SPARSE, 0));
	/* A table that is damaged: limited all the same. */
	use(&device, NULL, 0);
	assert_int_equal(class_of(5, 10), SHARE_CLASS(0, SHARE_BULK, 0));
}

static void a_flow_that_sends_much_is_bulk_and_the_next_is_not(void **state)
{
	const struct share_entry shares[] = { of_root, of_others };
	const struct device_row device = { .out_class = DEVICE_CLASS(0, 0),
					   .out_levels = 1 };
	int i;

	(void)state;
	use(&device, shares, 2);
	/* A quarter of 1.25 MB/s for 50 ms, and what was sent meanwhile. */
	for (i = 0; i < 100; i++)
		class_of(6, 1000);
	assert_int_equal(class_of(6, 10), SHARE_CLASS(5, SHARE_BULK, 0));
	assert_int_equal(class_of(7, 10), SHARE_CLASS(5, SHARE_SPARSE, 0));
}

static void many_flows_have_no_more_than_what_is_kept_for_sparse(void **state)
{
	const struct share_entry shares[] = { of_root, of_others };
	const struct device_row device = { .out_class = DEVICE_CLASS(0, 1),
					   .out_levels = 1 };
	unsigned int i, sparse = 0;

	(void)state;
	use(&device, shares, 2);
	/* 20 ms of 1.25 MB/s are 24 of these, and what that takes. */
	for (i = 0; i < 500; i++)
		sparse += class_of(1000 + i, 1000) ==
			  SHARE_CLASS(5, SHARE_SPARSE, 1);
	assert_in_range(sparse, 20, 300);
}

static void of_too_little_nothing_is_kept(void **state)
{
	struct share_entry shares[] = { of_root, of_others };
	const struct device_row device = { .out_class = DEVICE_CLASS(0, 0),
					   .out_levels = 1 };

	(void)state;
	shares[0].value.sparse_bytes = SHARE_SPARSE_LEAST - 1;
	use(&device, shares, 2);
	assert_int_equal(class_of(8, 10), SHARE_CLASS(5, SHARE_BULK, 0));
	shares[0].value.sparse_bytes = 0;
	use(&device, shares, 2);
	assert_int_equal(class_of(9, 10), SHARE_CLASS(5, SHARE_BULK, 0));
}

/* A socket of this process, which is below the root cgroup, at a port. */
static int listen_at(int family, int type, uint16_t port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	int fd = socket(family, type, 0);

	assert(fd >= 0);
	assert((family == AF_INET
			? bind(fd, (struct sockaddr *)&any4, sizeof(any4))
			: bind(fd, (struct sockaddr *)&any6, sizeof(any6))) ==
	       0);
	assert(type == SOCK_DGRAM || listen(fd, 1) == 0);
	return fd;
}

static void what_arrives_is_of_the_socket_that_will_get_it(void **state)
{
	static const char *const for_it[] = {
		"udp 10.0.0.9:5 > 10.0.0.2:7053",
		"tcp 10.0.0.9:5 > 10.0.0.2:7053 flags=S",
		"udp [2001:db8::9]:5 > [2001:db8::2]:7054",
		"tcp [2001:db8::9]:5 > [2001:db8::2]:7054 flags=S",
		"udp 10.0.0.9:6 > 10.0.0.2:7053 options=2",
	};
	static const char *const for_nobody[] = {
		"udp 10.0.0.9:5 > 10.0.0.2:7055",
		"tcp 10.0.0.9:5 > 10.0.0.2:7055 flags=S",
		"udp 10.0.0.9:5 > 10.0.0.2:7053 frag=0+",
		"udp 10.0.0.9:5 > 10.0.0.2:7053 frag=9",
		"udp 10.0.0.9:5 > 10.0.0.2:7053 cut=20",
		"udp [2001:db8::9]:5 > [2001:db8::2]:7054 ext=0",
		"icmp 10.0.0.9 > 10.0.0.2 type=8",
	};
	const struct share_entry shares[] = { of_root, of_others };
	struct device_row device = { .in_class = DEVICE_CLASS(0, 1),
				     .in_ifindex = 9,
				     .flags = DEVICE_SHARED_IN };
	const struct bpf_program *in = world.programs->progs.device_in;
	int fds[] = { listen_at(AF_INET, SOCK_DGRAM, 7053),
		      listen_at(AF_INET, SOCK_STREAM, 7053),
		      listen_at(AF_INET6, SOCK_DGRAM, 7054),
		      listen_at(AF_INET6, SOCK_STREAM, 7054) };
	size_t i;

	(void)state;
	use(&device, shares, 1);
	for (i = 0; i < ARRAY_SIZE(for_it); i++)
		assert_int_equal(class_by(in, for_it[i]),
				 SHARE_CLASS(5, SHARE_SPARSE, 1));
	for (i = 0; i < ARRAY_SIZE(for_nobody); i++)
		assert_int_equal(class_by(in, for_nobody[i]), 0);
	device.in.rate_bytes = 12500000;
	use(&device, shares, 2);
	assert_int_equal(class_by(in, for_it[0]),
			 SHARE_CLASS(5, SHARE_SPARSE, 1));
	for (i = 0; i < ARRAY_SIZE(for_nobody); i++)
		assert_int_equal(class_by(in, for_nobody[i]) & ~0x6U,
				 SHARE_CLASS(0, SHARE_WHOLE, 1) & ~0x6U);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_shares_a_flow_has_a_lane_of_the_device),
		cmocka_unit_test(a_cgroup_has_the_class_of_its_share),
		cmocka_unit_test(who_has_no_share_is_with_all_others),
		cmocka_unit_test(
			a_flow_that_sends_much_is_bulk_and_the_next_is_not),
		cmocka_unit_test(
			many_flows_have_no_more_than_what_is_kept_for_sparse),
		cmocka_unit_test(of_too_little_nothing_is_kept),
		cmocka_unit_test(
			what_arrives_is_of_the_socket_that_will_get_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
