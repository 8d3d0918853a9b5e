/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connect() whose first segment is denied as a packet (rules/address.bpf.h
 * says when): TCP is told nothing but that the segment was not sent, and would
 * try again for two minutes.  So it is made to give up when it first tries
 * again, after a second, by the time that data of the socket may remain
 * without an answer (TCP_USER_TIMEOUT).  What the application has set there
 * is put back before the socket can have sent any data.
 */
#ifndef WEIR_CGROUP_CONNECT_BPF_H
#define WEIR_CGROUP_CONNECT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "rules/kernel.bpf.h"
#include "rules/tables.bpf.h"

/* Of the kernel's, by value: the system's headers for BPF lack them. */
#define CONNECT_SOL_TCP	     6
#define CONNECT_USER_TIMEOUT 18 /* TCP_USER_TIMEOUT */

#define CONNECT_GIVES_UP_MS 1

/* A socket whose connect() was denied. */
struct refusal {
	__u32 denied_by;  /* generation that denied the last first segment; 0 */
	__u32 is_set;	  /* 1: the timeout is ours now */
	__u32 timeout_ms; /* that it had before; 0: the kernel's own */
};

/* group_out and group_sockops write and read. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct refusal);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} refusals SEC(".maps");

/*
 * A packet was denied.  Where its socket is connecting, that is noted, unless
 * a rule's limit may let the next one through.
 */
static __always_inline void connect_denied(struct __sk_buff *skb,
					   __u32 generation, __u32 index)
{
	const struct chain_row *chain = table_chain(generation & 1, index);
	struct bpf_sock *sk = skb->sk;
	struct refusal *refusal;

	if (!chain || chain->flags & CHAIN_LIMITS)
		return;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->state != TCP_SYN_SENT_STATE)
		return;
	refusal = bpf_sk_storage_get(&refusals, sk, NULL,
				     BPF_SK_STORAGE_GET_F_CREATE);
	if (refusal)
		refusal->denied_by = generation;
}

static __always_inline void connect_hear(struct bpf_sock_ops *ops, __u32 flag)
{
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | flag);
}

static __always_inline bool connect_set(struct bpf_sock_ops *ops, int ms)
{
	return bpf_setsockopt(ops, CONNECT_SOL_TCP, CONNECT_USER_TIMEOUT, &ms,
			      sizeof(ms)) == 0;
}

/*
 * At the first of its timers: the next comes at once and is the last.  Not
 * where another policy may let the segment through that is sent now.
 */
static __always_inline void connect_give_up(struct bpf_sock_ops *ops,
					    struct bpf_sock *sk,
					    struct refusal *refusal)
{
	if (ops->state != TCP_SYN_SENT_STATE || refusal->is_set ||
	    !refusal->denied_by || refusal->denied_by != generation_read())
		return;
	refusal->timeout_ms = kernel_user_timeout(sk);
	connect_hear(ops, BPF_SOCK_OPS_STATE_CB_FLAG);
	refusal->is_set = connect_set(ops, CONNECT_GIVES_UP_MS);
}

/* It is closed, or it connects once more. */
static __always_inline void connect_over(struct bpf_sock_ops *ops,
					 struct refusal *refusal)
{
	if (refusal->is_set && connect_set(ops, refusal->timeout_ms))
		refusal->is_set = 0;
	refusal->denied_by = 0;
}

static __always_inline void connect_socket(struct bpf_sock_ops *ops)
{
	struct refusal *refusal;
	struct bpf_sock *sk = ops->sk;

	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		connect_hear(ops, BPF_SOCK_OPS_RTO_CB_FLAG);
		break;
	case BPF_SOCK_OPS_RTO_CB:
	case BPF_SOCK_OPS_STATE_CB:
		break;
	default:
		return;
	}
	if (!sk)
		return;
	refusal = bpf_sk_storage_get(&refusals, sk, NULL, 0);
	if (!refusal)
		return;
	if (ops->op == BPF_SOCK_OPS_RTO_CB)
		connect_give_up(ops, sk, refusal);
	else
		connect_over(ops, refusal);
}

#endif
