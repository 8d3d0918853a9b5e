/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The law of departure times (docs/shaping.md): when a packet may leave, so
 * that all together keep the rate and nobody waits for who fills it.
 *
 * The common clock is ahead of now by the time that all that was let through
 * takes at the rate; behind it by a burst at most.  Each lane has a clock that
 * runs at the part of the rate which is its own for sure: half for the sparse,
 * and of what these leave as much for a bulk lane as for each other that is
 * busy.  A packet leaves at the earlier of the two, and moves both.
 *
 * A lane that begins to be busy takes its part from what has been promised
 * already: so the common clock may be ahead of what leaves.  At two queues no
 * more bulk is let in, so it is never ahead by more than three.
 */
#ifndef WEIR_TC_EDT_CLOCK_BPF_H
#define WEIR_TC_EDT_CLOCK_BPF_H

#include <linux/types.h>

#include "tc/device_abi.h"

#define EDT_SEC	       1000000000ULL
#define EDT_QUEUE_NS   50000000ULL /* or what lane_queue() takes, up to */
#define EDT_QUEUE_MOST (60 * EDT_SEC)
#define EDT_BYTES_MOST (1ULL << 33) /* whose nanoseconds fit in 64 bits */
#define EDT_DROP       (~0ULL)
#define EDT_LANES      16 /* as many as a lane's bits can say */

/* Times are those of CLOCK_MONOTONIC; all zero: nothing has passed. */
struct edt_clock {
	__u64 rate_bytes; /* per second; what the rest is a remainder of */
	__u64 next_ns;	  /* of the common clock */
	__u64 rest;	  /* of its last division: nothing is lost */
	__u64 lane_ns[EDT_LANES];
};

_Static_assert(LANES_END <= EDT_LANES, "a lane has four bits");

static __always_inline __u64 edt_time(__u64 bytes, __u64 rate)
{
	if (bytes > EDT_BYTES_MOST)
		bytes = EDT_BYTES_MOST;
	return bytes * EDT_SEC / (rate ?: 1);
}

/* How long a packet may wait. */
static __always_inline __u64 edt_queue(__u64 rate)
{
	__u64 ns = edt_time(lane_queue(rate), rate);

	if (ns < EDT_QUEUE_NS)
		return EDT_QUEUE_NS;
	return ns < EDT_QUEUE_MOST ? ns : EDT_QUEUE_MOST;
}

/*
 * At another rate.  What waits keeps its times, and nobody waits behind it for
 * longer than a queue of the new rate is.
 */
static __always_inline void edt_change(struct edt_clock *clock, __u64 rate,
				       __u64 latest)
{
	int i;

	clock->rate_bytes = rate;
	clock->rest = 0;
	if (clock->next_ns > latest)
		clock->next_ns = latest;
	for (i = 0; i < LANES_END; i++)
		if (clock->lane_ns[i] > latest)
			clock->lane_ns[i] = latest;
}

/*
 * The bits are cut off where the verifier sees it: that of 6.1 has forgotten
 * how large a number may be that lay on the stack meanwhile.
 */
static __always_inline __u64 *edt_lane(struct edt_clock *clock, __u64 lane)
{
	asm volatile("%0 &= %1" : "+r"(lane) : "i"(EDT_LANES - 1));
	return &clock->lane_ns[lane];
}

/* The lane has one of so many parts of the rate for sure. */
static __always_inline __u32 edt_parts(const struct edt_clock *clock,
				       __u32 lane, __u64 now)
{
	__u32 busy = 1, i;

	if (lane == LANE_SPARSE)
		return 2;
	for (i = LANE_BULK; i < LANES_END; i++)
		busy += i != lane && clock->lane_ns[i] > now;
	return busy;
}

/*
 * Moves the clock of a lane, from own; what the sparse take delays all that are
 * bulk.
 */
static __always_inline void edt_charge_lane(struct edt_clock *clock, __u32 lane,
					    __u64 own, __u64 cost, __u64 now)
{
	__u32 i;

	*edt_lane(clock, lane) = own + cost * edt_parts(clock, lane, now);
	if (lane != LANE_SPARSE)
		return;
	for (i = LANE_BULK; i < LANES_END; i++)
		if (clock->lane_ns[i] > now)
			clock->lane_ns[i] += cost;
}

/*
 * When the packet is to leave: now or later, or EDT_DROP.  A lane's clock that
 * is beyond its queue stays: what goes by the common one is not owed later.
 */
static __always_inline __u64 edt_charge(struct edt_clock *clock,
					const struct limit_row *limit,
					__u32 lane, __u32 bytes, __u64 now)
{
	__u64 rate = limit->rate_bytes ?: 1, queue = edt_queue(rate);
	__u64 credit = edt_time(limit->burst_bytes, rate);
	__u64 latest = now + queue, next, own, at, used;

	if (lane >= LANES_END)
		return EDT_DROP;
	if (clock->rate_bytes != rate)
		edt_change(clock, rate, latest);
	next = credit < now ? now - credit : 0;
	if (clock->next_ns > next)
		next = clock->next_ns;
	own = *edt_lane(clock, lane);
	if (own < now)
		own = now;
	at = own < next ? own : next;
	if (at > latest || (lane != LANE_SPARSE && next > latest + queue))
		return EDT_DROP;
	used = bytes * EDT_SEC + clock->rest;
	clock->next_ns = next + used / rate;
	clock->rest = used % rate;
	if (own <= latest)
		edt_charge_lane(clock, lane, own, used / rate, now);
	return at > now ? at : now;
}

#endif
