/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classes of HTB. */
#ifndef WEIR_NETLINK_CLASS_H
#define WEIR_NETLINK_CLASS_H

#include "netlink/qdisc.h"

/* What is asked for; all of a class but its place. */
struct htb_rate {
	uint64_t rate_bytes; /* per second, on the wire */
	uint64_t ceil_bytes; /* 0: as rate_bytes */
	/* A least one for the timers is made sure of. */
	uint64_t burst_bytes, ceil_burst_bytes;
	uint32_t prio;
	/* Of what is spare, in one turn; 0: a usual one.  See class_quantum. */
	uint32_t quantum;
};

struct class
{
	uint32_t id;	 /* major << 16 | minor */
	uint32_t parent; /* class, or the qdisc's handle */
	char kind[TC_KIND_MAX];
	uint32_t leaf; /* handle of the qdisc below it, or 0 */
	/* Of an htb class, else 0. */
	uint64_t rate_bytes, ceil_bytes;
	uint32_t burst_ticks, ceil_burst_ticks; /* of 64 ns at the rate */
	uint32_t quantum, prio;
	struct queue_stats stats;
};

struct classes {
	struct class *list; /* by id */
	size_t n_list;
};

/* Those of one device; none, too, where it has gone. */
int classes_read(struct conn *conn, const struct link *link,
		 struct classes *ret_classes, struct err *err);
void classes_clear(struct classes *classes);
const struct class *classes_find(const struct classes *classes, uint32_t id);

/* Makes the class, or changes it in place without losing a packet. */
int class_ensure_htb(struct conn *conn, const struct link *link, uint32_t id,
		     uint32_t parent, const struct htb_rate *rate,
		     struct err *err);

/*
 * The quantum of a share that has so many parts of it where the least has one:
 * a turn is no shorter than a packet that is yet to be cut.
 */
uint32_t class_quantum(double parts);

/* Whether the class is what class_ensure_htb would make of it. */
bool class_has_rate(const struct class *class, const struct htb_rate *rate);

/* What waits in it is lost.  One that has gone already is fine. */
int class_remove(struct conn *conn, const struct link *link, uint32_t id,
		 struct err *err);

/*
 * The burst that HTB needs at a rate: it must cover how late a timer can be,
 * or the rate is not reached.  Never less than asked for.
 */
uint64_t class_burst(uint64_t rate_bytes, uint64_t asked_bytes);

#endif
