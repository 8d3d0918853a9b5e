/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules look at, of one packet, read once from its headers.
 *
 * A fact that a packet has not got (the ports of an ICMP message, or of a
 * fragment after the first) is `absent`: no rule that looks at it matches.
 * One that cannot be told is `unknown`, because the packet is malformed, or
 * because there is no packet yet (rules/address.bpf.h).  What a rule that
 * looks at an unknown fact does is said in rules/match.bpf.h.
 *
 * What passes on the loopback interface is decided by rules that name an
 * interface (`required`), and by no chain's policy.
 *
 * Malformed is what no receiver would take: headers that contradict each
 * other or are cut off, IPv6 with IPv4-mapped addresses, a TCP fragment that
 * would overwrite the flags; and what is beyond EXTENSIONS_MAX.
 */
#ifndef WEIR_RULES_PACKET_BPF_H
#define WEIR_RULES_PACKET_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "rules/image_abi.h"
#include "rules/kernel.bpf.h"

#define EXTENSIONS_MAX 8 /* IPv6 extension headers, the fragment's included */
#define VLANS_MAX      2 /* tags within the data; one more may be beside it */

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

/* linux/icmp.h would need the C library's headers of another machine. */
enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_SOURCE_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP4_TIMESTAMP = 13,
	ICMP4_TIMESTAMP_REPLY = 14,
	ICMP4_INFO = 15,
	ICMP4_INFO_REPLY = 16,
	ICMP4_MASK = 17,
	ICMP4_MASK_REPLY = 18,

	ICMP4_CODE_TOO_BIG = 4, /* of ICMP4_UNREACHABLE */

	ICMP6_TOO_BIG = 2,
	ICMP6_FIRST_INFO = 128, /* below: errors */
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_MLD_DONE = 132,
	ICMP6_ND_FIRST = 133, /* router and neighbour solicitation and … */
	ICMP6_ND_LAST = 136,  /* … advertisement; not redirects */
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};

union address {
	__u8 bytes[16];
	__be32 words[4];
	__u64 halves[2]; /* to compare: no byte order */
};

enum {
	IS_MALFORMED = 1 << 0,
	IS_FIRST_FRAGMENT = 1 << 1, /* and there are more */
	IS_LATER_FRAGMENT = 1 << 2,
	IS_NOT_IP = 1 << 3,
};

struct packet {
	union {
		struct {
			__u32 transport; /* offset of what is behind IP */
			__u32 end;	 /* offset behind the last byte */
			union address src, dst; /* IPv4 as ::ffff:a.b.c.d */
		};
		/* Read into its place, as the stack is short. */
		struct ipv6hdr ip6;
	};
	__u32 absent;	/* LOOK_* */
	__u32 unknown;	/* LOOK_* */
	__u32 required; /* LOOK_*: other rules do not hold for it */
	__u32 bytes;	/* from the IP header on, with all segments */
	__u32 segments;
	__u32 ifindex;
	__u32 mark;
	__u32 uid;
	__u32 fragment; /* id of a fragment, as it stands in the packet */
	__u32 base;	/* what offsets count from: BPF_HDR_START_* */
	__u32 network;	/* offset of the IP header */
	__u16 src_port, dst_port; /* of ICMP echo: its id, twice */
	__u16 length; /* of the IP packet; of GSO, of its longest segment */
	__u8 family;  /* 4 or 6 */
	__u8 protocol;
	__u8 dscp;
	__u8 hop_limit;
	__u8 icmp_type, icmp_code;
	__u8 tcp_flags;
	__u8 flags; /* IS_* */
};

_Static_assert(sizeof(struct packet) % 8 == 0, "packet_forget goes by words");
_Static_assert(__builtin_offsetof(struct packet, src) ==
		       __builtin_offsetof(struct ipv6hdr, saddr),
	       "addresses are read with their header");

#define LOOK_PORTS     (LOOK_SRC_PORT | LOOK_DST_PORT)
#define LOOK_BEHIND_IP (LOOK_PORTS | LOOK_ICMP_TYPE | LOOK_TCP_FLAGS)
#define LOOK_HEADERS                                                     \
	(LOOK_FAMILY | LOOK_PROTOCOL | LOOK_SRC | LOOK_DST | LOOK_DSCP | \
	 LOOK_LENGTH | LOOK_BEHIND_IP)

/*
 * 1 for 0, else 0.  By arithmetic, here and below: a branch that sets a
 * variable to 0 or 1 makes the verifier follow both through all that comes.
 */
static __always_inline __u32 is_zero(__u64 x)
{
	__u64 less = x - 1;

	barrier_var(less);
	return (~x & less) >> 63;
}

static __always_inline void packet_malformed(struct packet *p, __u32 unknown)
{
	p->flags |= IS_MALFORMED;
	p->unknown |= unknown;
	p->absent &= ~unknown;
}

/*
 * Reads bytes that lie anywhere behind the base where the data begins with IP,
 * as at a cgroup, whose programs say so by PACKET_BEGINS_WITH_IP: of what has
 * come no more than the IP header need lie in one piece.  Elsewhere the program
 * has seen to it that the headers do (tc/device.bpf.c).
 */
#ifdef PACKET_BEGINS_WITH_IP
#define PACKET_LOAD(skb, offset, to, length, base) \
	bpf_skb_load_bytes(skb, offset, to, length)
#else
#define PACKET_LOAD bpf_skb_load_bytes_relative
#endif

static __always_inline int packet_load(struct __sk_buff *skb,
				       const struct packet *p, __u32 offset,
				       void *to, __u32 length)
{
	return PACKET_LOAD(skb, offset, to, length, p->base);
}

/* IPv4-mapped, as in an IPv6 header and in all tables of ours. */
static __always_inline void address_map(union address *address, __be32 ip4)
{
	address->words[0] = 0;
	address->words[1] = 0;
	address->words[2] = bpf_htonl(0xffff);
	address->words[3] = ip4;
}

static __always_inline int address_is_mapped(const union address *address)
{
	return !address->halves[0] && address->words[2] == bpf_htonl(0xffff);
}

static __always_inline int icmp_is_query(const struct packet *p, int *is_reply)
{
	*is_reply = 0;
	if (p->family == 6) {
		*is_reply = p->icmp_type == ICMP6_ECHO_REPLY;
		return *is_reply || p->icmp_type == ICMP6_ECHO;
	}
	switch (p->icmp_type) {
	case ICMP4_ECHO_REPLY:
	case ICMP4_TIMESTAMP_REPLY:
	case ICMP4_INFO_REPLY:
	case ICMP4_MASK_REPLY:
		*is_reply = 1;
		return 1;
	case ICMP4_ECHO:
	case ICMP4_TIMESTAMP:
	case ICMP4_INFO:
	case ICMP4_MASK:
		return 1;
	default:
		return 0;
	}
}

/* A TCP header without options; its length is in data[12] >> 4. */
static __always_inline void packet_tcp(struct __sk_buff *skb, struct packet *p)
{
	__u32 header, gso_size = skb->gso_size;
	__u8 data[20] = { 0 };

	if (packet_load(skb, p, p->transport, data, sizeof(data)) < 0)
		return packet_malformed(p, LOOK_PORTS | LOOK_TCP_FLAGS);
	header = data[12] >> 4 << 2;
	if (header < sizeof(data) || p->transport + header > p->end)
		return packet_malformed(p, LOOK_PORTS | LOOK_TCP_FLAGS);
	p->src_port = data[0] << 8 | data[1];
	p->dst_port = data[2] << 8 | data[3];
	p->tcp_flags = data[13];
	p->absent &= ~(LOOK_PORTS | LOOK_TCP_FLAGS);
	header += p->transport - p->network;
	if (gso_size && header + gso_size < p->length)
		p->length = header + gso_size;
}

static __always_inline void packet_ports(struct __sk_buff *skb,
					 struct packet *p, __u32 header)
{
	__u32 gso_size = skb->gso_size;
	__u8 data[4] = { 0 };

	if (p->transport + header > p->end ||
	    packet_load(skb, p, p->transport, data, sizeof(data)) < 0)
		return packet_malformed(p, LOOK_PORTS);
	p->src_port = data[0] << 8 | data[1];
	p->dst_port = data[2] << 8 | data[3];
	p->absent &= ~LOOK_PORTS;
	header += p->transport - p->network;
	if (gso_size && header + gso_size < p->length)
		p->length = header + gso_size;
}

static __always_inline void packet_icmp(struct __sk_buff *skb, struct packet *p)
{
	__u8 data[8] = { 0 };
	int is_reply;

	if (p->transport + sizeof(data) > p->end ||
	    packet_load(skb, p, p->transport, data, sizeof(data)) < 0)
		return packet_malformed(p, LOOK_ICMP_TYPE);
	p->icmp_type = data[0];
	p->icmp_code = data[1];
	p->absent &= ~LOOK_ICMP_TYPE;
	if (icmp_is_query(p, &is_reply))
		p->src_port = p->dst_port = data[4] << 8 | data[5];
}

static __always_inline void packet_transport(struct __sk_buff *skb,
					     struct packet *p)
{
	if (p->flags & IS_LATER_FRAGMENT)
		return;
	if (p->protocol == IPPROTO_TCP)
		return packet_tcp(skb, p);
	if (p->protocol == IPPROTO_UDP || p->protocol == IPPROTO_UDPLITE)
		return packet_ports(skb, p, 8);
	if (p->protocol == IPPROTO_SCTP || p->protocol == IPPROTO_DCCP)
		return packet_ports(skb, p, 12);
	if (p->protocol == (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return packet_icmp(skb, p);
}

/* offset and more as in IPv4: in units of 8 bytes, and 1 if more follow */
static __always_inline __u32 fragment_flags(__u32 offset, __u32 more,
					    __u8 protocol)
{
	__u32 first = is_zero(offset);
	/* It would overwrite the flags that the first was judged by. */
	__u32 overwrites = is_zero((offset ^ 1) | (protocol ^ IPPROTO_TCP));

	return (first & more) * IS_FIRST_FRAGMENT |
	       (first ^ 1) * IS_LATER_FRAGMENT | overwrites * IS_MALFORMED;
}

static __always_inline void packet_fragment(struct packet *p, __u32 flags)
{
	p->flags |= flags;
	if (flags & IS_MALFORMED)
		packet_malformed(p, LOOK_PORTS | LOOK_TCP_FLAGS);
}

/* Where IP begins, from the data on; global, as it is asked for seldom. */
__noinline __u32 packet_network(struct __sk_buff *skb)
{
	return kernel_network(skb);
}

/*
 * Takes the length that a packet claims, if it is that long.  Where many
 * were put together into one too long to say, the kernel claims `empty`.
 */
static __always_inline int packet_size(struct __sk_buff *skb, struct packet *p,
				       __u32 claimed, __u32 empty, __u32 header)
{
	__u32 length = skb->len;

	if (claimed == empty && skb->gso_size)
		claimed = length - (p->base == BPF_HDR_START_NET
					    ? packet_network(skb)
					    : p->network);
	if (claimed < header || claimed > length)
		return -1;
	p->bytes = claimed;
	p->end = p->network + claimed;
	p->length = claimed < 0xffff ? claimed : 0xffff;
	return 0;
}

/* -1 for a malformed one. */
static __always_inline int packet_header4(struct __sk_buff *skb,
					  struct packet *p)
{
	struct iphdr ip = { 0 };
	__u32 header, fragment;

	if (packet_load(skb, p, p->network, &ip, sizeof(ip)) < 0)
		return -1;
	header = ip.ihl * 4;
	if (ip.version != 4 || header < sizeof(ip) ||
	    packet_size(skb, p, bpf_ntohs(ip.tot_len), 0, header) < 0)
		return -1;
	address_map(&p->src, ip.saddr);
	address_map(&p->dst, ip.daddr);
	p->protocol = ip.protocol;
	p->dscp = ip.tos >> 2;
	p->hop_limit = ip.ttl;
	p->transport = p->network + header;
	fragment = bpf_ntohs(ip.frag_off);
	p->fragment = ip.id;
	packet_fragment(p, fragment_flags(fragment & 0x1fff, fragment >> 13 & 1,
					  p->protocol));
	return 0;
}

/* In parts, which have the same place on the stack one after the other. */
static __always_inline void packet_ip4(struct __sk_buff *skb, struct packet *p)
{
	p->family = 4;
	if (packet_header4(skb, p) < 0)
		return packet_malformed(p, LOOK_HEADERS & ~LOOK_FAMILY);
	packet_transport(skb, p);
}

#define EXTENSIONS                                           \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | \
	 1ULL << IPPROTO_DSTOPTS | 1ULL << IPPROTO_FRAGMENT)

static __always_inline int is_extension(__u8 next)
{
	return next < 64 && EXTENSIONS >> next & 1;
}

/* What packet_extensions returns; bits 0 … 15 are the offset behind them. */
enum {
	BEHIND_PROTOCOL = 16, /* from this bit on: what is behind them */
	BEHIND_FLAGS = 24,    /* of a fragment: IS_* */
	BEHIND_LOST = 31,     /* it could not go on */
	BEHIND_FRAGMENT = 32, /* its id */
};

/*
 * Goes on to what is behind the extension headers.  Global, with plain
 * numbers, so that the verifier does not follow what comes for each of them.
 */
__noinline __u64 packet_extensions(struct __sk_buff *skb, __u32 base,
				   __u32 transport, __u32 end, __u32 next)
{
	__u64 found = 1ULL << BEHIND_LOST;
	__u8 data[8] = { 0 }, protocol = next;
	__u32 i, offset, id;

	for (i = 0; i < EXTENSIONS_MAX; i++) {
		if (PACKET_LOAD(skb, transport, data, sizeof(data), base) < 0)
			break;
		if (protocol == IPPROTO_FRAGMENT) {
			transport += sizeof(data);
			protocol = data[0];
			offset = data[2] << 8 | data[3];
			__builtin_memcpy(&id, &data[4], sizeof(id));
			found = (found & 0xffffffff) |
				(__u64)id << BEHIND_FRAGMENT |
				fragment_flags(offset >> 3, offset & 1,
					       protocol)
					<< BEHIND_FLAGS;
			if (found >> BEHIND_FLAGS & IS_LATER_FRAGMENT) {
				found ^= 1ULL << BEHIND_LOST;
				break;
			}
		} else {
			transport += (data[1] + 1) * 8;
			protocol = data[0];
		}
		if (transport > end)
			break;
		if (!is_extension(protocol)) {
			found ^= 1ULL << BEHIND_LOST;
			break;
		}
	}
	return found | protocol << BEHIND_PROTOCOL | transport;
}

/* -1 for a malformed one. */
static __always_inline int packet_header6(struct __sk_buff *skb,
					  struct packet *p)
{
	struct ipv6hdr *ip = &p->ip6;

	if (packet_load(skb, p, p->network, ip, sizeof(*ip)) < 0 ||
	    ip->version != 6 || address_is_mapped(&p->src) ||
	    address_is_mapped(&p->dst))
		return -1;
	p->protocol = ip->nexthdr;
	p->dscp = (ip->priority << 2 | ip->flow_lbl[0] >> 6) & 0x3f;
	p->hop_limit = ip->hop_limit;
	if (packet_size(skb, p, sizeof(*ip) + bpf_ntohs(ip->payload_len),
			sizeof(*ip), sizeof(*ip)) < 0)
		return -1;
	p->transport = p->network + sizeof(*ip);
	return 0;
}

static __always_inline void packet_ip6(struct __sk_buff *skb, struct packet *p)
{
	__u64 behind;

	p->family = 6;
	if (packet_header6(skb, p) < 0) {
		/* What was read is no offset, nor an address. */
		__builtin_memset(&p->ip6, 0, sizeof(p->ip6));
		return packet_malformed(p, LOOK_HEADERS & ~LOOK_FAMILY);
	}
	if (is_extension(p->protocol)) {
		behind = packet_extensions(skb, p->base, p->transport, p->end,
					   p->protocol);
		p->transport = behind & 0xffff;
		p->protocol = behind >> BEHIND_PROTOCOL;
		p->fragment = behind >> BEHIND_FRAGMENT;
		packet_fragment(p, behind >> BEHIND_FLAGS & 15);
		if (behind >> BEHIND_LOST & 1)
			return packet_malformed(p,
						LOOK_PROTOCOL | LOOK_BEHIND_IP);
		/* Of a later fragment the rest of the headers is not there. */
		if (is_extension(p->protocol))
			p->absent |= LOOK_PROTOCOL;
	}
	packet_transport(skb, p);
}

/*
 * Where a VLAN tag stands in the data, the kernel's idea of where the IP
 * header begins depends on who made the packet: so count from the Ethernet
 * header, which VLANs always have.  Returns the protocol behind the tags.
 */
static __always_inline __be16 packet_untag(struct __sk_buff *skb,
					   struct packet *p)
{
	__be16 protocol = 0;
	__u32 i;

	p->base = BPF_HDR_START_MAC;
	p->network = ETH_HLEN;
	for (i = 0; i <= VLANS_MAX; i++) {
		if (packet_load(skb, p, p->network - 2, &protocol,
				sizeof(protocol)) < 0)
			return 0;
		if (protocol != bpf_htons(ETH_P_8021Q) &&
		    protocol != bpf_htons(ETH_P_8021AD))
			return protocol;
		p->network += 4;
	}
	return protocol;
}

/* One that passes the interface ifindex. */
static __always_inline void packet_read_at(struct __sk_buff *skb,
					   struct packet *p, __u32 ifindex)
{
	__be16 protocol = skb->protocol;

	__builtin_memset(p, 0, sizeof(*p));
	p->ifindex = ifindex;
	if (p->ifindex == LOOPBACK_IFINDEX)
		p->required = LOOK_IFINDEX;
	p->mark = skb->mark;
	p->bytes = skb->len;
	p->segments = skb->gso_segs ? skb->gso_segs : 1;
	p->base = BPF_HDR_START_NET;
	p->absent = LOOK_BEHIND_IP;
	if (protocol == bpf_htons(ETH_P_8021Q) ||
	    protocol == bpf_htons(ETH_P_8021AD))
		protocol = packet_untag(skb, p);
	if (protocol == bpf_htons(ETH_P_IP))
		return packet_ip4(skb, p);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return packet_ip6(skb, p);
	if (p->base == BPF_HDR_START_MAC &&
	    p->network > ETH_HLEN + 4 * VLANS_MAX)
		return packet_malformed(p, LOOK_HEADERS);
	p->flags |= IS_NOT_IP;
	p->absent |= LOOK_HEADERS;
}

static __always_inline void packet_read(struct __sk_buff *skb, struct packet *p)
{
	packet_read_at(skb, p, skb->ifindex);
}

/*
 * Whether there is a byte at an offset.  Where it does not lie in one piece
 * with the headers it is not read, but counted.  Global, for a stack of its
 * own.
 */
__noinline int packet_has_byte(struct __sk_buff *skb, __u32 offset, __u32 base)
{
	__u8 byte;

	if (PACKET_LOAD(skb, offset, &byte, sizeof(byte), base) == 0)
		return 1;
	if (base == BPF_HDR_START_NET)
		offset += packet_network(skb);
	return offset < skb->len;
}

/*
 * On devices skb->len has the link's header in it, if there is one, and so a
 * packet could claim that much more than there is: its last byte tells.
 */
static __always_inline void packet_end_check(struct __sk_buff *skb,
					     struct packet *p)
{
	if (p->end + ETH_HLEN <= skb->len || !p->end || skb->gso_size)
		return;
	if (!packet_has_byte(skb, p->end - 1, p->base))
		packet_malformed(p, LOOK_HEADERS & ~LOOK_FAMILY);
}

#endif
