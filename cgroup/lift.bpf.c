/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every TCP socket of a network namespace that has a pacing rate of ours gets
 * back what its application asked for: the last thing that clear does, for
 * the sockets that are idle and would never hear of it.  In an object of its
 * own, because kernels before 5.15 have no such iterator.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/sockets.bpf.h"

struct sock_common;

struct bpf_iter__tcp {
	void *meta;
	struct sock_common *sk_common;
} __attribute__((preserve_access_index));

SEC("iter/tcp")
int lift_pacing(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	__u32 rate = PACE_SO_UNLIMITED;
	int clamp = PACE_UNCLAMPED;
	struct pace_sock *paced;
	struct tcp_sock *tcp;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	paced = tcp ? bpf_sk_storage_get(&sockets, tcp, 0, 0) : 0;
	if (!paced)
		return 0;
	if (paced->window)
		bpf_setsockopt(tcp, PACE_SOL_TCP, PACE_SO_CLAMP, &clamp,
			       sizeof(clamp));
	if (paced->told && paced->asked < rate)
		rate = paced->asked;
	bpf_setsockopt(tcp, PACE_SOL_SOCKET, PACE_SO_RATE, &rate, sizeof(rate));
	bpf_sk_storage_delete(&sockets, tcp);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
