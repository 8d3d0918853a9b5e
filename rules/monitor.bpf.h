/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who listens to events, and the way there.  As long as nobody does, that is
 * one look at `monitor_until`.
 *
 * Whatever is offered to a seat is counted: it was sent, or lost as the ring
 * is full, or suppressed as the rule has told enough.
 */
#ifndef WEIR_RULES_MONITOR_BPF_H
#define WEIR_RULES_MONITOR_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "rules/kernel.bpf.h"
#include "rules/monitor_abi.h"
#include "rules/tables.bpf.h"

/*
 * User space writes, BPF reads: when the last of all seats will be empty, or
 * 0; CLOCK_MONOTONIC.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} monitor_until SEC(".maps");

/* User space writes, BPF reads.  Index: the seat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MONITORS_MAX);
	__type(key, __u32);
	__type(value, struct monitor_want);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} monitor_wants SEC(".maps");

/* BPF counts, user space reads.  Index: the seat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MONITORS_MAX);
	__type(key, __u32);
	__type(value, struct monitor_count);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} monitor_counts SEC(".maps");

struct monitor_rings_inner {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* User space puts rings there and takes them away.  Index: the seat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MONITORS_MAX);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct monitor_rings_inner);
} monitor_rings SEC(".maps");

struct task_struct___monitor {
	int tgid;
	char comm[EVENT_PROGRAM];
} RELOCATED;

static __always_inline __u64 monitor_end(void)
{
	__u32 zero = 0;
	volatile __u64 *until = bpf_map_lookup_elem(&monitor_until, &zero);

	return until ? *until : 0;
}

/* Whether anybody may be listening: all that is looked at if nobody is. */
static __always_inline bool monitor_may_be_on(void)
{
	return monitor_end() != 0;
}

/* CLOCK_MONOTONIC; 0 where nobody listens. */
static __always_inline __u64 monitor_now(void)
{
	__u64 end = monitor_end(), now = end ? bpf_ktime_get_ns() : 0;

	return now < end ? now : 0;
}

/*
 * 1 or 0.  Global, so that the verifier looks at it once for all seats.
 * group_uid: 0 for what is of no group.
 */
__noinline __u32 monitor_wants_it(__u32 seat, __u32 group_uid, __u32 allows,
				  __u64 now)
{
	const struct monitor_want *want;

	want = bpf_map_lookup_elem(&monitor_wants, &seat);
	if (!want || want->until_ns <= now)
		return 0;
	if (want->group_uid && want->group_uid != group_uid)
		return 0;
	return !(want->refusals && allows);
}

/* Seats that want to hear of it, a bit each. */
static __always_inline __u32 monitor_seats(__u32 group_uid, __u32 allows,
					   __u64 now)
{
	__u32 seats = 0, i;

#pragma unroll
	for (i = 0; i < MONITORS_MAX; i++)
		seats |= (monitor_wants_it(i, group_uid, allows, now) & 1) << i;
	return seats;
}

enum {
	NOTE_SENT,
	NOTE_LOST, /* what was noted as sent was not */
	NOTE_SUPPRESSED,
};

/* 0: the seat has had all that it wants, and nothing is noted. */
__noinline int monitor_note(__u32 seat, __u32 what)
{
	struct monitor_count *count;
	int wants;

	count = bpf_map_lookup_elem(&monitor_counts, &seat);
	if (!count)
		return 0;
	bpf_spin_lock(&count->lock);
	wants = what == NOTE_LOST || count->left > 0;
	if (wants && what == NOTE_SENT) {
		count->left--;
		count->sent++;
	} else if (wants && what == NOTE_LOST) {
		count->left++;
		count->sent--;
		count->lost++;
	} else if (wants) {
		count->suppressed++;
	}
	bpf_spin_unlock(&count->lock);
	return wants;
}

/* Room for an event in the ring of a seat, noted; or NULL. */
static __always_inline struct monitor_event *monitor_reserve(void *ring,
							     __u32 seat)
{
	struct monitor_event *event;

	if (!monitor_note(seat, NOTE_SENT))
		return NULL;
	event = bpf_ringbuf_reserve(ring, sizeof(*event), 0);
	if (!event)
		monitor_note(seat, NOTE_LOST);
	return event;
}

/* The process that runs: only where it is the one that the event is about. */
static __always_inline void monitor_sender(struct monitor_event *event)
{
	struct task_struct___monitor *task = (void *)bpf_get_current_task();

	event->flags |= EVENT_SENDER;
	bpf_probe_read_kernel(&event->pid, sizeof(event->pid), &task->tgid);
	bpf_probe_read_kernel(event->program, sizeof(event->program),
			      &task->comm);
}

/* Takes one of the rule's tokens, if there is one, as limit_take does. */
static __always_inline int monitor_take(struct rule_log *log, __u64 now)
{
	__u64 due;
	int taken = 0;

	bpf_spin_lock(&log->lock);
	due = (log->due_ns > now ? log->due_ns : now) + log->interval_ns;
	if (due - now <= log->burst_ns) {
		log->due_ns = due;
		taken = 1;
	}
	bpf_spin_unlock(&log->lock);
	return taken;
}

#endif
