// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What weir's queue for arriving traffic is compared with: the same queue,
 * and senders slowed down at the other end by what the receiver lets them
 * send.  The window of a connection is what its part of the rate carries in
 * the RTT of its handshake, which waited in no queue, and a little more.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SOL_SOCKET	 1
#define SO_RCVBUF	 8
#define SOL_TCP		 6
#define TCP_WINDOW_CLAMP 10
#define SEC_US		 1000000ULL
#define SEGMENTS	 (2 * 1448) /* bytes: less would wait for timers */

struct part {
	__u64 rate; /* of each connection, bytes per second */
	__u64 more_us;
};

/* User space writes it before use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct part);
} parts SEC(".maps");

SEC("sockops")
int window_clamp(struct bpf_sock_ops *ops)
{
	__u32 zero = 0, rtt_us = ops->srtt_us >> 3;
	struct part *part = bpf_map_lookup_elem(&parts, &zero);
	int window, buffer;
	__u64 bytes;

	if (!part || ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	bytes = part->rate * (rtt_us + part->more_us) / SEC_US;
	window = bytes < SEGMENTS ? SEGMENTS : bytes;
	/* The kernel's own tuning of a buffer would lift the clamp. */
	buffer = 2 * window;
	bpf_setsockopt(ops, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	bpf_setsockopt(ops, SOL_TCP, TCP_WINDOW_CLAMP, &window, sizeof(window));
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
