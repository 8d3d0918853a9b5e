/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many answers a device has sent to what its chains reject.  Host byte
 * order; explicit zeroed padding.
 */
#ifndef WEIR_TC_ANSWER_ABI_H
#define WEIR_TC_ANSWER_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

/*
 * Of a device, in both directions together: so many a second, and so many at
 * once; what a kernel allows itself by default for ICMP errors.
 */
#define ANSWER_PER_SECOND 1000
#define ANSWER_BURST	  50

/*
 * BPF makes the entry with the first answer; user space reads, and removes it
 * with the device's tally.
 */
struct device_answers {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 due_ns; /* when an answer more may be sent; CLOCK_MONOTONIC */
	struct {
		__u64 sent;
		__u64 withheld; /* there had been too many */
	} side[2];		/* SIDE_*: where the rejected packets passed */
};

_Static_assert(sizeof(struct device_answers) == 48, "no hidden padding");

#endif
