/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between explain.bpf.c and explain.c.  Host byte order. */
#ifndef WEIR_CGROUP_EXPLAIN_ABI_H
#define WEIR_CGROUP_EXPLAIN_ABI_H

#include <linux/types.h>

/* Rows that one run of explain_rows looks at. */
#define EXPLAIN_ROWS 64

/* Beside LOOK_*: the packet passes lo, and the rule names no interface. */
#define MISSED_LOOPBACK (1U << 31)

/* User space writes before a run. */
struct explain_ask {
	__u32 slot;    /* of the tables */
	__u32 chain;   /* its row, for explain_decide */
	__u32 hook;    /* HOOK_* of rules/state.bpf.h */
	__u32 states;  /* PACKET_* that the packet is in */
	__u32 ifindex; /* that it passes; NONE: one that no rule names */
	__u32 mark;
	__u32 uid;   /* of its socket; NONE: it has none */
	__u32 first; /* row of rules, for explain_rows */
	__u32 count; /* at most EXPLAIN_ROWS */
	__u16 zero;  /* see packet_forget */
	__u16 pad;
};

/* BPF writes. */
struct explain_answer {
	__u64 decided; /* as chain_decide returns it */
	/* By row: LOOK_* that the packet does not satisfy, but LOOK_LIMIT. */
	__u32 missed[EXPLAIN_ROWS];
};

_Static_assert(sizeof(struct explain_ask) == 40, "no hidden padding");

#endif
