/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the matcher itself remembers: flows and the tokens of rules with a
 * limit.  Host byte order unless typed __be; explicit zeroed padding.
 */
#ifndef WEIR_RULES_FLOW_ABI_H
#define WEIR_RULES_FLOW_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

/*
 * Both directions of a conversation have one key: the side whose address
 * (then port) is smaller comes first.  Of an ICMP query, who asks does, and
 * its id stands for both ports.
 */
struct flow_key {
	__u64 place;	  /* a cgroup's id, or one of the two below */
	__u8 addr[2][16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port[2];
	__u8 protocol;
	__u8 pad[3];
};

_Static_assert(sizeof(struct flow_key) == 48, "no hidden padding");

#define FLOW_DEVICE	(1ULL << 63) /* | the index of the device's row */
#define FLOW_FRAGMENT	(1ULL << 62) /* | the index of the chain's row, … */
#define FLOW_GENERATION 0x3fffffff /* … and of the generation so much << 32 */

struct flow {
	__u64 seen_ns; /* CLOCK_MONOTONIC of a packet, a second ago at most */
	__u32 tag;     /* hash of the key */
	__u32 counter; /* of a fragment: of the rule that allowed it */
	__u8 first;    /* the side that spoke first: 0 or 1 */
	__u8 replied;  /* the other has spoken */
	__u8 closing;  /* of TCP: a FIN or RST was seen */
	__u8 pad[5];
};

_Static_assert(sizeof(struct flow) == 24, "no hidden padding");

/*
 * The tokens of a rule with a limit, as the time when the next one is due.
 * User space makes it (zeroes) before the rule is in force; BPF writes it
 * under its lock.  Key: the rule's counter id.
 */
struct rule_limit {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 due_ns; /* CLOCK_MONOTONIC */
};

_Static_assert(sizeof(struct rule_limit) == 16, "no hidden padding");

/*
 * The tokens that sources have of rules with `limit … per source`.  A source
 * may be in one line only, which its hash says; the one there whose tokens are
 * all back, or will be first, makes room for another.
 */
#define SOURCE_WAYS  4
#define SOURCE_LINES 16384

struct source_tokens {
	/*
	 * Both of the rule and its source: two sources of one rule differ, and
	 * that those of two rules do not has a chance of 2^-64.
	 */
	__u64 id;
	__u64 due_ns; /* as rule_limit has it */
};

struct source_line {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct source_tokens ways[SOURCE_WAYS];
};

_Static_assert(sizeof(struct source_line) == 72, "no hidden padding");

#endif
