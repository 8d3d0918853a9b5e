// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock of departure times, of tc/, for BPF_PROG_TEST_RUN.  What is asked
 * and what comes of it lie in a global variable, which the test has mapped.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tests/bpf/edt_test.h"

char LICENSE[] SEC("license") = "GPL";

struct edt_world world;

SEC("tc")
int edt_packet(struct __sk_buff *skb)
{
	(void)skb;
	world.at = edt_charge(&world.clock, &world.limit, world.lane,
			      world.bytes, world.now);
	return 0;
}
