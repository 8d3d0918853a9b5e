/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose a packet is that arrives: the socket here that will get it is looked
 * up, and its cgroup read.  A fragment, or what has extension headers of IPv6,
 * is nobody's.
 */
#ifndef WEIR_TC_SOCKET_BPF_H
#define WEIR_TC_SOCKET_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "rules/kernel.bpf.h"
#include "rules/tables.bpf.h"
#include "tc/device_abi.h"

#define FRAGMENT_MASK 0x3fff /* of IPv4: its offset, and that more follow */

/* The addresses and ports of a packet.  Its protocol; 0: it has none. */
static __always_inline __u8 tuple_read(struct __sk_buff *skb,
				       struct bpf_sock_tuple *tuple,
				       __u32 *ret_size)
{
	struct ipv6hdr ip6 = { 0 };
	struct iphdr ip = { 0 };
	void *ports = &tuple->ipv4.sport;
	__u32 header = sizeof(ip6);
	__u8 protocol;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip),
						BPF_HDR_START_NET) < 0 ||
		    ip.frag_off & bpf_htons(FRAGMENT_MASK))
			return 0;
		tuple->ipv4.saddr = ip.saddr;
		tuple->ipv4.daddr = ip.daddr;
		header = ip.ihl * 4;
		protocol = ip.protocol;
		*ret_size = sizeof(tuple->ipv4);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes_relative(skb, 0, &ip6, sizeof(ip6),
						BPF_HDR_START_NET) < 0)
			return 0;
		__builtin_memcpy(tuple->ipv6.saddr, &ip6.saddr, 16);
		__builtin_memcpy(tuple->ipv6.daddr, &ip6.daddr, 16);
		protocol = ip6.nexthdr;
		ports = &tuple->ipv6.sport;
		*ret_size = sizeof(tuple->ipv6);
	} else {
		return 0;
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return 0;
	if (bpf_skb_load_bytes_relative(skb, header, ports, 4,
					BPF_HDR_START_NET) < 0)
		return 0;
	return protocol;
}

/* The folder of the cgroup of the socket that will get the packet, or 0. */
static __always_inline __u64 socket_folder(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = { 0 };
	struct bpf_sock *sk = NULL;
	__u64 folder = 0;
	__u32 size = 0;
	__u8 protocol;

	protocol = tuple_read(skb, &tuple, &size);
	if (!protocol)
		return 0;
	/* The verifier wants constants for sizes. */
	if (protocol == IPPROTO_TCP && size == sizeof(tuple.ipv4))
		sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4),
				       BPF_F_CURRENT_NETNS, 0);
	else if (protocol == IPPROTO_TCP)
		sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6),
				       BPF_F_CURRENT_NETNS, 0);
	else if (size == sizeof(tuple.ipv4))
		sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4),
				       BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv6),
				       BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	folder = kernel_cgroup_folder(kernel_address(sk));
	bpf_sk_release(sk);
	return folder;
}

/*
 * The innermost cgroup of that socket that has a share of what arrives at the
 * device, or 0.  Global, so that the verifier looks at it once.
 */
__noinline __u64 socket_sharer(struct __sk_buff *skb, __u32 slot, __u32 device)
{
	struct share_key key = { .device = device, .side = SIDE_IN };
	__u64 folder = socket_folder(skb);
	int i;

	for (i = 0; i < DEPTH_MAX; i++) {
		if (!folder)
			return 0;
		key.cgroup = kernel_folder_id(folder);
		if (table_share(slot, &key))
			return key.cgroup;
		folder = kernel_folder_parent(folder);
	}
	return 0;
}

#endif
