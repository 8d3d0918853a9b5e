/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacing: the controller that makes a scope's rate true.  Each TCP socket
 * gets a pacing rate; nothing waits in a queue and nothing is dropped at a
 * steady limit.
 *
 *	pace_fold_begin(sk)		once a packet, sk from socket storage
 *	pace_charge(…) for each scope	under the scope's lock; innermost first
 *	pace_fold_end(sk, …)		leaves the wanted rate with the socket
 *	pace_socket(ops, sk)		in sockops: sets it where it moved
 *
 * A virtual clock (next_ns) runs ahead by wire / rate with each packet; how
 * far it is ahead of now is the scope's debt: what was sent above the rate.
 * Users are counted by the time they are busy: a packet of a paced socket
 * keeps it busy for wire / set, where set is the rate that it is really paced
 * at, so neither idle nor application-limited sockets take a share, and it
 * does not matter how late a socket learns its rate.  Per epoch
 *
 *	fair = rate * (1 - debt / patience) / users
 *
 * The sum of what is sent is then rate * (1 - debt / patience): debt decays
 * with the time constant patience, which is chosen to be several times what
 * it takes a socket to hear of its rate.  So the long-run rate is exact.
 */
#ifndef WEIR_CGROUP_PACE_BPF_H
#define WEIR_CGROUP_PACE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/pace_abi.h"
#include "rules/image_abi.h"

#define PACE_SEC     1000000000ULL
#define PACE_MS	     1000000ULL
#define PACE_LINK    14	  /* bytes of link header on each segment */
#define PACE_SEGMENT 1514 /* bytes on the wire, for times in segments */

#define PACE_SOL_SOCKET	   1
#define PACE_SO_MAX_PACING 47

static __always_inline __u64 pace_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static __always_inline __u64 pace_max(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* Time that bytes take at rate. */
static __always_inline __u64 pace_time(__u64 bytes, __u64 rate)
{
	return bytes * PACE_SEC / (rate ?: 1);
}

/* Bytes on the wire of a packet: headers (IP and TCP) of every segment. */
static __always_inline __u32 pace_wire_bytes(__u32 len, __u32 segments,
					     __u32 headers)
{
	if (segments <= 1)
		return len + PACE_LINK;
	return len + PACE_LINK * segments + headers * (segments - 1);
}

static __always_inline __u64 pace_epoch_length(__u64 rate)
{
	__u64 length = pace_time(8 * PACE_SEGMENT, rate);

	return pace_min(pace_max(length, 4 * PACE_MS), 200 * PACE_MS);
}

/* How long a debt may take to be paid back: the loop's time constant. */
static __always_inline __u64 pace_patience(const struct pace *pace, __u64 epoch)
{
	__u64 patience = pace_max(100 * PACE_MS, 8 * epoch);

	return pace_max(patience, 4000ULL * pace->rtt_us);
}

/* rate * (1 - debt / patience), within [rate / 8, rate * 5 / 4]. */
static __always_inline __u64 pace_target(__u64 rate, __s64 debt_ns,
					 __u64 patience)
{
	__u64 parts;

	if (debt_ns > 0) {
		if ((__u64)debt_ns >= patience)
			return rate / 8 + 1;
		parts = (patience - debt_ns) * 1024 / patience;
		return pace_max(rate * parts / 1024, rate / 8) + 1;
	}
	parts = (__u64)-debt_ns * 1024 / patience;
	return rate + rate * pace_min(parts, 256) / 1024;
}

static __always_inline void pace_epoch_end(struct pace *pace, __s64 debt_ns,
					   __u64 now)
{
	__u64 length = pace_epoch_length(pace->rate);
	__u64 over = now - pace->epoch_ns;
	__u64 took = length + over, seen, spill, target;

	/* Late: what spilled over fell due meanwhile. */
	spill = pace_min(pace->spill_ns, pace->spills * over);
	seen = (pace->used_ns + spill) * PACE_USER / took;
	pace->spill_ns -= spill;
	if (seen > pace->users + pace->users / 4)
		pace->users = seen;
	else
		pace->users = (pace->users * 3 + seen) / 4;
	target = pace_target(pace->rate, debt_ns, pace_patience(pace, length));
	/* fewer than 0.8 users: some more than the rate, not without end */
	seen = pace_max(pace->users, PACE_USER * 4 / 5);
	pace->fair = target * PACE_USER / seen;
	pace->epoch_ns = now + length;
	spill = pace_min(pace->spill_ns, pace->spills * length);
	pace->used_ns = spill;
	pace->spill_ns -= spill;
	if (!pace->spill_ns)
		pace->spills = 0;
	pace->rtt_us -= pace->rtt_us / 8;
}

static __always_inline void pace_begin(struct pace *pace, __u64 rate, __u64 now)
{
	__s64 debt_ns = pace->next_ns - now;

	if (pace->rate && debt_ns > 0) {
		__u64 us = pace_min(debt_ns, 10 * PACE_SEC) / 1000;

		pace->next_ns = now + us * pace->rate / rate * 1000;
	} else {
		pace->next_ns = now;
	}
	if (!pace->rate)
		pace->users = PACE_USER;
	pace->rate = rate;
	pace->next_rest = 0;
	pace->fair = rate * PACE_USER / (pace->users ?: 1);
	pace->fair = pace_min(pace->fair, rate);
	pace->other_ns = now;
	pace->epoch_ns = now + pace_epoch_length(rate);
	pace->used_ns = pace->spill_ns = pace->spills = 0;
}

static __always_inline void pace_use(struct pace *pace, __u64 use, __u64 now)
{
	__s64 left = pace->epoch_ns - now;

	if (left < 0)
		left = 0;
	if (use <= (__u64)left) {
		pace->used_ns += use;
		return;
	}
	pace->used_ns += left;
	pace->spill_ns += use - left;
	pace->spills++;
}

/* Before the scopes of a packet are charged. */
static __always_inline void pace_fold_begin(struct pace_sock *sk)
{
	sk->folded = PACE_UNLIMITED;
	sk->fold_tight = 0xff;
}

/* After: payload and wire bytes as in pace_charge. */
static __always_inline void pace_fold_end(struct pace_sock *sk, __u32 wire,
					  __u32 payload)
{
	sk->wanted = sk->folded;
	sk->tight = sk->fold_tight;
	if (payload) {
		__u32 share = ((__u64)payload << 16) / (wire ?: 1);

		sk->share = sk->share ? (sk->share * 3 + share) / 4 : share;
	}
}

static __always_inline bool pace_charge(struct pace *pace,
					const struct limit_row *limit,
					struct pace_sock *sk, __u32 nth,
					__u32 wire, __u32 payload, __u64 now)
{
	__u64 rate = limit->rate_bytes, credit, bound, by, total;
	__s64 debt_ns;

	if (!rate)
		return true;
	if (pace->rate != rate)
		pace_begin(pace, rate, now);
	credit = pace_time(limit->burst_bytes, rate);
	debt_ns = pace->next_ns - now;
	if (debt_ns < -(__s64)credit) {
		debt_ns = -(__s64)credit;
		pace->next_ns = now - credit;
	}
	if ((__s64)(pace->epoch_ns - now) <= 0)
		pace_epoch_end(pace, debt_ns, now);

	bound = credit +
		pace_max(50 * PACE_MS, pace_time(32 * PACE_SEGMENT, rate));
	if (sk) {
		if (sk->rtt_us > pace->rtt_us)
			pace->rtt_us = sk->rtt_us;
		if (pace->fair < sk->folded) {
			sk->folded = pace->fair;
			sk->fold_tight = nth;
		}
	}
	if (debt_ns > (__s64)bound)
		return false;
	by = pace->fair;
	if (sk && sk->set) {
		if (sk->set_tight == nth)
			by = sk->set;
		else
			by = pace_max(by, sk->set);
	}
	if (!sk && payload) {
		__s64 ahead = pace->other_ns - now;

		if (ahead >
		    (__s64)pace_max(2 * PACE_MS,
				    pace_time(2 * PACE_SEGMENT, pace->fair)))
			return false;
		if (ahead < -(__s64)PACE_MS)
			pace->other_ns = now - PACE_MS;
		pace->other_ns += pace_time(wire, pace->fair);
	}
	pace_use(pace, pace_time(wire, by), now);
	total = (__u64)wire * PACE_SEC + pace->next_rest;
	pace->next_ns += total / rate;
	pace->next_rest = total % rate;
	return true;
}

static __always_inline void pace_socket(struct bpf_sock_ops *ops,
					struct pace_sock *sk)
{
	__u64 wanted = sk->wanted, set = sk->set, payload, apart;
	__u32 value = 0xffffffff;

	sk->rtt_us = ops->srtt_us >> 3;
	if (!wanted || wanted == set)
		return;
	if (wanted == PACE_UNLIMITED && !set)
		return;
	if (set && set != PACE_UNLIMITED && wanted != PACE_UNLIMITED) {
		apart = wanted > set ? wanted - set : set - wanted;
		if (apart < set / 128)
			return;
	}
	if (wanted != PACE_UNLIMITED) {
		payload = wanted * (sk->share ?: 62000) >> 16;
		payload = pace_max(payload, 64);
		value = pace_min(payload, 0xfffffffe);
	}
	if (bpf_setsockopt(ops, PACE_SOL_SOCKET, PACE_SO_MAX_PACING, &value,
			   sizeof(value)) < 0)
		return;
	sk->set = wanted == PACE_UNLIMITED ? 0 : wanted;
	sk->set_tight = sk->tight;
}

#endif
