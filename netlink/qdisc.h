/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queueing disciplines.  Functions take the device as a struct link, for its
 * ifindex, and for its name in the sentence of a failure.
 */
#ifndef WEIR_NETLINK_QDISC_H
#define WEIR_NETLINK_QDISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/link.h"

#define TC_KIND_MAX 16

/* What a qdisc or a class has counted, on the wire. */
struct queue_stats {
	uint64_t bytes, packets; /* that left it; each GSO segment counts */
	uint32_t drops;		 /* packets as queued: a GSO packet is one */
	uint32_t queued;	 /* packets that wait now */
	uint32_t backlog_bytes;	 /* of those */
	uint32_t overlimits;
};

struct qdisc {
	uint32_t ifindex;
	uint32_t handle; /* major << 16; 0: the kernel's own default */
	uint32_t parent; /* TC_H_ROOT, TC_H_CLSACT, or a class */
	char kind[TC_KIND_MAX];
	struct queue_stats stats;
};

struct qdiscs {
	struct qdisc *list; /* by ifindex */
	size_t n_list;
};

/* All of the namespace: the kernel lists no fewer. */
int qdiscs_read(struct conn *conn, struct qdiscs *ret_qdiscs, struct err *err);
void qdiscs_clear(struct qdiscs *qdiscs);

/* NULL where there is none: a device that is down may have no root. */
const struct qdisc *qdiscs_root(const struct qdiscs *qdiscs, uint32_t ifindex);
/* The one of kind "clsact"; an "ingress" qdisc takes the same place. */
const struct qdisc *qdiscs_clsact(const struct qdiscs *qdiscs,
				  uint32_t ifindex);

/* Whether the kernel made it: nobody would miss it. */
bool qdisc_is_default(const struct qdisc *qdisc);

/*
 * *ret_made: whether there was none before.  An "ingress" qdisc in its place
 * is -EEXIST.
 */
int qdisc_ensure_clsact(struct conn *conn, const struct link *link,
			bool *ret_made, struct err *err);

/* Takes everybody's filters with it: see that there are none first. */
int qdisc_remove_clsact(struct conn *conn, const struct link *link,
			struct err *err);

/*
 * HTB as the root, with this handle (major << 16).  Packets without a class
 * go out directly and unlimited, up to 1000 waiting.  One that has the
 * handle already is left as it is.  Another root that a person made is
 * -EEXIST, unless replace.
 */
int qdisc_ensure_htb(struct conn *conn, const struct link *link,
		     uint32_t handle, bool replace, struct err *err);

/*
 * fq as the root, likewise: it keeps packets until the departure time that
 * they have been given, and lets all others pass.  It takes so many packets
 * that who gives the times bounds what waits.
 */
int qdisc_ensure_fq(struct conn *conn, const struct link *link, uint32_t handle,
		    bool replace, struct err *err);

/* The root as it is now; all zero where the device has none. */
int qdisc_find_root(struct conn *conn, const struct link *link,
		    struct qdisc *ret_root, struct err *err);

/*
 * A byte-counted FIFO below a class, with a handle of its own: one that the
 * kernel chose might be that of a qdisc to be put back.  Where it is there
 * already, its length is changed in place.
 */
int qdisc_ensure_bfifo(struct conn *conn, const struct link *link,
		       uint32_t parent, uint32_t handle, uint32_t limit_bytes,
		       struct err *err);

/*
 * Likewise, but what is longer than cut_bytes and consists of segments is cut
 * into them; what is as long and does not is dropped.  A TBF, of a rate that
 * nothing waits for.
 */
int qdisc_ensure_cutter(struct conn *conn, const struct link *link,
			uint32_t parent, uint32_t handle, uint32_t limit_bytes,
			uint32_t cut_bytes, struct err *err);

/*
 * Removes the root if it has this handle; the kernel then makes its default
 * again.  0 too where the root is another one.
 */
int qdisc_remove_root(struct conn *conn, const struct link *link,
		      uint32_t handle, struct err *err);

#endif
