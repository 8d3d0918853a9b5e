// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pacing and policing, of cgroup/, for BPF_PROG_TEST_RUN.  What is asked and
 * what comes of it lie in a global variable, which the test has mapped.
 */
#include "tests/bpf/pace_step.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tc")
int pace_packet(struct __sk_buff *skb)
{
	(void)skb;
	world_packet();
	return 0;
}

SEC("tc")
int police_packet(struct __sk_buff *skb)
{
	(void)skb;
	world_police();
	return 0;
}

SEC("tc")
int pace_hear(struct __sk_buff *skb)
{
	(void)skb;
	world_hear();
	return 0;
}
