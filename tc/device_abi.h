/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tc programs and their user side say to each other, beyond the
 * rows of rules/image_abi.h.  Host byte order; explicit zeroed padding.
 */
#ifndef WEIR_TC_DEVICE_ABI_H
#define WEIR_TC_DEVICE_ABI_H

#include <linux/types.h>

#include "rules/image_abi.h"

/*
 * The handle of each HTB that is ours.  No other qdisc is likely to have it:
 * skb->priority selects a class by its full id, and the priority that a
 * packet keeps after an ifb must mean nothing to anybody else's HTB.
 */
#define DEVICE_MAJOR 0x77650000U

/*
 * Two classes per device, one in force and one to come.  Their low four bits
 * are 8 and 9, which the kernel's default priority maps treat as any other
 * traffic, so that a priority left over does no harm there either.
 * index: of the device's row, 1 … DEVICES_MAX - 1; turn: 0 or 1.
 */
#define DEVICE_CLASS(index, turn) \
	(DEVICE_MAJOR | (__u32)(index) << 4 | 8 | ((turn)&1))
#define DEVICE_CLASS_INDEX(id) (((id)&0xffff) >> 4)
#define DEVICE_CLASS_TURN(id)  ((id)&1)

_Static_assert((DEVICES_MAX - 1) << 4 <= 0xfff0, "a minor has 16 bits");

/* As device_tally.side[…]: seen from the host. */
enum {
	SIDE_IN = 0,
	SIDE_OUT = 1,
};

/*
 * Per processor; BPF adds, user space makes the entry (zero) before the
 * device's row is in force, and removes it afterwards.  Bytes on the wire:
 * link header included, each GSO segment with headers of its own.
 */
struct device_tally {
	struct {
		struct counter passed; /* went on at once */
		struct counter queued; /* went to the limit's class */
		struct counter denied; /* by a rule, or a reject */
	} side[2];
};

_Static_assert(sizeof(struct device_tally) == 96, "no hidden padding");

/*
 * A device that weir has touched, and what it did there besides what names
 * itself.  Written before it is done, removed after it is undone; only user
 * space reads and writes.  Lives in the kernel as what it tells of does.
 */
struct device_mark_key {
	__u64 netns; /* cookie, or inode number where there is no cookie */
	__u32 ifindex;
	__u32 pad;
};

#define DEVICE_NETNS_MAX 256

enum {
	MARK_CLSACT = 1 << 0, /* the clsact is ours */
	MARK_SAVED = 1 << 1,  /* a root qdisc of others is kept in a file */
};

struct device_mark {
	__u32 flags;
	__u32 index;		      /* of the row it had last */
	char netns[DEVICE_NETNS_MAX]; /* name below /run/netns; "": our own */
	/*
	 * What removed classes had sent and dropped, so that the figures of
	 * a device outlive a changed limit.
	 */
	struct {
		struct counter sent;
		__u64 drops;
	} retired[2];
};

_Static_assert(sizeof(struct device_mark) == 312, "no hidden padding");

#endif
