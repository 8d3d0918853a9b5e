/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a packet comes from, read by XDP from the frame as the driver has it.
 *
 * The reference is rules/packet.bpf.h, at tc.  Read is what that would call
 * neither malformed nor a later fragment, which the rule of its first may let
 * pass; and of that only what has no extension headers, and no more than
 * VLANS_MAX tags.  The rest is left to it.
 */
#ifndef WEIR_RULES_FRAME_BPF_H
#define WEIR_RULES_FRAME_BPF_H

#include <bpf/bpf_core_read.h>
#include <stdbool.h>

#include "rules/packet.bpf.h"

/* Since 5.18, when a frame may be in several pieces. */
enum bpf_func_id___5_18 {
	BPF_FUNC_xdp_get_buff_len___5_18 = 188,
};

struct frame {
	union address source; /* IPv4 as ::ffff:a.b.c.d */
	__u32 bytes;	      /* of the IP packet */
	__u32 wire_bytes;     /* with its Ethernet header, as tc has it */
	__u8 family;	      /* 4 or 6 */
};

/* A frame while it is read. */
struct frame_data {
	const void *begin, *end; /* of its first piece */
	__u32 length;		 /* of all of it */
	__u32 network;		 /* offset of the IP header */
};

struct frame_tag {
	__be16 tag;
	__be16 protocol;
};

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___5_18,
				       BPF_FUNC_xdp_get_buff_len___5_18))
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

static __always_inline bool frame_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) ||
	       protocol == bpf_htons(ETH_P_8021AD);
}

/* Passes the Ethernet header and tags; the protocol behind, 0: too short. */
static __always_inline __be16 frame_untag(struct frame_data *data)
{
	const struct ethhdr *ethernet = data->begin;
	const struct frame_tag *tag;
	__be16 protocol;
	__u32 i;

	if ((const void *)(ethernet + 1) > data->end)
		return 0;
	protocol = ethernet->h_proto;
	data->network = sizeof(*ethernet);
#pragma unroll
	for (i = 0; i < VLANS_MAX; i++) {
		if (!frame_is_tag(protocol))
			break;
		tag = data->begin + data->network;
		if ((const void *)(tag + 1) > data->end)
			return 0;
		protocol = tag->protocol;
		data->network += sizeof(*tag);
	}
	return protocol;
}

/*
 * Whether what is behind IP, of room bytes, has a header that is whole, where
 * packet_transport looks for one.
 */
static __always_inline bool frame_is_whole(const struct frame_data *data,
					   const void *transport, __u32 room,
					   __u8 protocol, __u8 icmp)
{
	const __u8 *tcp = transport;
	__u32 header;

	switch (protocol) {
	case IPPROTO_TCP:
		if ((const void *)(tcp + 20) > data->end)
			return false;
		header = tcp[12] >> 4 << 2;
		return header >= 20 && header <= room;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return room >= 8;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return room >= 12;
	default:
		return protocol != icmp || room >= 8;
	}
}

static __always_inline int frame_ip4(const struct frame_data *data,
				     struct frame *frame)
{
	const struct iphdr *ip = data->begin + data->network;
	__u32 header;

	if ((const void *)(ip + 1) > data->end || ip->version != 4)
		return -1;
	header = ip->ihl * 4;
	frame->bytes = bpf_ntohs(ip->tot_len);
	if (header < sizeof(*ip) || frame->bytes < header ||
	    data->network + frame->bytes > data->length ||
	    ip->frag_off & bpf_htons(0x1fff) ||
	    !frame_is_whole(data, (const void *)ip + header,
			    frame->bytes - header, ip->protocol, IPPROTO_ICMP))
		return -1;
	frame->family = 4;
	address_map(&frame->source, ip->saddr);
	return 0;
}

static __always_inline int frame_ip6(const struct frame_data *data,
				     struct frame *frame)
{
	const struct ipv6hdr *ip = data->begin + data->network;
	union address destination;
	__u32 room;

	if ((const void *)(ip + 1) > data->end || ip->version != 6)
		return -1;
	room = bpf_ntohs(ip->payload_len);
	frame->bytes = sizeof(*ip) + room;
	frame->family = 6;
	__builtin_memcpy(&frame->source, &ip->saddr, sizeof(frame->source));
	__builtin_memcpy(&destination, &ip->daddr, sizeof(destination));
	if (data->network + frame->bytes > data->length ||
	    is_extension(ip->nexthdr) || address_is_mapped(&frame->source) ||
	    address_is_mapped(&destination) ||
	    !frame_is_whole(data, ip + 1, room, ip->nexthdr, IPPROTO_ICMPV6))
		return -1;
	return 0;
}

/*
 * -1: it is left to tc.  Where the driver has left the first tag in the frame,
 * the kernel takes it off before tc.
 */
static __always_inline int frame_read(struct xdp_md *ctx, struct frame *frame)
{
	struct frame_data data = {
		.begin = (const void *)(long)ctx->data,
		.end = (const void *)(long)ctx->data_end,
		.length = frame_length(ctx),
	};
	__be16 protocol = frame_untag(&data);

	frame->wire_bytes = data.length;
	if (data.network > ETH_HLEN)
		frame->wire_bytes -= sizeof(struct frame_tag);
	if (protocol == bpf_htons(ETH_P_IP))
		return frame_ip4(&data, frame);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return frame_ip6(&data, frame);
	return -1;
}

#endif
