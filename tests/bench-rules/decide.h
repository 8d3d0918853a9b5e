/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between decide.c and decide.bpf.c. */
#ifndef WEIR_TESTS_BENCH_RULES_DECIDE_H
#define WEIR_TESTS_BENCH_RULES_DECIDE_H

#include <linux/types.h>

#define DECIDE_PACKETS (1 << 20)

/* An IPv4 header from its protocol on, and the ports behind it. */
#define DECIDE_OFFSET (14 + 9)

struct decide_packet {
	__u8 bytes[15]; /* protocol, checksum, source, destination, ports */
	__u8 pad;
};

#endif
