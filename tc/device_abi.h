/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tc programs and their user side say to each other, beyond the
 * rows of rules/image_abi.h.  Host byte order; explicit zeroed padding.
 */
#ifndef WEIR_TC_DEVICE_ABI_H
#define WEIR_TC_DEVICE_ABI_H

#include <linux/types.h>

#include "rules/image_abi.h"

/* The handle of each HTB that is ours. */
#define DEVICE_MAJOR QUEUE_MAJOR

/*
 * That of each fq that is ours: another one, as the kernel lets no qdisc take
 * the place of one of another kind under the same handle.
 */
#define DEVICE_MAJOR_FQ 0x77660000U

/*
 * Two classes per device, one in force and one to come, and lanes below each:
 * the class holds the limit, a packet goes through one of its lanes.  Their
 * low four bits are 8 and 9, which the kernel's default priority maps treat as
 * any other traffic, so that a priority left over does no harm there either.
 * index: of the device's row, of which a class keeps eight bits; turn: 0 or 1.
 */
#define DEVICE_CLASS(index, turn) \
	(DEVICE_MAJOR | ((__u32)(index)&0xff) << 8 | 8 | ((turn)&1))
#define DEVICE_LANE(class, lane) ((class) | (__u32)(lane) << 4)
#define DEVICE_LANE_OF(id)	 ((id) >> 4 & 0xf)
#define DEVICE_CLASS_TURN(id)	 ((id)&1)

/* Whether a class, or a lane, may be one of the row with this index. */
#define DEVICE_CLASS_FITS(id, index) \
	(((id)&0xffffff0e) == (DEVICE_CLASS(index, 0) & 0xffffff0e))

/*
 * Where groups share a limit, its class has theirs below it instead of lanes,
 * and each of those has two lanes of its own: for what is sparse, which never
 * has more than it has for sure, and for bulk.  Their low four bits are 10 to
 * 15; number: of struct share_value, below SHARES_MAX, so that a qdisc with the
 * number of its class is none of those that the kernel numbers.
 */
#define SHARES_MAX 2048
#define SHARE_CLASS(number, part, turn) \
	(DEVICE_MAJOR | (__u32)(number) << 4 | (10 + 2 * (part)) | ((turn)&1))
#define SHARE_CLASS_FITS(id) (((id)&15) >= 10)
#define SHARE_NUMBER(id)     (((id)&0xffff) >> 4)
#define SHARE_PART(id)	     ((((id)&15) - 10) / 2)

enum {
	SHARE_WHOLE = 0, /* holds the two below it */
	SHARE_SPARSE = 1,
	SHARE_BULK = 2,
	SHARE_PARTS = 3,
};

_Static_assert(SHARE_CLASS(SHARES_MAX - 1, SHARE_BULK, 1) ==
		       (DEVICE_MAJOR | 0x7fff),
	       "the kernel numbers qdiscs from 0x8000 on");

/* Bytes a second: of less than that nothing is kept for what is sparse. */
#define SHARE_SPARSE_LEAST 16384ULL

/* What may come at once in a sparse lane: 20 ms of it, or two full packets. */
#define SHARE_SPARSE_BURST(rate_bytes) \
	((rate_bytes) / 50 > 3028 ? (rate_bytes) / 50 : 3028)

/*
 * Flows that send little have a lane to themselves, with half of the rate for
 * sure: nobody there waits behind those who fill the limit.  The others have
 * the other half for sure, in lanes with a queue each.
 */
enum {
	LANE_SPARSE = 1,
	LANE_BULK = 2, /* the first of them */
	LANES_END = 10,
};

/*
 * Bytes: a lane's turn may be so long, and its queue is no shorter than four,
 * but where that would take so long that TCP, which had no answer yet, sends
 * all of it again.  One burst of a connection that begins fits in any.
 */
#define LANE_TURN  65536ULL
#define LANE_QUEUE (4 * LANE_TURN)
#define LANE_LEAST (LANE_TURN / 2)

static inline __u64 lane_queue(__u64 rate_bytes)
{
	__u64 bytes = rate_bytes / 5;

	if (bytes < LANE_LEAST)
		return LANE_LEAST;
	return bytes < LANE_QUEUE ? bytes : LANE_QUEUE;
}

/*
 * How many lanes for bulk a limit has: 1, 2, 4 or 8, so that a turn of each of
 * them takes 50 ms at most, but where there is one.
 */
static inline __u32 lanes_for(__u64 rate_bytes)
{
	__u64 turns = rate_bytes / (20 * LANE_TURN);

	if (turns < 4)
		return turns < 2 ? 1 : 2;
	return turns < 8 ? 4 : 8;
}

_Static_assert(LANE_BULK + 8 == LANES_END, "as many as lanes_for may say");
_Static_assert(LANES_END <= 16, "a lane has four bits");

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
		/* By departure times; what a class drops, it counts itself. */
		struct counter dropped;
	} side[2];
};

_Static_assert(sizeof(struct device_tally) == 128, "no hidden padding");

/*
 * A device that weir has touched, and what it did there besides what names
 * itself.  Written before it is done, removed after it is undone; only user
 * space reads and writes.  Lives in the kernel as what it tells of does.  Its
 * layout stays from one version of weir to another: by it clear undoes what
 * any of them did.
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
	/* The driver would not have the xdp program, and why (MARK_ERRNO). */
	MARK_XDP_REFUSED = 1 << 2,
};

#define MARK_ERRNO_SHIFT  16
#define MARK_ERRNO_MASK	  0xffff0000U
#define MARK_ERRNO(flags) ((int)((flags) >> MARK_ERRNO_SHIFT))

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
