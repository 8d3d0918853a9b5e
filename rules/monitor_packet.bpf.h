/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a chain decided of a packet, for those who listen.  To be asked beside
 * the chain and not below it, as the stack of that is short; all is in global
 * functions, so that the verifier follows it once.
 */
#ifndef WEIR_RULES_MONITOR_PACKET_BPF_H
#define WEIR_RULES_MONITOR_PACKET_BPF_H

#include "rules/match.bpf.h"
#include "rules/monitor.bpf.h"

/* Who a verdict is about: a group's uid, or the index of a device's row. */
#define WHOSE(uid, generation) ((__u64)(generation) << 32 | (uid))

/* In the place of states in HOW(): the seat. */
#define HOW_SEAT(how) ((how) >> 8 & 0xff)

static __always_inline __u8 event_hook(__u32 hook)
{
	return (hook & HOOK_OUT ? EVENT_OUT : 0) |
	       (hook & HOOK_DEVICE ? EVENT_DEVICE : 0);
}

/* What packets and calls have in common.  All of the event is written. */
static __always_inline void event_fill(struct monitor_event *event,
				       const struct packet *p, __u64 whose,
				       __u64 decided)
{
	event->at_ns = bpf_ktime_get_ns();
	event->kind = EVENT_VERDICT;
	event->flags = 0;
	event->verdict = DECISION(decided);
	event->family = p->flags & IS_NOT_IP ? 0 : p->family;
	event->protocol = p->protocol;
	event->icmp_type = p->icmp_type;
	event->icmp_code = p->icmp_code;
	event->pad = 0;
	event->generation = whose >> 32;
	event->whose = whose;
	event->counter = decided >> DECIDED_COUNTER;
	event->ifindex = p->ifindex;
	__builtin_memcpy(event->src, &p->src, sizeof(event->src));
	__builtin_memcpy(event->dst, &p->dst, sizeof(event->dst));
	event->src_port = p->src_port;
	event->dst_port = p->dst_port;
	event->pid = 0;
	__builtin_memset(event->program, 0, sizeof(event->program));
	event->bytes = p->bytes;
	event->received = 0;
	event->began_ns = 0;
}

static __always_inline __u8 event_has(const struct packet *p)
{
	__u32 lacks = p->absent | p->unknown;

	return (lacks & LOOK_DST_PORT || is_icmp(p) ? 0 : EVENT_PORTS) |
	       (lacks & LOOK_ICMP_TYPE || !is_icmp(p) ? 0 : EVENT_ICMP);
}

/*
 * A first segment that is sent again tells nothing new; and it is sent by a
 * timer.  Any other, and a datagram, is sent by the process that runs.
 */
enum {
	SENT_BY_SOMEBODY = 0,
	SENT_BY_PROCESS = 1,
	SENT_AGAIN = 2,
};

static __always_inline int event_sender(struct __sk_buff *skb, __u32 hook)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tcp;

	if (!(hook & HOOK_OUT) || hook & HOOK_DEVICE || !sk)
		return SENT_BY_SOMEBODY;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return SENT_BY_SOMEBODY;
	if (sk->type != SOCKET_STREAM)
		return SENT_BY_PROCESS;
	if (sk->state != SOCKET_SYN_SENT)
		return SENT_BY_SOMEBODY;
	tcp = bpf_tcp_sock(sk);
	return tcp && tcp->total_retrans ? SENT_AGAIN : SENT_BY_PROCESS;
}

/* how: with the seat.  Returns 0. */
__noinline int monitor_put(struct __sk_buff *skb, __u32 how, __u64 whose,
			   __u64 decided)
{
	__u32 seat = HOW_SEAT(how), hook = how >> 16;
	const struct monitor_want *want;
	struct monitor_event *event;
	struct packet packet;
	void *ring;

	want = bpf_map_lookup_elem(&monitor_wants, &seat);
	ring = bpf_map_lookup_elem(&monitor_rings, &seat);
	if (!want || !ring)
		return 0;
	packet_read(skb, &packet);
	packet_forget(&packet, ZEROES(*(const volatile __u16 *)&want->zero));
	event = monitor_reserve(ring, seat);
	if (!event)
		return 0;
	event_fill(event, &packet, whose, decided);
	event->flags = event_hook(hook) | event_has(&packet);
	event->cgroup = bpf_skb_cgroup_id(skb);
	if (event_sender(skb, hook) == SENT_BY_PROCESS)
		monitor_sender(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Offers it to those seats; may: the rule has told less than its bound. */
static __always_inline void monitor_offer(struct __sk_buff *skb, __u32 how,
					  __u64 whose, __u64 decided,
					  __u32 seats, int may)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < MONITORS_MAX; i++) {
		if (!(seats >> i & 1))
			continue;
		if (may)
			monitor_put(skb, how | i << 8, whose, decided);
		else
			monitor_note(i, NOTE_SUPPRESSED);
	}
}

/*
 * A chain has decided: who listens to its rule is told.  how: HOW(), without
 * states.  Then DECIDED_VARIES is returned, as the next packet of the flow is
 * to be told of as well, else 0.
 */
__noinline __u64 monitor_verdict(struct __sk_buff *skb, __u32 how, __u64 whose,
				 __u64 decided)
{
	__u32 counter = decided >> DECIDED_COUNTER, seats, uid = whose;
	__u64 now = monitor_now();
	struct rule_log *log;

	if (!now)
		return 0;
	log = bpf_map_lookup_elem(&rule_logs, &counter);
	if (!log || event_sender(skb, how >> 16) == SENT_AGAIN)
		return 0;
	if (how >> 16 & HOOK_DEVICE)
		uid = 0; /* no group's */
	seats = monitor_seats(uid, DECISION(decided) == ROW_ALLOW, now);
	if (seats)
		monitor_offer(skb, how, whose, decided, seats,
			      monitor_take(log, now));
	return DECIDED_VARIES;
}

#endif
