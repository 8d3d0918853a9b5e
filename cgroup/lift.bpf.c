/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every TCP socket of a network namespace that has a pacing rate or a receive
 * window of ours gets back what its application asked for: the last thing that
 * clear does, for the sockets that are idle and would never hear of it.  In an
 * object of its own, because kernels before 5.15 have no such iterator.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "rules/kernel.bpf.h"
#include "cgroup/pace_socket.bpf.h"
#include "cgroup/window.bpf.h"

SEC("iter/tcp")
int lift_pacing(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct receiver *receiver;
	struct pace_sock *paced;
	struct tcp_sock *tcp;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	paced = bpf_sk_storage_get(&sockets, tcp, 0, 0);
	if (paced) {
		pace_let_go(tcp, paced);
		bpf_sk_storage_delete(&sockets, tcp);
	}
	receiver = bpf_sk_storage_get(&receivers, tcp, 0, 0);
	if (receiver) {
		window_let_go(tcp, receiver);
		bpf_sk_storage_delete(&receivers, tcp);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
