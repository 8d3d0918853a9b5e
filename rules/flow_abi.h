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
 * (then port) is smaller comes first.  ICMP echo has its id as both ports.
 */
struct flow_key {
	__u64 place; /* a cgroup's id, or FLOW_DEVICE | index of the row */
	__u8 addr[2][16];
	__be16 port[2];
	__u8 protocol;
	__u8 pad[3];
};

_Static_assert(sizeof(struct flow_key) == 48, "no hidden padding");

/* Ids of cgroups never have this bit. */
#define FLOW_DEVICE (1ULL << 63)

enum {
	FLOW_REPLIED = 1 << 0,	 /* both sides have spoken */
	FLOW_FROM_HIGH = 1 << 1, /* addr[1] spoke first */
};

struct flow {
	__u64 seen_ns; /* CLOCK_MONOTONIC of the last packet */
	__u32 flags;   /* FLOW_* */
	__u32 pad;
};

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

#endif
