/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacing: the controller that makes a scope's rate true.  Each TCP socket is
 * given a rate to pace itself at, so nothing waits in a queue, and at a
 * steady limit nothing is dropped.  docs/shaping.md has the long account.
 *
 *	pace_fold_begin(sk, …, now)	for each packet of a TCP socket
 *	pace_charge(pace, …, sk, nth)	for each scope of it, innermost first
 *	pace_fold_end(sk, …)		leaves the wanted rate with the socket
 *	pace_socket(ops, sk, pacing)	sockops: sets it where it moved
 *	pace_adopt(tcp, sk, share, …)	a socket that was open before the limit
 *
 * A virtual clock, next_ns, moves on by wire / rate with each packet.  How
 * far it is ahead of now is the debt: what was sent above the rate, as time.
 * Behind now it is credit: a new scope and an idle one have their burst.
 *
 * Users are counted by the time that they are busy: a packet keeps its socket
 * busy for wire / set, where set is the fair rate the socket was really told.
 * A greedy socket is one user, one that sends a third of what it may is a
 * third, an idle one is none; and as it is set that counts, it does not
 * matter how late a socket hears of a new rate.  Once an epoch
 *
 *	fair = (rate * (1 - debt / patience) - loose) / users
 *
 * with loose for what has no payload: handshakes, pure ACKs.  What all send is
 * then rate * (1 - debt / patience), so debt decays with the time constant
 * patience and the long-run rate is exact, whatever users is wrong by.  It is
 * stable as patience is several times what it takes until a rate is heard of:
 * the epoch, the RTT, and the time between two packets of a socket.
 *
 * A message that begins, a request or an answer, makes its socket count as
 * several users: that much more than fair it is paced at, and as the time of a
 * packet is reckoned at fair, that many it is.
 *
 * A socket that is given much too small a rate sleeps for the length of a
 * packet at that rate and cannot be told.  So users is never more than the
 * sockets that sent lately, and debt never takes more than half of the rate.
 *
 * The clock is the bound as well: at a debt of slack everything is dropped.
 * TCP does not pace the first ten segments of a connection, so these meet the
 * bound as soon as there is debt to speak of (early), which costs nobody but
 * the newcomer; he waits for a timer, and is a user meanwhile.  What is not
 * TCP is one user, with a clock of its own that runs at fair and holds it
 * exactly to that: while it is dropped it is one user, however it comes.
 *
 * Races that are accepted: a socket hears of its rate at its next RTT sample;
 * nth may mean another scope for one packet after the policy has changed.
 */
#ifndef WEIR_CGROUP_PACE_BPF_H
#define WEIR_CGROUP_PACE_BPF_H

#include "cgroup/pace_clock.bpf.h"
#include "cgroup/pace_socket.bpf.h"

#define PACE_LINK  14  /* bytes of link header on each segment */
#define PACE_SMALL 256 /* bytes: what asks, answers and pings */

/* A slow newcomer's window is two segments (pace_window), not ten. */
#define PACE_SLOW 3

/* From then on who waits may owe more; after twice that, as much as anybody. */
#define PACE_PATIENT (3 * PACE_SEC / 2)

/* Who asks for more than he gets may pause for so long and lose nothing. */
#define PACE_PAUSE (10 * PACE_MS)

/* Bytes on the wire; headers: IP and TCP or UDP, those of each segment. */
static __always_inline __u32 pace_wire_bytes(__u32 len, __u32 segments,
					     __u32 headers)
{
	if (segments <= 1)
		return len + PACE_LINK;
	return len + PACE_LINK * segments + headers * (segments - 1);
}

/* The rate that the socket is busy at, as this scope counts. */
static __always_inline __u64 pace_rate_of(const struct pace *pace,
					  const struct pace_sock *sk, __u32 nth)
{
	if (!sk->set)
		return pace->fair;
	if (sk->set_tight == nth)
		return sk->set;
	/* Another scope holds it to less: here it is a part of a user. */
	return pace_max(pace->fair, sk->set);
}

/*
 * What is not TCP: whether the clock that runs at fair lets it pass.  It has
 * the scope's whole burst, but not while it asks for more than it gets: then
 * that would come in heaps, but for what makes good a short pause.
 */
static __always_inline bool pace_other(struct pace *pace, __u32 wire, __u64 now)
{
	__u64 takes = pace_time(wire, pace->fair), most, credit;
	__s64 ahead = pace->other_ns - now;

	most = pace_max(2 * PACE_MS, pace_time(2 * PACE_SEGMENT, pace->fair));
	credit = pace->credit_ns;
	if (pace_other_asks(pace, now, PACE_WAIT))
		credit = pace_min(credit, pace_max(PACE_PAUSE, most));
	/* Questions and pings get through beside a flood. */
	if (wire <= PACE_SMALL)
		most *= 4;
	if (ahead > (__s64)most) {
		pace->drop_ns = now;
		return false;
	}
	if (ahead < -(__s64)credit)
		pace->other_ns = now - credit;
	pace->other_ns += takes;
	pace->other_used += takes;
	if (!pace->others)
		pace->count++;
	pace->others = 1;
	return true;
}

/*
 * The debt at which a packet is dropped: early while TCP does not pace it yet,
 * or was never told a rate.  A question is no crowd: it would wait 200 ms for
 * next to nothing.  Who waits asks each half second, and if he asks at a bad
 * moment he may do so again and again, until TCP gives the connection up; so he
 * may owe more the longer he has waited.
 */
static __always_inline __u64 pace_bound(const struct pace *pace,
					const struct pace_sock *sk, __u32 wire,
					__u32 payload, __u64 now)
{
	__u64 early, waited;

	if (!sk || !payload || wire <= PACE_SMALL ||
	    (sk->sent >= PACE_EARLY && sk->set))
		return pace->slack_ns;
	early = pace->early_ns * (sk->window ? PACE_SLOW : 1);
	if (!sk->refused_ns || early >= pace->slack_ns)
		return early;
	waited = pace_min(now - sk->refused_ns, 2 * PACE_PATIENT);
	waited -= pace_min(waited, PACE_PATIENT);
	return early +
	       (pace->slack_ns - early) / 1024 * (waited * 1024 / PACE_PATIENT);
}

/*
 * Charges a packet to one scope, under its lock: true, pass it; false, drop
 * it (with "congestion" as the verdict, so that TCP slows down and nobody is
 * given an error).  sk is NULL where it is not of a TCP socket; payload is 0
 * for what TCP sends without any; nth is the scope's place in the list.
 */
static __always_inline bool pace_charge(struct pace *pace,
					const struct limit_row *limit,
					struct pace_sock *sk, __u32 nth,
					__u32 wire, __u32 payload, __u64 now)
{
	__u64 total;
	__s64 debt_ns;
	bool drop;

	if (!limit->rate_bytes)
		return true;
	debt_ns = pace_turn(pace, limit, sk ? sk->set : 0, now);
	drop = debt_ns > (__s64)pace_bound(pace, sk, wire, payload, now);
	if (sk && payload && !drop && nth == sk->tight) {
		pace_begins(pace, sk, now);
		pace_grows(pace, sk, now);
		pace_ends(pace, sk);
	}
	if (sk)
		pace_fold(pace, sk, nth, debt_ns > (__s64)pace->early_ns);
	if (drop) {
		if (sk && payload)
			pace_waits(pace, sk, nth, now);
		return false;
	}
	if (sk && payload)
		pace_waits_end(pace, sk, nth);
	if (!sk && payload && !pace_other(pace, wire, now))
		return false;
	if (!payload)
		pace->loose_bytes += wire;
	else if (sk)
		pace_use(pace, pace_time(wire, pace_rate_of(pace, sk, nth)),
			 now);
	/* Exact, also where a packet takes but a few ns. */
	total = (__u64)wire * PACE_SEC + pace->next_rest;
	pace->next_ns += total / pace->rate;
	pace->next_rest = total % pace->rate;
	return true;
}

#endif
