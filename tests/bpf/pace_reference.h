/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pacing promises of a scope, in plain words and wide numbers: what was
 * sent and not yet paid for, and how much passed above the rate.
 */
#ifndef WEIR_TESTS_BPF_PACE_REFERENCE_H
#define WEIR_TESTS_BPF_PACE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#define REF_SEC	       1000000000ULL
#define REF_MS	       1000000ULL
#define REF_SEGMENT    1514
#define REF_CREDIT_MAX (10 * REF_SEC) /* a larger burst is not kept longer */

typedef unsigned __int128 u128;
typedef __int128 s128;

struct reference_scope {
	uint64_t rate, burst; /* bytes; 0: has not seen a packet */

	/* When all is paid for, in 1/rate of a nanosecond. */
	s128 next;
	bool rounded; /* since it was set anew: to a nanosecond only */
	bool changed; /* the rate, with this packet */

	/*
	 * A bucket that leaks at the rate: the most that it ever holds is what
	 * passed in any window above rate * its length.  In 1/REF_SEC of a
	 * byte.
	 */
	u128 above, most_above;
	uint64_t leaked_ns; /* until when; time only goes forward here */
	uint32_t largest;   /* packet so far */
};

/* Before a packet: the limit as it is now, and time goes on to now. */
void reference_turn(struct reference_scope *scope, uint64_t rate,
		    uint64_t burst, uint64_t now);

/* What was sent above the rate, as time; below 0: credit. */
int64_t reference_debt(const struct reference_scope *scope, uint64_t now);

/* A packet passed. */
void reference_pass(struct reference_scope *scope, uint32_t wire);

/*
 * Whether next_ns is right: to the nanosecond.  With the first packet at
 * another rate there may be no credit, and no more debt than there was; what
 * there is of it counts from then on.
 */
bool reference_agrees(struct reference_scope *scope, uint64_t next_ns,
		      uint64_t now);

/* Bytes that may pass above the rate in any window. */
double reference_bound(const struct reference_scope *scope, uint32_t sockets);

#endif
