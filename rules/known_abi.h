/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts that are kept for the later packets of a flow: with sockets that
 * have a peer (cgroup/known.bpf.h), else in the table of known flows
 * (rules/known.bpf.h).  Only BPF reads and writes them, but for user space
 * counting up `changes`.
 */
#ifndef WEIR_RULES_KNOWN_ABI_H
#define WEIR_RULES_KNOWN_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

/* Chains whose counters are kept with a verdict; of more it is not kept. */
#define KNOWN_CHAINS 4

enum {
	/* Holds while the TCP socket that it lies with is open. */
	KNOWN_WHILE_OPEN = 1 << 0,
	/* Holds until a time, for TCP segments with the flag ACK alone. */
	KNOWN_UNTIL = 1 << 1,
	/* No limit and no quota is to be asked either. */
	KNOWN_FINAL = 1 << 2,
};

/* That a packet may pass. */
struct known {
	__u64 stamp; /* stamp_read() before it was decided */
	__u64 place; /* cgroup id, or FLOW_DEVICE | row; KNOWN_LEAVES */
	__u32 ifindex;
	__be32 ports; /* both, as they stand in the packet, as … */
	__u16 kind;   /* protocol; from bit 8 on 4 or 6 */
	__u16 flags;  /* KNOWN_* */
	__u32 until;  /* jiffies */
	/* To be added to; NONE behind the last. */
	__u32 counters[KNOWN_CHAINS];
	__u64 addresses[4]; /* … these; of IPv4 both are the first */
};

_Static_assert(sizeof(struct known) == 80, "no hidden padding");

/* Of place: it is about what leaves. */
#define KNOWN_LEAVES (1ULL << 61)

/*
 * The table of known flows: so many cells for each processor.  The first line
 * of a cell has all that is looked at of IPv4.
 */
#define KNOWN_CELLS 2048

struct known_cell {
	struct bpf_spin_lock lock;
	__u32 writes;
	struct known known;
	__u64 pad[5];
};

_Static_assert(sizeof(struct known_cell) == 128, "two cache lines");

/* A flow is in one cell of a pair; what may be there, by parts of hashes. */
#define KNOWN_PAIRS (KNOWN_CELLS / 2)

struct known_tags {
	__u32 tags[2]; /* 0: nothing yet */
};

#endif
