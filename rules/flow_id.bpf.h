/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tells a packet's flow from others, read as quickly as can be.  A packet
 * that is in any way unusual (a fragment, options, extension headers, a length
 * or a TCP header that rules/packet.bpf.h might find fault with, neither TCP
 * nor UDP) has none: it is for the rules.
 */
#ifndef WEIR_RULES_FLOW_ID_BPF_H
#define WEIR_RULES_FLOW_ID_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

struct flow_id {
	__u64 addresses[4]; /* as struct known has them */
	__be32 ports;
	__u32 bytes; /* of the IP packet */
	__u16 kind;
	__u8 tcp_flags; /* 0: not TCP */
};

enum {
	ID_IP4 = 20, /* bytes of the headers */
	ID_IP6 = 40,
	ID_UDP = 8, /* of TCP as much is looked at for the ports */
	ID_TCP = 20,
	ID_TCP_AT = 12, /* its length and flags */
};

#define ID_WORD(type, bytes, at) (*(const type *)((bytes) + (at)))

/* The first ID_IP4 + ID_UDP bytes of an IPv4 packet in so many. */
static __always_inline bool flow_id_ip4(const __u8 *bytes, __u32 length,
					struct flow_id *id)
{
	if (bytes[0] != 0x45 || ID_WORD(__be16, bytes, 6) & bpf_htons(0x3fff))
		return false;
	id->bytes = bpf_ntohs(ID_WORD(__be16, bytes, 2));
	id->kind = bytes[9] | 4 << 8;
	id->addresses[0] = ID_WORD(__u64, bytes, 12);
	id->addresses[1] = 0;
	id->addresses[2] = 0;
	id->addresses[3] = 0;
	id->ports = ID_WORD(__be32, bytes, ID_IP4);
	id->tcp_flags = 0;
	return id->bytes <= length && id->bytes >= ID_IP4 + ID_UDP;
}

/* Likewise of IPv6.  Mapped addresses are for the rules, so never known. */
static __always_inline bool flow_id_ip6(const __u8 *bytes, __u32 length,
					struct flow_id *id)
{
	if ((bytes[0] & 0xf0) != 0x60)
		return false;
	id->bytes = ID_IP6 + bpf_ntohs(ID_WORD(__be16, bytes, 4));
	id->kind = bytes[6] | 6 << 8;
	id->addresses[0] = ID_WORD(__u64, bytes, 8);
	id->addresses[1] = ID_WORD(__u64, bytes, 16);
	id->addresses[2] = ID_WORD(__u64, bytes, 24);
	id->addresses[3] = ID_WORD(__u64, bytes, 32);
	id->ports = ID_WORD(__be32, bytes, ID_IP6);
	id->tcp_flags = 0;
	return id->bytes <= length && id->bytes >= ID_IP6 + ID_UDP;
}

/* Length and flags of a TCP header, behind an IP header of so many bytes. */
static __always_inline bool flow_id_tcp(__u8 header, __u8 flags, __u32 ip,
					struct flow_id *id)
{
	id->tcp_flags = flags;
	return header >= 5 << 4 && ip + (header >> 4 << 2) <= id->bytes;
}

/*
 * frame: how many bytes are before the IP header, which skb->len has, too: what
 * claims to be longer than there are is for the rules.
 */
static __always_inline bool flow_id_at(struct __sk_buff *skb, __u32 frame,
				       struct flow_id *id)
{
	const __u8 *bytes = (const __u8 *)(long)skb->data + frame;
	const __u8 *end = (const __u8 *)(long)skb->data_end;
	__u32 length = skb->len - frame;

	id->tcp_flags = 0;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bytes + ID_IP4 + ID_UDP > end ||
		    !flow_id_ip4(bytes, length, id))
			return false;
		if ((__u8)id->kind == IPPROTO_UDP)
			return true;
		return (__u8)id->kind == IPPROTO_TCP &&
		       bytes + ID_IP4 + ID_TCP <= end &&
		       flow_id_tcp(bytes[ID_IP4 + ID_TCP_AT],
				   bytes[ID_IP4 + ID_TCP_AT + 1], ID_IP4, id);
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6) ||
	    bytes + ID_IP6 + ID_UDP > end || !flow_id_ip6(bytes, length, id))
		return false;
	if ((__u8)id->kind == IPPROTO_UDP)
		return true;
	return (__u8)id->kind == IPPROTO_TCP &&
	       bytes + ID_IP6 + ID_TCP <= end &&
	       flow_id_tcp(bytes[ID_IP6 + ID_TCP_AT],
			   bytes[ID_IP6 + ID_TCP_AT + 1], ID_IP6, id);
}

/* At a cgroup, where the data begins with the IP header. */
static __always_inline bool flow_id_of_socket(struct __sk_buff *skb,
					      struct flow_id *id)
{
	return flow_id_at(skb, 0, id);
}

/*
 * At a device whose packets begin with an Ethernet header: where they do is
 * known to who keeps a verdict (tc/known.bpf.h).  Read from the data itself,
 * which takes a third of the time.  Tags within it are for the rules.
 */
static __always_inline bool flow_id_of_device(struct __sk_buff *skb,
					      struct flow_id *id)
{
	return flow_id_at(skb, ETH_HLEN, id);
}

#endif
