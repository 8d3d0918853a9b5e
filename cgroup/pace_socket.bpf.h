/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacing at the socket's side: what a packet's scopes want of it is folded
 * into one rate, and sockops sets that.
 */
#ifndef WEIR_CGROUP_PACE_SOCKET_BPF_H
#define WEIR_CGROUP_PACE_SOCKET_BPF_H

#include "cgroup/pace_clock.bpf.h"
#include "cgroup/sockets.bpf.h"

#define PACE_EARLY 14000 /* bytes of payload: ten segments are not paced */
#define PACE_SHARE 62600 /* 1448 of 1514, in 1/65536 */

/* In place of a scope's number: the rate is from before the first packet. */
#define PACE_ADOPTED 0xff
#define PACE_DEAF    0xfe /* … and no callback will tell another */

/* How much a socket may send at once, by its window, as time at its rate. */
#define PACE_WINDOW_US	  20000
#define PACE_WINDOW_BYTES 65536 /* where more than this, leave it alone */

/*
 * Before a packet of a TCP socket is charged to its scopes; unsent: bytes that
 * it has to send, this packet's among them.
 */
static __always_inline void pace_fold_begin(struct pace_sock *sk, __u32 unsent,
					    __u32 payload, __u64 now)
{
	__u16 before = sk->weight;

	if (sk->drained)
		sk->message = 0;
	sk->weight = 1;
	if (sk->favour > 1 && sk->message <= sk->short_bytes)
		sk->weight = sk->favour;
	sk->grown = before > sk->weight && sk->message;
	if (payload)
		sk->drained = unsent <= payload;
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
	sk->waits_ns = 0;
	sk->refused_ns = 0;
	sk->message += payload;
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
		sk->most = pace->most;
		sk->short_bytes = pace_min(pace->rate / PACE_MESSAGE, 1U << 31);
		sk->favour = pace->favour;
	}
	if (too_much)
		sk->again = 1;
}

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

/* mss: bytes; unused: it has sent no data yet, so that it may begin with less.
 */
static __always_inline void pace_clamp(void *to, struct pace_sock *sk,
				       __u64 payload_rate, __u32 mss,
				       bool unused)
{
	__u32 window = pace_window(payload_rate, mss, sk->rtt_us);
	int value = window ?: PACE_UNCLAMPED;

	if (window == sk->window && sk->set_tight != PACE_ADOPTED)
		return;
	/* Not for every little more. */
	if (window && sk->window && window > sk->window &&
	    window < sk->window + sk->window / 4)
		return;
	if (window && window < 10 && unused)
		bpf_setsockopt(to, PACE_SOL_TCP, PACE_SO_IW, &value,
			       sizeof(value));
	if (bpf_setsockopt(to, PACE_SOL_TCP, PACE_SO_CLAMP, &value,
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
	if (!set || sk->again || sk->weight != sk->set_weight)
		return false;
	return (wanted > set ? wanted - set : set - wanted) <= set / 128;
}

/* What the application asks for: any rate that is not what it was told. */
static __always_inline void pace_ask(struct pace_sock *sk, __u64 pacing)
{
	if (sk->told && pacing == sk->told)
		return;
	sk->asked = pacing;
	sk->again = 1;
}

/* The pacing rate for the wanted rate, in bytes of payload per second. */
static __always_inline __u64 pace_payload_rate(const struct pace_sock *sk)
{
	__u64 rate;

	if (sk->wanted == PACE_UNLIMITED)
		return sk->asked;
	rate = pace_min(sk->wanted * sk->weight, sk->most);
	rate = pace_max(rate, sk->wanted) * (sk->share ?: PACE_SHARE) >> 16;
	return pace_min(pace_max(rate, 8), sk->asked);
}

/*
 * Sets the pacing rate for the wanted rate; to: the socket, or what sockops
 * has of it.
 */
static __always_inline void pace_set(void *to, struct pace_sock *sk, __u32 mss,
				     bool unused)
{
	/* Beyond 34 Gbit/s the option cannot say it: the bound has to. */
	__u32 value = pace_min(pace_payload_rate(sk), PACE_SO_UNLIMITED);

	pace_clamp(to, sk, value, mss, unused);
	if (bpf_setsockopt(to, PACE_SOL_SOCKET, PACE_SO_RATE, &value,
			   sizeof(value)) < 0)
		return;
	sk->told = value == PACE_SO_UNLIMITED ? PACE_UNLIMITED : value;
	sk->set = sk->wanted == PACE_UNLIMITED ? 0 : sk->wanted;
	sk->set_tight = sk->tight;
	sk->set_weight = sk->weight;
	sk->again = 0;
}

/*
 * Gives a socket that nobody will tell anything any more what its application
 * asked for.
 */
static __always_inline void pace_let_go(void *to, const struct pace_sock *sk)
{
	__u32 rate = pace_min(sk->asked, PACE_SO_UNLIMITED);
	int clamp = PACE_UNCLAMPED;

	if (sk->window)
		bpf_setsockopt(to, PACE_SOL_TCP, PACE_SO_CLAMP, &clamp,
			       sizeof(clamp));
	if (sk->told)
		bpf_setsockopt(to, PACE_SOL_SOCKET, PACE_SO_RATE, &rate,
			       sizeof(rate));
}

/*
 * A socket that was open before its limit, and is told a rate before its
 * first packet is charged: share, what it may have on the wire, which its
 * first packets make exact.  It is no newcomer, and in the midst of something.
 */
static __always_inline void pace_adopt(void *to, struct pace_sock *sk,
				       __u64 share, __u64 pacing, __u32 mss,
				       bool hears, __u64 now)
{
	sk->wanted = share;
	sk->most = share;
	sk->tight = hears ? PACE_ADOPTED : PACE_DEAF;
	sk->weight = 1;
	sk->sent = PACE_EARLY;
	sk->message = 1ULL << 40;
	sk->last_ns = now;
	pace_ask(sk, pacing);
	pace_set(to, sk, mss, false);
	sk->wanted = 0;
	sk->again = 1;
}

/*
 * Whether a socket with a clamp is to be told of congestion with a packet that
 * passes.  The clamp only keeps a window from growing; this makes TCP shrink
 * it to the slow start threshold.  That is half of the window, or the clamp
 * where that is set again meanwhile (pace_clamp).  window: its own, in
 * segments.
 */
static __always_inline bool pace_shrinks(const struct pace_sock *sk,
					 __u32 window)
{
	return sk->set_tight == PACE_ADOPTED || window > 2 * sk->window;
}

/* Whether no packet of it was charged since it was adopted. */
static __always_inline bool pace_is_adopted(const struct pace_sock *sk)
{
	return !sk->wanted && sk->told;
}

/*
 * At ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED and each RTT callback: the
 * socket gets the rate that its last packet left with it.  pacing: the rate
 * that it has.
 */
static __always_inline void pace_socket(struct bpf_sock_ops *ops,
					struct pace_sock *sk, __u64 pacing)
{
	sk->rtt_us = ops->srtt_us >> 3;
	pace_ask(sk, pacing);
	if (pace_is_set(sk))
		return;
	pace_set(ops, sk, ops->mss_cache, !ops->data_segs_out);
}

#endif
