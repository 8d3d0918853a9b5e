/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet takes on the wire: its bytes with the link header, and where
 * it will be cut into segments, with a copy of all headers for each.
 */
#ifndef WEIR_TC_WIRE_BPF_H
#define WEIR_TC_WIRE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct wire {
	__u32 bytes;
	__u32 packets;
};

/* Bytes of the TCP or UDP header, at an offset from the IP header. */
static __always_inline __u32 transport_length(struct __sk_buff *skb,
					      __u8 protocol, __u32 offset)
{
	__u8 word = 0;

	if (protocol == IPPROTO_UDP)
		return 8;
	if (bpf_skb_load_bytes_relative(skb, offset + 12, &word, 1,
					BPF_HDR_START_NET) < 0)
		return 20;
	return word >> 4 << 2;
}

/*
 * Bytes of all headers of a packet that is yet to be cut.  Where the IP
 * packet does not say how long it is (beyond 64 KB), the link header is taken
 * for that of Ethernet; extension headers of IPv6 are not followed.  Global,
 * for the room that it takes on the stack.
 */
__noinline __u32 headers_length(struct __sk_buff *skb)
{
	__u32 length = skb->len, network, claimed;
	struct ipv6hdr ip6 = { 0 };
	struct iphdr ip = { 0 };
	__u8 protocol;

	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes_relative(skb, 0, &ip6, sizeof(ip6),
						BPF_HDR_START_NET) < 0)
			return 0;
		network = sizeof(ip6);
		protocol = ip6.nexthdr;
		claimed = bpf_ntohs(ip6.payload_len);
		claimed += claimed ? sizeof(ip6) : 0;
	} else {
		if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip),
						BPF_HDR_START_NET) < 0)
			return 0;
		network = ip.ihl * 4;
		protocol = ip.protocol;
		claimed = bpf_ntohs(ip.tot_len);
	}
	network += transport_length(skb, protocol, network);
	if (claimed && claimed <= length)
		return network + length - claimed;
	return network + ETH_HLEN;
}

/* What arrives has no such figure of the kernel's yet. */
static __always_inline struct wire wire_in(struct __sk_buff *skb)
{
	struct wire wire = { .bytes = skb->len, .packets = 1 };
	__u32 size = skb->gso_size, headers;

	if (!size)
		return wire;
	headers = headers_length(skb);
	if (headers >= wire.bytes)
		return wire;
	wire.packets = (wire.bytes - headers + size - 1) / size;
	wire.bytes += (wire.packets - 1) * headers;
	return wire;
}

/* What leaves has: the one that its queue goes by. */
static __always_inline struct wire wire_out(struct __sk_buff *skb)
{
	struct wire wire = { .bytes = skb->wire_len, .packets = skb->gso_segs };

	if (!wire.packets)
		wire.packets = 1;
	return wire;
}

#endif
