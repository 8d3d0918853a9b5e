/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where what arrives waits in a queue, TCP fills that until it drops: on short
 * paths whole bursts.  So a receiver offers no larger a window than its part
 * of the rate carries in a round trip and WINDOW_MORE_US more: then that is
 * all that waits.  Its part: what it got lately, the limit by all who receive
 * at least.  On long paths nothing was won by it, and a window that is too
 * small would cost throughput: there none is clamped.  docs/shaping.md has
 * the figures.
 *
 *	window_receiver(skb, …)		for each packet that arrives
 *	window_arrives(receiver, …)	where it is part of a transfer
 *	window_users(users, …)		for each scope, under its lock
 *	window_of(…)			what that scope would offer
 *	window_socket(ops)		sockops: clamps it with the next ACK
 */
#ifndef WEIR_CGROUP_WINDOW_BPF_H
#define WEIR_CGROUP_WINDOW_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/cgroup_abi.h"
#include "rules/kernel.bpf.h"

/* Of the kernel's, by value: the system's headers for BPF lack them. */
#define WINDOW_SOL_TCP	  6
#define WINDOW_CLAMP	  10 /* TCP_WINDOW_CLAMP; to bpf_setsockopt since 5.11 */
#define WINDOW_UNCLAMPED  0x7fffffff
#define WINDOW_EPOCH_BITS 28	/* ns: 268 ms */
#define WINDOW_MORE_US	  20000 /* of the rate, that may wait */
#define WINDOW_FAR_US	  5000	/* no clamp where the round trip is longer */
#define WINDOW_LEAST	  2896	/* bytes: two segments; the kernel takes 2304 */
#define WINDOW_SMALL	  256	/* bytes on the wire: no part of a transfer */

/* What lies with a TCP socket that receives.  Who receives has no lock. */
struct receiver {
	__u64 epoch; /* that bytes are of */
	__u64 bytes; /* on the wire, in this epoch so far */
	__u64 before;
	__u32 rtt_us; /* of the handshake, which waited nowhere; 0: unknown */
	__u32 wanted; /* window, bytes; 0, WINDOW_UNCLAMPED: no clamp */
	__u32 told;   /* clamp of ours; 0: none */
	__u32 pad;
};

/*
 * group_in writes, group_sockops reads and writes, lift_pacing deletes.  A
 * listener's goes with each connection: so that is known before its first
 * byte.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct receiver);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} receivers SEC(".maps");

/* NULL for what is no TCP socket's; with flags 0 it is not made. */
static __always_inline struct receiver *window_receiver(struct __sk_buff *skb,
							__u64 flags)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != 6)
		return NULL;
	return bpf_sk_storage_get(&receivers, sk, NULL, flags);
}

/* A limit is none any more: the socket hears of it with its next ACK. */
static __always_inline void window_lift(struct __sk_buff *skb)
{
	struct receiver *receiver = window_receiver(skb, 0);

	if (receiver)
		receiver->wanted = 0;
}

/* Whether this is the first packet of a transfer in this epoch. */
static __always_inline bool window_arrives(struct receiver *receiver,
					   __u32 wire, __u64 now)
{
	__u64 epoch = now >> WINDOW_EPOCH_BITS;
	bool first = receiver->epoch != epoch;

	if (wire <= WINDOW_SMALL)
		return false;
	if (first) {
		receiver->before =
			receiver->epoch + 1 == epoch ? receiver->bytes : 0;
		receiver->bytes = 0;
		receiver->epoch = epoch;
	}
	receiver->bytes += wire;
	return first;
}

/* How many sockets receive, this one counted; under the scope's lock. */
static __always_inline __u32 window_users(struct window_users *users,
					  bool first, __u64 now)
{
	__u64 epoch = now >> WINDOW_EPOCH_BITS;

	if (users->epoch != epoch) {
		users->before = users->epoch + 1 == epoch ? users->count : 0;
		users->count = 0;
		users->epoch = epoch;
	}
	users->count += first;
	return users->count > users->before ? users->count : users->before;
}

/*
 * The window that a scope's rate leaves a socket.  What several of them have
 * under way is spread over the lanes of the queue: twice as much may wait.
 */
static __always_inline int window_of(const struct receiver *receiver,
				     __u64 rate_bytes, __u32 users)
{
	__u64 may_wait_us = users > 1 ? 2 * WINDOW_MORE_US : WINDOW_MORE_US;
	__u64 share = rate_bytes / (users ?: 1), bytes;
	__u64 own = receiver->before * (1000000000 / 1024) >>
		    (WINDOW_EPOCH_BITS - 10);

	if (!receiver->rtt_us || receiver->rtt_us > WINDOW_FAR_US)
		return WINDOW_UNCLAMPED;
	if (own > rate_bytes)
		own = rate_bytes;
	if (own > share)
		share = own;
	bytes = share * (receiver->rtt_us + may_wait_us) / 1000000 + 1;
	return bytes < WINDOW_UNCLAMPED ? bytes : WINDOW_UNCLAMPED;
}

/* to: the socket, or what sockops has of it. */
static __always_inline void window_set(void *to, struct receiver *receiver,
				       int clamp)
{
	if (bpf_setsockopt(to, WINDOW_SOL_TCP, WINDOW_CLAMP, &clamp,
			   sizeof(clamp)) == 0)
		receiver->told = clamp == WINDOW_UNCLAMPED ? 0 : clamp;
}

/*
 * Sets the clamp where it moved by a quarter.  One that the application has
 * made smaller stays; one that is larger than ours the kernel has made so,
 * along with its buffer.
 */
static __always_inline void window_tell(struct bpf_sock_ops *ops,
					struct receiver *receiver, __u32 has)
{
	__u32 wanted = receiver->wanted, least = 2 * ops->mss_cache;
	bool ours = receiver->told && receiver->told == has;

	if (!wanted || wanted == WINDOW_UNCLAMPED) {
		if (ours)
			window_set(ops, receiver, WINDOW_UNCLAMPED);
		receiver->told = 0;
		return;
	}
	if (least < WINDOW_LEAST)
		least = WINDOW_LEAST;
	if (wanted < least)
		wanted = least;
	if (has > wanted + wanted / 4 || (ours && wanted > has + has / 4))
		window_set(ops, receiver, wanted);
}

/* For a socket that nobody will tell anything any more. */
static __always_inline void window_let_go(struct tcp_sock *tcp,
					  struct receiver *receiver)
{
	if (receiver->told && receiver->told == tcp->window_clamp)
		window_set(tcp, receiver, WINDOW_UNCLAMPED);
}

/* A socket that receives is called for with every packet that it sends. */
static __always_inline void window_socket(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct receiver *receiver;

	switch (ops->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		break;
	default:
		return;
	}
	if (!sk)
		return;
	receiver = bpf_sk_storage_get(&receivers, sk, NULL, 0);
	if (!receiver)
		return;
	if (ops->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB) {
		window_tell(ops, receiver, kernel_receive_clamp(sk));
		return;
	}
	receiver->rtt_us = ops->srtt_us >> 3;
	bpf_sock_ops_cb_flags_set(ops,
				  ops->bpf_sock_ops_cb_flags |
					  BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
}

#endif
