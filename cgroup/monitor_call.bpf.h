/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call that was refused, for those who listen.  One that goes on is told of
 * when it is a packet.
 */
#ifndef WEIR_CGROUP_MONITOR_CALL_BPF_H
#define WEIR_CGROUP_MONITOR_CALL_BPF_H

#include "rules/address.bpf.h"
#include "rules/monitor_packet.bpf.h"

/* As monitor_put; a process calls for itself. */
static __always_inline void call_put(struct bpf_sock_addr *ctx, int is_ip6,
				     __u32 how, __u64 whose, __u64 decided,
				     __u64 cgroup)
{
	__u32 seat = HOW_SEAT(how), hook = how >> 16, states = 0;
	const struct monitor_want *want;
	struct monitor_event *event;
	struct packet packet;
	void *ring;

	want = bpf_map_lookup_elem(&monitor_wants, &seat);
	ring = bpf_map_lookup_elem(&monitor_rings, &seat);
	if (!want || !ring)
		return;
	address_read(ctx, is_ip6, hook, &packet, &states);
	packet_forget(&packet, ZEROES(*(const volatile __u16 *)&want->zero));
	event = monitor_reserve(ring, seat);
	if (!event)
		return;
	event_fill(event, &packet, whose, decided);
	event->flags = event_hook(hook) | event_has(&packet) | EVENT_CALL |
		       (hook & HOOK_SENDMSG ? EVENT_SENDMSG : 0);
	event->cgroup = cgroup;
	monitor_sender(event);
	bpf_ringbuf_submit(event, 0);
}

/* As with ADDRESS_WALKS there are two of each. */
#define MONITOR_CALLS(version, is_ip6)                                         \
	__noinline int monitor_put##version(struct bpf_sock_addr *ctx,         \
					    __u32 how, __u64 whose,            \
					    __u64 decided, __u64 cgroup)       \
	{                                                                      \
		call_put(ctx, is_ip6, how, whose, decided, cgroup);            \
		return 0;                                                      \
	}                                                                      \
                                                                               \
	__noinline int monitor_call##version(struct bpf_sock_addr *ctx,        \
					     __u32 how, __u64 whose,           \
					     __u64 decided, __u64 cgroup)      \
	{                                                                      \
		__u32 counter = decided >> DECIDED_COUNTER, seats, i;          \
		__u64 now = monitor_now();                                     \
		struct rule_log *log;                                          \
		int may;                                                       \
                                                                               \
		if (!now)                                                      \
			return 0;                                              \
		log = bpf_map_lookup_elem(&rule_logs, &counter);               \
		seats = log ? monitor_seats(whose, 0, now) : 0;                \
		if (!seats)                                                    \
			return 0;                                              \
		may = monitor_take(log, now);                                  \
		for (i = 0; i < MONITORS_MAX; i++) {                           \
			if (!(seats >> i & 1))                                 \
				continue;                                      \
			if (may)                                               \
				monitor_put##version(ctx, how | i << 8, whose, \
						     decided, cgroup);         \
			else                                                   \
				monitor_note(i, NOTE_SUPPRESSED);              \
		}                                                              \
		return 0;                                                      \
	}

MONITOR_CALLS(4, 0)
MONITOR_CALLS(6, 1)

/* A call was refused; the arguments are those of monitor_verdict. */
static __always_inline void monitor_call(struct bpf_sock_addr *ctx, int is_ip6,
					 __u32 how, __u64 whose, __u64 decided,
					 __u64 cgroup)
{
	if (is_ip6)
		monitor_call6(ctx, how, whose, decided, cgroup);
	else
		monitor_call4(ctx, how, whose, decided, cgroup);
}

#endif
