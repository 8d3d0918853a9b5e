/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller of one scope: its virtual clock, and the rate that is fair
 * to each of its users.  The law and why it is stable: cgroup/pace.bpf.h.
 */
#ifndef WEIR_CGROUP_PACE_CLOCK_BPF_H
#define WEIR_CGROUP_PACE_CLOCK_BPF_H

#include "cgroup/pace_users.bpf.h"
#include "rules/image_abi.h"

/* The time constant of the debt, long enough for a rate to be heard of. */
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

static __always_inline void pace_epoch_end(struct pace *pace, __s64 debt_ns,
					   __u64 now)
{
	__u64 users, target;

	pace_count_users(pace, now - pace->end_ns);
	if (debt_ns <= -(__s64)pace->credit_ns)
		pace_forget_users(pace);
	target = pace_target(pace->rate, debt_ns, pace_patience(pace));
	target -= pace_min(pace->loose, target - target / 4);
	users = pace_all_users(pace);
	pace->all = users;
	pace->favour = pace_favour(pace);
	pace_set_fair(pace, target * PACE_USER / users, now);
	pace->slack_ns = pace_time(
		(16 + pace->users / PACE_USER) * PACE_SEGMENT, pace->rate);
	pace->slack_ns = pace_max(pace->slack_ns, 50 * PACE_MS);
	pace->end_ns = now + pace->epoch_ns;
	pace->used_ns = pace_spilt(pace, pace->epoch_ns);
	pace->other_used = 0;
	pace->loose_bytes = 0;
	pace->rtt_us -= pace->rtt_us / 8;
}

/*
 * Debt is owed in bytes: at another rate it is another time.  But nobody waits
 * for seconds at a low rate to pay for milliseconds at a high one.
 */
static __always_inline __u64 pace_debt_at(const struct pace *pace, __u64 rate,
					  __u64 now)
{
	__s64 debt_ns = pace->next_ns - now;
	__u64 bytes;

	if (debt_ns <= 0)
		return 0;
	bytes = pace_min(debt_ns, PACE_SEC) / 1000 * pace->rate / 1000000;
	return pace_min(pace_time(bytes, rate), pace->early_ns);
}

/*
 * A socket that knows its rate before the scope has seen a packet is one of
 * so many: those that were open before the limit (pace_adopt).  They have been
 * busy, so there is no credit but for what each of them may send at once.
 */
static __always_inline void pace_expect(struct pace *pace, __u64 rate,
					__u64 set, __u64 now)
{
	__u64 at_once;

	if (!set || set >= rate)
		return;
	pace->users = pace_min(rate * PACE_USER / set, PACE_USER << 16);
	pace->count_before = pace->users / PACE_USER + 1;
	pace->window_ns = now;
	at_once = pace_time(pace->count_before * PACE_PACKET, rate);
	pace->next_ns = now - pace_min(pace->credit_ns, at_once);
}

/*
 * A new scope, which has all its credit, or a changed limit, which has none:
 * in force with this packet.  set: what its socket was told, 0 where nothing.
 */
static __always_inline void pace_start(struct pace *pace,
				       const struct limit_row *limit, __u64 set,
				       __u64 now)
{
	__u64 rate = limit->rate_bytes;

	pace->credit_ns = pace_time(limit->burst_bytes, rate);
	pace->credit_ns = pace_min(pace->credit_ns, 10 * PACE_SEC);
	pace->early_ns = pace_time(2 * PACE_SEGMENT, rate);
	pace->early_ns = pace_max(pace->early_ns, 10 * PACE_MS);
	if (pace->rate)
		pace->next_ns = now + pace_debt_at(pace, rate, now);
	else
		pace->next_ns = now - pace->credit_ns;
	if (!pace->rate)
		pace_expect(pace, rate, set, now);
	pace->next_rest = 0;
	pace->other_ns = now;
	pace->rate = rate;
	pace->burst_bytes = limit->burst_bytes;
	pace->epoch_ns = pace_time(4 * PACE_SEGMENT, rate);
	pace->epoch_ns = pace_max(pace->epoch_ns, 4 * PACE_MS);
	pace->epoch_ns = pace_min(pace->epoch_ns, 100 * PACE_MS);
	pace->most = pace_max(rate * PACE_USER / pace_least_users(rate), 1);
	pace->users = pace_max(pace->users, PACE_USER);
	pace->fair = pace_max(rate * PACE_USER / pace->users, 1);
	pace->all = pace->users;
	pace->favour = pace_favour(pace);
	pace->slack_ns = pace_time(32 * PACE_SEGMENT, rate) + 50 * PACE_MS;
	pace->end_ns = now + pace->epoch_ns;
	pace->used_ns = 0;
	pace->spill_ns = 0;
	pace->other_used = 0;
	pace->loose_bytes = 0;
}

/* Brings the controller up to now; returns the debt. */
static __always_inline __s64 pace_turn(struct pace *pace,
				       const struct limit_row *limit, __u64 set,
				       __u64 now)
{
	__s64 debt_ns;

	if (pace->rate != limit->rate_bytes ||
	    pace->burst_bytes != limit->burst_bytes)
		pace_start(pace, limit, set, now);
	pace_windows_turn(pace, now);
	debt_ns = pace->next_ns - now;
	if (debt_ns < -(__s64)pace->credit_ns) {
		debt_ns = -(__s64)pace->credit_ns;
		pace->next_ns = now - pace->credit_ns;
	}
	if ((__s64)(pace->end_ns - now) <= 0)
		pace_epoch_end(pace, debt_ns, now);
	return debt_ns;
}

#endif
