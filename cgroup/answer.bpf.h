/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a chain rejects of what arrives in a group is answered where the kernel
 * has a function for that (bpf_icmp_send, since 7.3): with "port unreachable",
 * which a connect() takes for ECONNREFUSED, also of TCP.  Elsewhere no program
 * at a cgroup can send anything.
 */
#ifndef WEIR_CGROUP_ANSWER_BPF_H
#define WEIR_CGROUP_ANSWER_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

extern int bpf_icmp_send(struct __sk_buff *skb, int type,
			 int code) __ksym __weak;

enum {
	ANSWER_IP4_UNREACHABLE = 3,
	ANSWER_IP4_PORT = 3,
	ANSWER_IP6_UNREACHABLE = 1,
	ANSWER_IP6_PORT = 4,
};

/* The kernel bounds how many it sends.  Global, for a stack of its own. */
__noinline int answer_arrived(struct __sk_buff *skb)
{
	if (!bpf_icmp_send)
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		bpf_icmp_send(skb, ANSWER_IP4_UNREACHABLE, ANSWER_IP4_PORT);
	else
		bpf_icmp_send(skb, ANSWER_IP6_UNREACHABLE, ANSWER_IP6_PORT);
	return 0;
}

#endif
