/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the pacing rate off every TCP socket of a network namespace that has
 * one of ours: the last thing that clear does, for the sockets that are idle
 * and would never hear of it.  In an object of its own, because kernels
 * before 5.15 have no such iterator.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/pace_abi.h"

#define SOCKET_LEVEL	1    /* SOL_SOCKET */
#define MAX_PACING_RATE 47   /* SO_MAX_PACING_RATE */
#define TCP_LEVEL	6    /* IPPROTO_TCP */
#define CWND_CLAMP	1002 /* TCP_BPF_SNDCWND_CLAMP */

struct sock_common;

struct bpf_iter__tcp {
	void *meta;
	struct sock_common *sk_common;
} __attribute__((preserve_access_index));

/* The one of cgroup/limit.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pace_sock);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sockets SEC(".maps");

SEC("iter/tcp")
int lift_pacing(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	__u32 unlimited = 0xffffffff;
	int clamp = 1 << 20; /* segments: none, in effect */
	struct pace_sock *paced;
	struct tcp_sock *tcp;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	paced = tcp ? bpf_sk_storage_get(&sockets, tcp, 0, 0) : 0;
	if (!paced)
		return 0;
	if (paced->window)
		bpf_setsockopt(tcp, TCP_LEVEL, CWND_CLAMP, &clamp,
			       sizeof(clamp));
	bpf_setsockopt(tcp, SOCKET_LEVEL, MAX_PACING_RATE, &unlimited,
		       sizeof(unlimited));
	bpf_sk_storage_delete(&sockets, tcp);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
