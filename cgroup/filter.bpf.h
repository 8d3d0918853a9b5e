/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PROVISIONAL until the matcher is merged. */
#ifndef WEIR_CGROUP_FILTER_BPF_H
#define WEIR_CGROUP_FILTER_BPF_H

#include "cgroup/member.bpf.h"
#include "cgroup/scope.bpf.h"

enum {
	FILTER_OUT,
	FILTER_IN
};
enum {
	VERDICT_PASS = 1
};

static __always_inline const struct member *member_of_packet(
	struct __sk_buff *skb, __u32 generation)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return NULL;
	return member_get(bpf_skb_cgroup_id(skb), sk, generation);
}

static __always_inline int filter_packet(struct __sk_buff *skb,
					 const struct member *member,
					 int direction)
{
	return VERDICT_PASS;
}

static __always_inline int filter_call(struct bpf_sock_addr *ctx,
				       __u32 generation, int family)
{
	return 1;
}
#endif
