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

#define PACE_WINDOW  30 /* sockets are counted in 2^30 ns */
#define PACE_SEC     1000000000ULL
#define PACE_MS	     1000000ULL
#define PACE_LINK    14	  /* bytes of link header on each segment */
#define PACE_SEGMENT 1514 /* bytes on the wire, for times in segments */

#define PACE_EARLY	   14000 /* TCP paces what comes after 10 segments */
#define PACE_SOL_SOCKET	   1
#define PACE_SO_MAX_PACING 47
#define PACE_SOL_TCP	   6
#define PACE_TCP_IW	   1001
#define PACE_TCP_CLAMP	   1002

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
	__u64 length = pace_time(4 * PACE_SEGMENT, rate);

	return pace_min(pace_max(length, 4 * PACE_MS), 100 * PACE_MS);
}

/* How long a debt may take to be paid back: the loop's time constant. */
static __always_inline __u64 pace_patience(const struct pace *pace, __u64 epoch)
{
	__u64 patience = pace_max(100 * PACE_MS, 8 * epoch);

	patience = pace_max(patience, 4 * pace->cover_ns);
	return pace_max(patience, 4000ULL * pace->rtt_us);
}

/*
 * rate * (1 - debt / patience), at least rate / 2.  Where there is credit to
 * be used up, twice as steep, and at most rate * 3 / 2.
 */
static __always_inline __u64 pace_target(__u64 rate, __s64 debt_ns,
					 __u64 patience)
{
	__u64 parts;

	if (debt_ns > 0) {
		if ((__u64)debt_ns >= patience)
			return rate / 2 + 1;
		parts = (patience - debt_ns) * 1024 / patience;
		return pace_max(rate * parts / 1024, rate / 2) + 1;
	}
	parts = (__u64)-debt_ns * 2048 / patience;
	return rate + rate * pace_min(parts, 512) / 1024;
}

/* Part of what spilled over that falls into the next span. */
static __always_inline __u64 pace_spilt(struct pace *pace, __u64 span)
{
	__u64 part = pace->spill_ns;

	if (pace->cover_ns > span)
		part = part * (span >> 10) / (pace->cover_ns >> 10);
	pace->spill_ns -= part;
	return part;
}

static __always_inline void pace_epoch_end(struct pace *pace, __s64 debt_ns,
					   __u64 now)
{
	__u64 length = pace_epoch_length(pace->rate);
	__u64 late = now - pace->epoch_ns;
	__u64 took = length + late, seen, target, loose, weight;

	if (late)
		pace->used_ns += pace_spilt(pace, late);
	seen = pace->used_ns * PACE_USER / took;
	/* The slower the packets, the more of them to see. */
	weight = pace_max(4, 4 * pace->cover_ns / took);
	weight = pace_min(weight, 64);
	if (seen > 2 * (__u64)pace->users + PACE_USER)
		pace->users = (pace->users + seen) / 2;
	else
		pace->users = (pace->users * (weight - 1) + seen) / weight;
	pace->users =
		pace_min(pace->users,
			 PACE_USER * pace_max(pace->count, pace->count_before));
	loose = pace->loose_bytes * PACE_SEC / took;
	pace->loose = (pace->loose * 15 + loose) / 16;
	target = pace_target(pace->rate, debt_ns, pace_patience(pace, length));
	target = pace_max(target - pace_min(pace->loose, target), target / 4);
	/* fewer than 0.8 users: some more than the rate, not without end */
	seen = pace_max(pace->users, PACE_USER * 4 / 5);
	pace->fair = target * PACE_USER / seen;
	pace->epoch_ns = now + length;
	pace->used_ns = pace_spilt(pace, length);
	pace->loose_bytes = 0;
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
	pace->used_ns = pace->spill_ns = pace->loose_bytes = 0;
}

static __always_inline void pace_use(struct pace *pace, __u64 use, __u64 now)
{
	__s64 left = pace->epoch_ns - now;

	pace->cover_ns = (pace->cover_ns * 7 + use) / 8;
	if (left < 0)
		left = 0;
	if (use <= (__u64)left) {
		pace->used_ns += use;
		return;
	}
	pace->used_ns += left;
	pace->spill_ns += use - left;
}

/* Before the scopes of a packet are charged. */
static __always_inline void pace_fold_begin(struct pace_sock *sk, __u64 now)
{
	__u32 window = now >> PACE_WINDOW;

	sk->fresh = sk->stamp != window;
	sk->stamp = window;
	sk->folded = PACE_UNLIMITED;
	sk->fold_tight = 0xff;
}

/* After: payload and wire bytes as in pace_charge. */
static __always_inline void pace_fold_end(struct pace_sock *sk, __u32 wire,
					  __u32 payload)
{
	sk->wanted = sk->folded;
	sk->tight = sk->fold_tight;
	if (sk->sent < PACE_EARLY)
		sk->sent += payload;
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
	bool early = false;
	__s64 debt_ns;

	if (!rate)
		return true;
	if (pace->rate != rate)
		pace_begin(pace, rate, now);
	credit = pace_time(limit->burst_bytes / 2, rate);
	debt_ns = pace->next_ns - now;
	if (debt_ns < -(__s64)credit) {
		debt_ns = -(__s64)credit;
		pace->next_ns = now - credit;
	}
	if ((__s64)(pace->epoch_ns - now) <= 0)
		pace_epoch_end(pace, debt_ns, now);

	if (pace->window != (__u32)(now >> PACE_WINDOW)) {
		bool next = pace->window + 1 == (__u32)(now >> PACE_WINDOW);

		pace->count_before = next ? pace->count : 0;
		pace->count = 0;
		pace->others = 0;
		pace->window = now >> PACE_WINDOW;
	}
	bound = credit;
	if (sk) {
		pace->count += sk->fresh;
		if (sk->rtt_us > pace->rtt_us)
			pace->rtt_us = sk->rtt_us;
		if (pace->fair < sk->folded) {
			sk->folded = pace->fair;
			sk->fold_tight = nth;
		}
		early = sk->sent < PACE_EARLY || !sk->set;
	}
	if (!early || !payload)
		bound += pace_max(
			50 * PACE_MS,
			pace_time((16 + pace->users / PACE_USER) * PACE_SEGMENT,
				  rate));
	if (debt_ns > (__s64)bound)
		return false;
	if (!sk && payload) {
		__s64 ahead = pace->other_ns - now;

		if (ahead >
		    (__s64)pace_max(2 * PACE_MS,
				    pace_time(2 * PACE_SEGMENT, pace->fair)))
			return false;
		if (ahead < -(__s64)PACE_MS)
			pace->other_ns = now - PACE_MS;
		pace->other_ns += pace_time(wire, pace->fair);
		/* All of them together are one user. */
		if (!pace->others)
			pace->count++;
		pace->others = 1;
	}
	if (early || !payload) {
		pace->loose_bytes += wire;
	} else {
		by = pace->fair;
		if (sk && sk->set_tight == nth)
			by = sk->set;
		else if (sk)
			by = pace_max(by, sk->set);
		pace_use(pace, pace_time(wire, by), now);
	}
	total = (__u64)wire * PACE_SEC + pace->next_rest;
	pace->next_ns += total / rate;
	pace->next_rest = total % rate;
	return true;
}

/*
 * How many segments may be under way.  Below a few ten Mbit/s a socket would
 * send its whole window, or 64 KB, at once and then be silent for as long as
 * that takes at its rate.  0: no clamp.
 */
static __always_inline __u32 pace_window(__u64 payload, __u32 mss, __u32 rtt_us)
{
	__u64 bytes = payload * (5000ULL + 2 * rtt_us) / 1000000;

	if (bytes > 65536)
		return 0;
	return pace_max(bytes / (mss ?: 1), 2);
}

static __always_inline void pace_clamp(struct bpf_sock_ops *ops,
				       struct pace_sock *sk, __u64 payload)
{
	int window = pace_window(payload, ops->mss_cache, sk->rtt_us);
	int opt = window ?: 1 << 20;

	if (window == (int)sk->window ||
	    (window > (int)sk->window && sk->window &&
	     window < (int)(sk->window + sk->window / 4)))
		return;
	if (!ops->data_segs_out && window && window < 10)
		bpf_setsockopt(ops, PACE_SOL_TCP, PACE_TCP_IW, &opt,
			       sizeof(opt));
	bpf_setsockopt(ops, PACE_SOL_TCP, PACE_TCP_CLAMP, &opt, sizeof(opt));
	sk->window = window;
}

static __always_inline void pace_socket(struct bpf_sock_ops *ops,
					struct pace_sock *sk)
{
	__u64 wanted = sk->wanted, set = sk->set, payload = ~0U, apart;
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
	pace_clamp(ops, sk, payload);
	if (bpf_setsockopt(ops, PACE_SOL_SOCKET, PACE_SO_MAX_PACING, &value,
			   sizeof(value)) < 0)
		return;
	sk->set = wanted == PACE_UNLIMITED ? 0 : wanted;
	sk->set_tight = sk->tight;
}

#endif
