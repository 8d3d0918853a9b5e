/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacing: the controller that makes a scope's rate true.  Each TCP socket is
 * given a rate to pace itself at, so nothing waits in a queue, and at a
 * steady limit nothing is dropped.  docs/shaping.md has the long account.
 *
 *	pace_fold_begin(sk, now)	for each packet of a TCP socket
 *	pace_charge(pace, …, sk, nth)	for each scope of it, innermost first
 *	pace_fold_end(sk, …)		leaves the wanted rate with the socket
 *	pace_socket(ops, sk)		sockops: sets it where it moved
 *
 * A virtual clock, next_ns, moves on by wire / rate with each packet.  How
 * far it is ahead of now is the debt: what was sent above the rate, as time.
 * Behind now it is credit, of which an idle scope keeps half its burst.
 *
 * Users are counted by the time that they are busy: a packet keeps its socket
 * busy for wire / set, where set is the rate the socket is really paced at.
 * A greedy socket is one user, one that sends a third of what it may is a
 * third, an idle one is none; and as it is set that counts, it does not
 * matter how late a socket hears of a new rate.  Once an epoch
 *
 *	fair = (rate * (1 - debt / patience) - loose) / users
 *
 * with loose for what nothing paces: handshakes, pure ACKs, and the first ten
 * segments of a connection, which TCP does not pace.  What all send is then
 * rate * (1 - debt / patience), so debt decays with the time constant
 * patience and the long-run rate is exact, whatever users is wrong by.  It is
 * stable as patience is several times what it takes until a rate is heard of:
 * the epoch, the RTT, and the time between two packets of a socket.
 *
 * A socket that is given much too small a rate sleeps for the length of a
 * packet at that rate and cannot be told.  So users is never more than the
 * sockets that sent lately, and debt never takes more than half of the rate.
 *
 * The clock is the bound as well.  What comes on top of credit + slack is
 * dropped; what TCP does not pace at credit already, where the drop costs
 * nobody but the newcomer.  What is not TCP is one user, with a clock of its
 * own that runs at fair and holds it exactly to that.
 *
 * Races that are accepted: a socket hears of its rate at its next RTT sample;
 * nth may mean another scope for one packet after the policy has changed.
 */
#ifndef WEIR_CGROUP_PACE_BPF_H
#define WEIR_CGROUP_PACE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/pace_abi.h"
#include "rules/image_abi.h"

#define PACE_SEC 1000000000ULL
#define PACE_MS	 1000000ULL

#define PACE_LINK    14	   /* bytes of link header on each segment */
#define PACE_SEGMENT 1514  /* bytes, where time is reckoned in segments */
#define PACE_SMALL   256   /* bytes: what asks, answers and pings */
#define PACE_EARLY   14000 /* bytes of payload: ten segments are not paced */
#define PACE_SHARE   62600 /* 1448 of 1514, in 1/65536 */

/* How much a socket may send at once, by its window, as time at its rate. */
#define PACE_WINDOW_US	  5000
#define PACE_WINDOW_BYTES 65536 /* where more than this, leave it alone */

/* Of the kernel's, by value: the system's headers for BPF lack them. */
#define PACE_SOL_SOCKET	  1
#define PACE_SO_RATE	  47 /* SO_MAX_PACING_RATE */
#define PACE_SOL_TCP	  6
#define PACE_SO_IW	  1001 /* TCP_BPF_IW */
#define PACE_SO_CLAMP	  1002 /* TCP_BPF_SNDCWND_CLAMP */
#define PACE_SO_UNLIMITED 0xffffffffU

static __always_inline __u64 pace_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static __always_inline __u64 pace_max(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* How long bytes take at rate. */
static __always_inline __u64 pace_time(__u64 bytes, __u64 rate)
{
	return pace_min(bytes, 1ULL << 34) * PACE_SEC / (rate ?: 1);
}

/* Bytes on the wire; headers: IP and TCP or UDP, those of each segment. */
static __always_inline __u32 pace_wire_bytes(__u32 len, __u32 segments,
					     __u32 headers)
{
	if (segments <= 1)
		return len + PACE_LINK;
	return len + PACE_LINK * segments + headers * (segments - 1);
}

/* ---------------------------------------------------- the controller */

/* The time constant of the debt; see above why it must not be short. */
static __always_inline __u64 pace_patience(const struct pace *pace)
{
	__u64 ns = pace_max(100 * PACE_MS, 8 * pace->epoch_ns);

	ns = pace_max(ns, 4 * pace->cover_ns);
	return pace_max(ns, 4000ULL * pace->rtt_us);
}

/*
 * rate * (1 - debt / patience), at least half of it.  Credit is used up twice
 * as fast as debt is paid back, with at most one and a half of the rate.
 */
static __always_inline __u64 pace_target(__u64 rate, __s64 debt_ns,
					 __u64 patience)
{
	__u64 parts;

	if (debt_ns >= 0) {
		parts = (__u64)debt_ns * 1024 / patience;
		return rate - rate * pace_min(parts, 512) / 1024;
	}
	parts = (__u64)-debt_ns * 2048 / patience;
	return rate + rate * pace_min(parts, 512) / 1024;
}

/* Takes from what spilled over the part that falls into the next span. */
static __always_inline __u64 pace_spilt(struct pace *pace, __u64 span)
{
	__u64 part = pace->spill_ns;

	if (pace->cover_ns > span)
		part = part * (span >> 10) / (pace->cover_ns >> 10);
	pace->spill_ns -= part;
	return part;
}

/* Of the epoch that ended late ns ago and so took that much longer. */
static __always_inline void pace_count_users(struct pace *pace, __u64 late)
{
	__u64 took = pace->epoch_ns + late, seen, weight, most;

	if (late)
		pace->used_ns += pace_spilt(pace, late);
	seen = pace->used_ns * PACE_USER / took;
	/* The fewer packets an epoch sees, the more epochs must be seen. */
	weight = pace_max(4, 4 * pace->cover_ns / took);
	weight = pace_min(weight, 64);
	if (seen > 2 * (__u64)pace->users + PACE_USER)
		pace->users = (pace->users + seen) / 2;
	else
		pace->users = (pace->users * (weight - 1) + seen) / weight;
	most = PACE_USER * pace_max(pace->count, pace->count_before);
	pace->users = pace_min(pace->users, most);
	pace->loose =
		(pace->loose * 15 + pace->loose_bytes * PACE_SEC / took) / 16;
}

static __always_inline void pace_epoch_end(struct pace *pace, __s64 debt_ns,
					   __u64 now)
{
	__u64 users, target;

	pace_count_users(pace, now - pace->end_ns);
	target = pace_target(pace->rate, debt_ns, pace_patience(pace));
	target -= pace_min(pace->loose, target - target / 4);
	/* Where there is less than a user he may have more than the rate. */
	users = pace_max(pace->users, PACE_USER * 4 / 5);
	pace->fair = pace_max(target * PACE_USER / users, 1);
	pace->slack_ns = pace_time(
		(16 + pace->users / PACE_USER) * PACE_SEGMENT, pace->rate);
	pace->slack_ns = pace_max(pace->slack_ns, 50 * PACE_MS);
	pace->end_ns = now + pace->epoch_ns;
	pace->used_ns = pace_spilt(pace, pace->epoch_ns);
	pace->loose_bytes = 0;
	pace->rtt_us -= pace->rtt_us / 8;
}

/* Debt is owed in bytes: at another rate it is another time. */
static __always_inline __u64 pace_debt_at(const struct pace *pace, __u64 rate,
					  __u64 now)
{
	__s64 debt_ns = pace->next_ns - now;

	if (!pace->rate || debt_ns <= 0)
		return 0;
	return pace_min(debt_ns, 10 * PACE_SEC) / 1000 * pace->rate / rate *
	       1000;
}

/* A new scope, or a changed limit: in force with this packet. */
static __always_inline void pace_start(struct pace *pace,
				       const struct limit_row *limit, __u64 now)
{
	__u64 rate = limit->rate_bytes;

	pace->next_ns = now + pace_debt_at(pace, rate, now);
	pace->next_rest = 0;
	pace->other_ns = now;
	pace->rate = rate;
	pace->burst_bytes = limit->burst_bytes;
	pace->credit_ns = pace_time(limit->burst_bytes / 2, rate);
	pace->credit_ns = pace_min(pace->credit_ns, 10 * PACE_SEC);
	pace->epoch_ns = pace_time(4 * PACE_SEGMENT, rate);
	pace->epoch_ns = pace_max(pace->epoch_ns, 4 * PACE_MS);
	pace->epoch_ns = pace_min(pace->epoch_ns, 100 * PACE_MS);
	pace->users = pace_max(pace->users, PACE_USER);
	pace->fair = pace_max(rate * PACE_USER / pace->users, 1);
	pace->slack_ns = pace_time(32 * PACE_SEGMENT, rate) + 50 * PACE_MS;
	pace->end_ns = now + pace->epoch_ns;
	pace->used_ns = 0;
	pace->spill_ns = 0;
	pace->loose_bytes = 0;
}

/* Brings the controller up to now; returns the debt. */
static __always_inline __s64 pace_turn(struct pace *pace,
				       const struct limit_row *limit, __u64 now)
{
	__u64 window = pace_max(PACE_SEC, 32 * pace->epoch_ns);
	__s64 debt_ns;

	if (pace->rate != limit->rate_bytes ||
	    pace->burst_bytes != limit->burst_bytes)
		pace_start(pace, limit, now);
	if (now - pace->window_ns >= window) {
		pace->count_before =
			now - pace->window_ns < 2 * window ? pace->count : 0;
		pace->count = 0;
		pace->others = 0;
		pace->window_ns = now;
	}
	debt_ns = pace->next_ns - now;
	if (debt_ns < -(__s64)pace->credit_ns) {
		debt_ns = -(__s64)pace->credit_ns;
		pace->next_ns = now - pace->credit_ns;
	}
	if ((__s64)(pace->end_ns - now) <= 0)
		pace_epoch_end(pace, debt_ns, now);
	return debt_ns;
}

/* -------------------------------------------------------- one packet */

/* A user is busy for ns from now on. */
static __always_inline void pace_use(struct pace *pace, __u64 ns, __u64 now)
{
	__u64 left = pace->end_ns - now; /* pace_turn saw to it: positive */

	pace->cover_ns = (pace->cover_ns * 7 + ns) / 8;
	pace->used_ns += pace_min(ns, left);
	if (ns > left)
		pace->spill_ns += ns - left;
}

/* The rate that the socket is busy at, as this scope counts. */
static __always_inline __u64 pace_rate_of(const struct pace *pace,
					  const struct pace_sock *sk, __u32 nth)
{
	if (!sk)
		return pace->fair;
	if (sk->set_tight == nth)
		return sk->set;
	/* Another scope holds it to less: here it is a part of a user. */
	return pace_max(pace->fair, sk->set);
}

/* What is not TCP: whether the clock that runs at fair lets it pass. */
static __always_inline bool pace_other(struct pace *pace, __u32 wire, __u64 now)
{
	__s64 ahead = pace->other_ns - now;
	__u64 most =
		pace_max(2 * PACE_MS, pace_time(2 * PACE_SEGMENT, pace->fair));

	/* Questions and pings get through beside a flood. */
	if (wire <= PACE_SMALL)
		most *= 4;
	if (ahead > (__s64)most)
		return false;
	if (ahead < -(__s64)pace->credit_ns)
		pace->other_ns = now - pace->credit_ns;
	pace->other_ns += pace_time(wire, pace->fair);
	if (!pace->others)
		pace->count++;
	pace->others = 1;
	return true;
}

/* Before a packet of a TCP socket is charged to its scopes. */
static __always_inline void pace_fold_begin(struct pace_sock *sk, __u64 now)
{
	sk->fold = PACE_UNLIMITED;
	sk->fold_tight = 0xff;
	sk->fold_last_ns = sk->last_ns;
	sk->last_ns = now;
}

/* After that; also where there was no scope, so that a limit is lifted. */
static __always_inline void pace_fold_end(struct pace_sock *sk, __u32 wire,
					  __u32 payload)
{
	__u32 usual = (__u64)wire * sk->share >> 16;
	__u32 apart = usual > payload ? usual - payload : payload - usual;

	sk->wanted = sk->fold;
	sk->tight = sk->fold_tight;
	if (!payload)
		return;
	if (sk->sent < PACE_EARLY)
		sk->sent += payload;
	if (apart > payload / 256) {
		usual = ((__u64)payload << 16) / wire;
		sk->share = sk->share ? (sk->share * 3ULL + usual) / 4 : usual;
	}
}

/* What the scope wants of the socket, and how it knows it. */
static __always_inline void pace_fold(struct pace *pace, struct pace_sock *sk,
				      __u32 nth, bool too_much)
{
	if (sk->rtt_us > pace->rtt_us)
		pace->rtt_us = sk->rtt_us;
	if ((__s64)(sk->fold_last_ns - pace->window_ns) < 0)
		pace->count++;
	if (pace->fair < sk->fold) {
		sk->fold = pace->fair;
		sk->fold_tight = nth;
	}
	if (too_much)
		sk->again = 1;
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
	__u64 bound, total;
	bool loose;
	__s64 debt_ns;

	if (!limit->rate_bytes)
		return true;
	debt_ns = pace_turn(pace, limit, now);
	/* A socket that never was told a rate sends as it likes. */
	loose = !payload || (sk && (sk->sent < PACE_EARLY || !sk->set));
	bound = pace->credit_ns;
	if (!loose || !payload)
		bound += pace->slack_ns;
	if (sk)
		pace_fold(pace, sk, nth, debt_ns > (__s64)pace->credit_ns);
	if (debt_ns > (__s64)bound)
		return false;
	if (!sk && payload && !pace_other(pace, wire, now))
		return false;
	if (loose)
		pace->loose_bytes += wire;
	else
		pace_use(pace, pace_time(wire, pace_rate_of(pace, sk, nth)),
			 now);
	/* Exact, also where a packet takes but a few ns. */
	total = (__u64)wire * PACE_SEC + pace->next_rest;
	pace->next_ns += total / pace->rate;
	pace->next_rest = total % pace->rate;
	return true;
}

/* --------------------------------------------------- sockops callbacks */

/*
 * Where the RTT is short the kernel sends 64 KB at once whatever the rate,
 * and then nothing for as long as that takes: half a second at 1 Mbit/s.  So
 * the window of a slow socket is clamped to what PACE_WINDOW_US and the RTT
 * need.  Returns segments; 0: no clamp.
 */
static __always_inline __u32 pace_window(__u64 payload_rate, __u32 segment,
					 __u32 rtt_us)
{
	__u64 bytes = payload_rate * (PACE_WINDOW_US + 2ULL * rtt_us) / 1000000;

	if (bytes > PACE_WINDOW_BYTES)
		return 0;
	return pace_max(bytes / (segment ?: 1), 2);
}

static __always_inline void pace_clamp(struct bpf_sock_ops *ops,
				       struct pace_sock *sk, __u64 payload_rate)
{
	__u32 window = pace_window(payload_rate, ops->mss_cache, sk->rtt_us);
	int value = window ?: 1 << 20;

	if (window == sk->window)
		return;
	/* Not for every little more. */
	if (window && sk->window && window > sk->window &&
	    window < sk->window + sk->window / 4)
		return;
	if (window && window < 10 && !ops->data_segs_out)
		bpf_setsockopt(ops, PACE_SOL_TCP, PACE_SO_IW, &value,
			       sizeof(value));
	if (bpf_setsockopt(ops, PACE_SOL_TCP, PACE_SO_CLAMP, &value,
			   sizeof(value)) == 0)
		sk->window = window;
}

/* Whether the wanted rate is as good as set: within 1/128. */
static __always_inline bool pace_is_set(const struct pace_sock *sk)
{
	__u64 wanted = sk->wanted, set = sk->set;

	if (!wanted)
		return true;
	if (wanted == PACE_UNLIMITED)
		return !set;
	if (!set || sk->again)
		return false;
	return (wanted > set ? wanted - set : set - wanted) <= set / 128;
}

/*
 * At ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED and each RTT callback: the
 * socket gets the rate that its last packet left with it.
 */
static __always_inline void pace_socket(struct bpf_sock_ops *ops,
					struct pace_sock *sk)
{
	__u64 payload_rate = PACE_SO_UNLIMITED;
	__u32 value;

	sk->rtt_us = ops->srtt_us >> 3;
	if (pace_is_set(sk))
		return;
	if (sk->wanted != PACE_UNLIMITED)
		payload_rate = sk->wanted * (sk->share ?: PACE_SHARE) >> 16;
	/* Beyond 34 Gbit/s the option cannot say it: the bound has to. */
	value = pace_min(pace_max(payload_rate, 8), PACE_SO_UNLIMITED);
	pace_clamp(ops, sk, payload_rate);
	if (bpf_setsockopt(ops, PACE_SOL_SOCKET, PACE_SO_RATE, &value,
			   sizeof(value)) < 0)
		return;
	sk->set = sk->wanted == PACE_UNLIMITED ? 0 : sk->wanted;
	sk->set_tight = sk->tight;
	sk->again = 0;
}

#endif
