/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: what rules with `log` decided, and connections.  Who listens has a
 * seat, of which there are a few, with a ring buffer in `monitor_rings`; what
 * is offered to it is in the ring then, or counted.  Host byte order unless
 * typed __be; explicit zeroed padding.
 */
#ifndef WEIR_RULES_MONITOR_ABI_H
#define WEIR_RULES_MONITOR_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

#define MONITORS_MAX 4

/*
 * What a seat wants to hear.  User space writes it, again and again as long as
 * somebody sits there: one who was killed is asked for nothing after a while.
 */
struct monitor_want {
	__u64 until_ns;	 /* CLOCK_MONOTONIC; 0, or past: nobody is there */
	__u32 group_uid; /* 0: of all groups, and of devices */
	__u16 refusals;	 /* 1: nothing that is allowed */
	__u16 zero;	 /* see packet_forget */
};

_Static_assert(sizeof(struct monitor_want) == 16, "no hidden padding");

/*
 * What became of all that a seat was offered.  BPF adds under the lock; user
 * space writes it before anybody sits there.
 */
struct monitor_count {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 left;	  /* events that it still wants; 0: no more */
	__u64 sent;	  /* that are in the ring, or were */
	__u64 lost;	  /* the ring was full */
	__u64 suppressed; /* beyond the bound of their rule */
};

_Static_assert(sizeof(struct monitor_count) == 40, "no hidden padding");

/*
 * What a rule with `log` may still tell: tokens, as struct rule_limit has
 * them, with what they are reckoned by.  User space makes it (due_ns 0) before
 * the rule is in force; BPF writes due_ns under the lock.  Key: the rule's
 * counter id.
 */
struct rule_log {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 due_ns; /* CLOCK_MONOTONIC */
	__u64 interval_ns, burst_ns;
};

_Static_assert(sizeof(struct rule_log) == 32, "no hidden padding");

enum {
	EVENT_VERDICT = 0,
	EVENT_OPENED = 1, /* a TCP connection */
	EVENT_CLOSED = 2,
};

/* Where it was met: bits. */
enum {
	EVENT_OUT = 1 << 0, /* it leaves; else it arrives */
	EVENT_DEVICE = 1 << 1,
	EVENT_CALL = 1 << 2, /* there was no packet yet: connect() or … */
	EVENT_SENDMSG = 1 << 3,
	EVENT_SENDER = 1 << 4,	/* pid and program are those of who sends */
	EVENT_ICMP = 1 << 5,	/* icmp_type and icmp_code count */
	EVENT_PORTS = 1 << 6,	/* ports do */
	EVENT_STARTED = 1 << 7, /* began_ns does: it was seen to open */
};

#define EVENT_PROGRAM 16 /* the kernel's TASK_COMM_LEN */

struct monitor_event {
	__u64 at_ns;  /* CLOCK_MONOTONIC */
	__u64 cgroup; /* id of the socket's; 0: none is known */
	__u8 kind;    /* EVENT_VERDICT, … */
	__u8 flags;   /* EVENT_OUT, … */
	__u8 verdict; /* ROW_* */
	__u8 family;  /* 4 or 6; 0: it is not IP */
	__u8 protocol;
	__u8 icmp_type, icmp_code;
	__u8 pad;
	__u32 generation;
	__u32 whose;   /* uid of the group; EVENT_DEVICE: index of the row */
	__u32 counter; /* of the rule */
	__u32 ifindex; /* 0: not known */
	__u8 src[16], dst[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 src_port, dst_port;
	__u32 pid; /* as the host counts them */
	char program[EVENT_PROGRAM];
	__u64 bytes;	/* of the packet; of a connection: acknowledged */
	__u64 received; /* … and received, bytes */
	__u64 began_ns; /* of a connection */
};

_Static_assert(sizeof(struct monitor_event) == 120, "no hidden padding");

#endif
