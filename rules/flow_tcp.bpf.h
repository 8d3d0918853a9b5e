/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP as devices follow it: which segments belong to a connection, and which
 * of them end it.  docs/state.md has this beside netfilter's.
 *
 * Only some segments are looked at (rules/known.bpf.h), so no window is known.
 * What would end a connection, a FIN or RST, has to begin about where the other
 * side has acknowledged to: who forges it from outside sees no such
 * acknowledgement and cannot send one, as that comes from the other side.  One
 * that does not is let through, as the receiver looks more closely, and
 * believed by nobody here.
 */
#ifndef WEIR_RULES_FLOW_TCP_BPF_H
#define WEIR_RULES_FLOW_TCP_BPF_H

#include "rules/flow_abi.h"
#include "rules/packet.bpf.h"
#include "rules/tcp_flags.h"

/* A role as an index, in words that the verifier of 5.10 knows, too. */
static __always_inline __u32 tcp_index(__u32 role)
{
	barrier_var(role);
	return role & 1;
}

/* What a segment is to the connection whose it might be. */
enum {
	TCP_FITS,
	TCP_ANEW,  /* begins another in its place */
	TCP_AMISS, /* is not part of it */
};

static __always_inline int tcp_is_over(__u32 said)
{
	return said & FLOW_RESET || (said & (FLOW_FIN | FLOW_FIN << 1)) ==
					    (FLOW_FIN | FLOW_FIN << 1);
}

/* role: 0 for who spoke first, 1 for the other.  Flags are valid ones. */
static __always_inline int tcp_meets(__u32 said, __u32 proven, __u32 role,
				     __u8 flags)
{
	__u32 syns = said & (FLOW_SYN | FLOW_SYN << 1);

	if (flags & TCP_RST)
		return TCP_FITS;
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		if (tcp_is_over(said))
			return TCP_ANEW;
		/* Sent again; or both call at once. */
		return !role || (syns & FLOW_SYN && !proven) ? TCP_FITS
							     : TCP_AMISS;
	}
	if (flags & TCP_SYN)
		return role || (syns & FLOW_SYN << 1 && !proven) ? TCP_FITS
								 : TCP_AMISS;
	/* Nobody has answered the call. */
	if (syns == FLOW_SYN && (!role || flags & TCP_FIN))
		return TCP_AMISS;
	return TCP_FITS;
}

/* Sequence number and acknowledgement of a segment. */
struct tcp_numbers {
	__be32 sequence, acked;
};

static __always_inline void tcp_read(struct __sk_buff *skb,
				     const struct packet *p,
				     struct tcp_numbers *ret_numbers)
{
	struct tcp_numbers numbers = { 0 };

	packet_load(skb, p, p->transport + 4, &numbers, sizeof(numbers));
	*ret_numbers = numbers;
}

/* So far ahead of what is acknowledged it may be without any stride: 256 KiB.
 */
#define TCP_AHEAD_LEAST (1U << 18)
/* What was sent again may begin so far before it. */
#define TCP_BEHIND (1U << 16)

/* Whether a sequence number of a side's is about where it is. */
static __always_inline int tcp_is_near(const struct flow *flow, __u32 said,
				       __u32 role, __u32 sequence)
{
	__u32 other = tcp_index(role ^ 1), stride = flow->strides[other];
	__u32 ahead = sequence - flow->acked[other] + TCP_BEHIND;

	if (!(said & FLOW_ACKED << other))
		return 1;
	return ahead <
	       TCP_BEHIND + TCP_AHEAD_LEAST + (stride << (FLOW_STRIDE + 1));
}

/* What is heard with a segment that fits: bits of flow.said. */
static __always_inline __u32 tcp_says(const struct flow *flow, __u32 said,
				      __u32 role, __u8 flags, __u32 sequence)
{
	if (flags & TCP_SYN)
		return FLOW_SYN << role;
	if (!(flags & (TCP_FIN | TCP_RST)) ||
	    !tcp_is_near(flow, said, role, sequence))
		return 0;
	return flags & TCP_RST ? FLOW_RESET : FLOW_FIN << role;
}

/*
 * Whether an acknowledgement of who spoke first tells that it has heard the
 * other side: it has nothing to go by where that did not call.
 */
static __always_inline int tcp_has_heard(const struct flow *flow, __u32 said,
					 __u32 acked)
{
	return said & FLOW_ACKED || !(said & FLOW_SYN << 1) ||
	       acked - flow->acked[0] < TCP_AHEAD_LEAST;
}

/* A stride beyond that is somebody's who makes numbers up. */
#define TCP_STRIDE_MAX (1U << (28 - FLOW_STRIDE))

/*
 * Notes what a side acknowledges, from the second time on.  Without a lock,
 * where there are no windows: a number that is lost, or lands with the next
 * flow, makes a FIN or RST be doubted, once.
 */
static __always_inline void tcp_goes_on(struct flow *flow, __u32 said,
					__u32 role, __u8 flags, __u32 acked)
{
	__u32 i = tcp_index(role);
	__u32 stride = (acked - flow->acked[i]) >> FLOW_STRIDE;

	if (!(flags & TCP_ACK) || flags & TCP_RST ||
	    !(said & FLOW_ACKED << role))
		return;
	if (stride < TCP_STRIDE_MAX && stride >= flow->strides[i])
		flow->strides[i] = stride + 1;
	flow->acked[i] = acked;
}

/* Whether it is the first that a side acknowledges: FLOW_ACKED of it, or 0. */
static __always_inline __u32 tcp_acknowledges(const struct flow *flow,
					      __u32 said, __u32 role,
					      __u8 flags, __u32 acked)
{
	if (!(flags & TCP_ACK) || flags & TCP_RST ||
	    (!role && !tcp_has_heard(flow, said, acked)))
		return 0;
	return (FLOW_ACKED << role) & ~said;
}

/* Notes what begins with a segment; heard: what is new with it. */
static __always_inline void tcp_begins(struct flow *flow, __u32 said,
				       __u32 role, __u32 heard, __u32 sequence,
				       __u32 acked)
{
	if (heard & (FLOW_ACKED | FLOW_ACKED << 1))
		flow->acked[tcp_index(role)] = acked;
	if (heard & FLOW_SYN << 1 && !(said & FLOW_ACKED))
		flow->acked[0] = sequence + 1;
}

#endif
