/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world of test_pace*.c and test_police.c: scopes, sockets and a clock that
 * the test sets.  Once in the kernel, for pace_test.bpf.c, and once in
 * pace_native.c.
 */
#ifndef WEIR_TESTS_BPF_PACE_TEST_H
#define WEIR_TESTS_BPF_PACE_TEST_H

#include <linux/bpf.h>
#include <linux/types.h>

#include "cgroup/cgroup_abi.h"
#include "rules/image_abi.h"

#define PACE_SCOPES  4
#define PACE_SOCKETS 1100
#define PACE_NO_TCP  0xffffffffU

/* A packet, or an RTT sample, and what the program says of it. */
struct pace_step {
	__u64 now;
	__u32 wire, payload;
	__u32 unsent; /* bytes that the socket has to send, with this packet */
	__u32 sock;   /* or PACE_NO_TCP */
	__u32 scopes; /* how many it is in, from 0 on */
	__u32 passed;
	__u32 dropped; /* the scope that did, where it did not pass */
	__u32 srtt_us;
};

/* What setsockopt told a socket. */
struct pace_told {
	__u32 rate;  /* SO_MAX_PACING_RATE; 0: never told */
	__u32 clamp; /* TCP_BPF_SNDCWND_CLAMP; 0: never told */
	__u32 calls;
	__u32 wrong; /* options that are none of these */
};

struct pace_world {
	struct pace_step step;
	struct limit_row limits[PACE_SCOPES];
	struct pace scopes[PACE_SCOPES];
	struct police police; /* of the first limit, if it is not paced */
	struct pace_sock socks[PACE_SOCKETS];
	struct pace_told told[PACE_SOCKETS];
	struct bpf_sock_ops ops;
};

#endif
