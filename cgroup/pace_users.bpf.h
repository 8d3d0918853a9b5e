/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses a scope, and how many they are: what its rate is divided by. */
#ifndef WEIR_CGROUP_PACE_USERS_BPF_H
#define WEIR_CGROUP_PACE_USERS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/pace_abi.h"

#define PACE_SEC 1000000000ULL
#define PACE_MS	 1000000ULL
#define PACE_US	 1000ULL

#define PACE_SEGMENT 1514  /* bytes, where time is reckoned in segments */
#define PACE_PACKET  65536 /* bytes: what TCP sends at once at high rates */
#define PACE_LATE    (200 * PACE_US) /* timers, and interrupts after them */

/* An hour or so, more than which no packet or epoch is reckoned to take. */
#define PACE_LONG (1ULL << 42)

/* TCP asks again after 200 ms, then after 500, if nothing is under way. */
#define PACE_WAIT (250 * PACE_MS)

/*
 * Somebody waits for a request or an answer, and it is over the sooner the
 * more of the rate it has.  So a socket counts as PACE_FAVOUR users until a
 * message, which is what it sends between two times at which it had nothing
 * left to send, is longer than 1/PACE_MESSAGE of a second at the whole rate.
 * Not where that leaves somebody so little that he sleeps for long between
 * two packets and cannot be told that he may have more; and the less the more
 * sockets there are, as of many that begin together each would have so little
 * when its message is too long, until those of all others are.
 */
#define PACE_FAVOUR	8
#define PACE_FAVOUR_MIN 600000 /* bytes per second for each socket */
#define PACE_FAVOUR_ALL 128    /* users, if all were favoured */
#define PACE_MESSAGE	40

static __always_inline __u64 pace_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static __always_inline __u64 pace_max(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* How long bytes take at rate; beyond 17 GB, whose nanoseconds wrap, as 17. */
static __always_inline __u64 pace_time(__u64 bytes, __u64 rate)
{
	return pace_min(bytes, 1ULL << 34) * PACE_SEC / (rate ?: 1);
}

/* Those of this window and of the one before. */
static __always_inline void pace_windows_turn(struct pace *pace, __u64 now)
{
	__s64 window = pace_max(PACE_SEC, 32 * pace->epoch_ns);
	/* May be below 0: another processor's now was later than ours. */
	__s64 age = now - pace->window_ns;

	if (age >= window) {
		pace->count_before = age < 2 * window ? pace->count : 0;
		pace->count = 0;
		pace->others = 0;
		pace->window_ns = now;
	}
	window = PACE_WAIT;
	age = now - pace->waiting_ns;
	if (age >= window) {
		pace->waiting_before = age < 2 * window ? pace->waiting : 0;
		pace->waiting = 0;
		pace->waiting_ns = now;
	}
}

/* ------------------------------------------------------- those who send */

/* A user is busy for ns from now on. */
static __always_inline void pace_use(struct pace *pace, __u64 ns, __u64 now)
{
	__u64 left = pace->end_ns - now; /* pace_turn saw to it: positive */

	ns = pace_min(ns, PACE_LONG);
	pace->cover_ns = (pace->cover_ns * 7 + ns) / 8;
	pace->used_ns += pace_min(ns, left);
	if (ns > left)
		pace->spill_ns =
			pace_min(pace->spill_ns + ns - left, 2 * PACE_LONG);
}

/* Takes from what spilled over the part that falls into the next span. */
static __always_inline __u64 pace_spilt(struct pace *pace, __u64 span)
{
	__u64 part = pace->spill_ns;

	/* In 2^20ths: below 2^43 * 2^20, and no division by 0. */
	if (pace->cover_ns > span)
		part = part * ((span << 20) / pace->cover_ns) >> 20;
	pace->spill_ns -= part;
	return part;
}

/* That sent lately. */
static __always_inline __u64 pace_sockets(const struct pace *pace)
{
	return pace_max(pace->count, pace->count_before);
}

static __always_inline __u32 pace_favour(const struct pace *pace)
{
	__u64 sockets = pace_sockets(pace);

	/* Who is alone has all of the rate as it is. */
	if (sockets < 2 || pace->rate / PACE_FAVOUR_MIN < sockets)
		return 1;
	return pace_min(pace_max(PACE_FAVOUR_ALL / sockets, 1), PACE_FAVOUR);
}

/* No socket is more users than its weight. */
static __always_inline __u64 pace_most_users(const struct pace *pace)
{
	return PACE_USER * pace->favour * pace_sockets(pace);
}

/*
 * What is not TCP owes bytes, too: where fair is another, so is the time that
 * they take.  Or a datagram that was charged while a thousand others shared the
 * rate would keep its kind silent for a second after they have gone.
 */
static __always_inline void pace_set_fair(struct pace *pace, __u64 fair,
					  __u64 now)
{
	__u64 was = pace->fair, is = pace_max(fair, 1), ahead, shift;

	pace->fair = is;
	if ((__s64)(pace->other_ns - now) <= 0)
		return;
	/* So that the product is not too big. */
	ahead = pace_min(pace->other_ns - now, PACE_LONG);
	shift = ahead >> 31 ? 11 : 0;
	if (was >> 32) {
		was >>= 16;
		is = pace_max(is >> 16, 1);
	}
	ahead = pace_min((ahead >> shift) * was / is, PACE_LONG >> shift);
	pace->other_ns = now + (ahead << shift);
}

/* Makes fair anew for all users instead of pace->all. */
static __always_inline void pace_share_among(struct pace *pace, __u64 all,
					     __u64 now)
{
	/* So that neither product nor quotient is too big. */
	if (pace->fair >> 32)
		pace_set_fair(pace, pace->fair / all * pace->all, now);
	else
		pace_set_fair(pace, pace->fair * pace->all / all, now);
	pace->all = all;
}

/*
 * After a pause a message begins that is longer than a packet: everybody makes
 * way at once.  As users is smoothed, it learns of it little by little.
 */
static __always_inline void pace_begins(struct pace *pace, struct pace_sock *sk,
					__u64 now)
{
	__u32 weight = PACE_USER * (sk->favour ? sk->weight : pace->favour);

	if (sk->message || sk->drained ||
	    now - sk->fold_last_ns < pace->epoch_ns)
		return;
	sk->begun = weight;
	sk->begun_ns = pace->end_ns;
	pace->begun += weight;
	pace_share_among(pace, pace->all + weight, now);
}

/* What the socket added when its message began, as far as not in users yet. */
static __always_inline __u32 pace_begun_end(struct pace *pace,
					    struct pace_sock *sk)
{
	__u32 left = sk->begun;
	__u64 epochs;

	if (!left)
		return 0;
	epochs = (pace->end_ns - sk->begun_ns) / pace->epoch_ns;
	/* An epoch takes a quarter of it into users: two, almost a half. */
	left >>= pace_min(epochs / 2, 31);
	pace->begun -= pace_min(pace->begun, left);
	sk->begun = 0;
	return left;
}

/* A message ends: the next epoch need not make way for it. */
static __always_inline void pace_ends(struct pace *pace, struct pace_sock *sk)
{
	if (sk->drained)
		pace_begun_end(pace, sk);
}

/*
 * A message is too long to be favoured any more: its socket is one user from
 * now on.  As many as users had come to hold it for, nobody waits until that
 * is forgotten, which at low rates takes as long as the message took.
 */
static __always_inline void pace_grows(struct pace *pace, struct pace_sock *sk,
				       __u64 now)
{
	__u64 weight, over, left;

	if (!sk->grown || !sk->set)
		return;
	weight = pace_min(PACE_USER * (__u64)pace->favour,
			  pace->most * PACE_USER / sk->set);
	over = weight - pace_min(weight, PACE_USER);
	left = pace_min(pace_begun_end(pace, sk), over);
	over = pace_min(over - left,
			pace->users - pace_min(pace->users, PACE_USER));
	pace->users -= over;
	over = pace_min(over + left,
			pace->all - pace_min(pace->all, PACE_USER));
	pace_share_among(pace, pace->all - over, now);
}

/* Whether what no socket paces has asked for more than it gets, ns ago. */
static __always_inline bool pace_other_asks(const struct pace *pace, __u64 now,
					    __u64 ns)
{
	return pace->drop_ns && (__s64)(now - pace->drop_ns) < (__s64)ns;
}

/* Of the epoch that ended late ns ago and so took that much longer. */
static __always_inline void pace_count_users(struct pace *pace, __u64 late)
{
	__u64 took = pace->epoch_ns + late, other, seen, weight;

	if (late)
		pace->used_ns += pace_spilt(pace, late);
	other = pace_min(pace->other_used, took);
	if (pace_other_asks(pace, pace->end_ns + late, took))
		other = took;
	seen = (pace->used_ns + other) * PACE_USER / took;
	/* The fewer packets an epoch sees, the more epochs must be seen. */
	weight = pace_max(4, 4 * pace->cover_ns / took);
	weight = pace_min(weight, 64);
	if (seen > 2 * (__u64)pace->users + pace->begun + PACE_USER)
		pace->users = (pace->users + seen) / 2;
	else
		pace->users = (pace->users * (weight - 1) + seen) / weight;
	pace->users = pace_min(pace->users, pace_most_users(pace));
	pace->begun -= pace->begun / weight;
	pace->loose =
		(pace->loose * 15 + pace->loose_bytes * PACE_SEC / took) / 16;
}

/*
 * So little is sent that all credit is there: who was told next to nothing,
 * and is gone, must not count for as long as that would take him.
 */
static __always_inline void pace_forget_users(struct pace *pace)
{
	pace->users /= 2;
	pace->spill_ns /= 2;
	pace->begun /= 2;
}

/* ------------------------------------------------------- those who wait */

/* A packet of the socket passed, or is to be counted anew. */
static __always_inline void pace_waits_end(struct pace *pace,
					   const struct pace_sock *sk,
					   __u32 nth)
{
	__s64 age = sk->waits_ns - pace->waiting_ns;

	if (!sk->waits_ns || sk->waits_at != nth)
		return;
	if (age >= 0 && pace->waiting)
		pace->waiting--;
	if (age < 0 && age >= -(__s64)PACE_WAIT && pace->waiting_before)
		pace->waiting_before--;
}

/* A packet of the socket is dropped. */
static __always_inline void pace_waits(struct pace *pace, struct pace_sock *sk,
				       __u32 nth, __u64 now)
{
	pace_waits_end(pace, sk, nth);
	if (!sk->refused_ns)
		sk->refused_ns = now;
	pace->waiting++;
	sk->waits_at = nth;
	sk->waits_ns = now;
}

/* ------------------------------------------------------------------ all */

/*
 * Where there is less than one user he may have more than the rate.  How much
 * more: a packet that waits for its time leaves up to PACE_LATE later, and at
 * high rates that is as long as a packet takes.
 */
static __always_inline __u64 pace_least_users(__u64 rate)
{
	__u64 packet = pace_time(PACE_PACKET, rate);

	return pace_max(PACE_USER * packet / (packet + PACE_LATE), 1);
}

/*
 * Those who send and those who wait.  For these no more is kept than they may
 * send at once when they ask again.
 */
static __always_inline __u64 pace_all_users(const struct pace *pace)
{
	__u64 waiting = pace->waiting + (__u64)pace->waiting_before;
	__u64 kept =
		pace_min(pace->credit_ns + pace->early_ns, PACE_WAIT * 3 / 4);
	__u64 users;

	kept = pace_max(pace->users, PACE_USER) * kept / (PACE_WAIT - kept);
	users = pace->users + pace->begun + pace_min(waiting * PACE_USER, kept);
	users = pace_min(users, pace_most_users(pace));
	return pace_max(users, pace_least_users(pace->rate));
}

#endif
