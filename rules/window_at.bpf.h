/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a segment's window is in its table of flows, and where the segment is
 * in the packet: in one number with its states, so that whoever looks at
 * windows (rules/window.bpf.h) need not find either again.
 */
#ifndef WEIR_RULES_WINDOW_AT_BPF_H
#define WEIR_RULES_WINDOW_AT_BPF_H

#include "rules/flow_table.bpf.h"
#include "rules/packet.bpf.h"

/* Beside PACKET_*: the table has windows, and it is TCP; then as below. */
#define PACKET_WINDOW (1 << 6)

/* From which bit on, and how many. */
enum {
	WINDOW_LINE = 8,      /* 20 */
	WINDOW_WAY = 28,      /* 3 */
	WINDOW_ROLE = 31,     /* 1: 0 is who spoke first */
	WINDOW_FRAGMENT = 32, /* 1: there is more of it in others */
	WINDOW_BASE = 33,     /* 1: BPF_HDR_START_* */
	WINDOW_HEADER = 34,   /* 10: offset of TCP's; 0: it is further behind */
	WINDOW_END = 44,      /* 20: offset behind the packet's last byte */
};

_Static_assert(FLOW_LINES(FLOW_ROOM_MAX) <= 1 << 20, "bits for a line");

#define WINDOW_BITS(number, from, n) \
	((__u32)((number) >> (from)) & ((1U << (n)) - 1))

/* By arithmetic: see is_zero. */
static __always_inline __u64 window_at(const struct packet *p,
				       const struct flow_at *at, __u64 way,
				       __u64 role)
{
	__u64 asked = at->head->windows & is_zero(p->protocol ^ IPPROTO_TCP);
	__u64 header = p->transport * is_zero(p->transport >> 10);
	__u64 where = PACKET_WINDOW | (__u64)(at->index - 1) << WINDOW_LINE |
		      way << WINDOW_WAY | role << WINDOW_ROLE |
		      (__u64)(p->flags / IS_FIRST_FRAGMENT & 1)
			      << WINDOW_FRAGMENT |
		      (__u64)(p->base & 1) << WINDOW_BASE |
		      header << WINDOW_HEADER | (__u64)p->end << WINDOW_END;

	return where & -(asked & 1);
}

#endif
