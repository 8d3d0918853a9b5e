/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answers themselves: a reset by RFC 9293, 3.10.7.1, and "port unreachable"
 * by RFC 792 and RFC 4443 with as much of the packet as RFC 1812 and RFC 4443
 * let it have.  All fields are those that nft's reject fills in
 * (tests/netns/reject.t compares them), but that the answer comes from where
 * the packet was going to, whoever that is.  Written on the desk.
 */
#ifndef WEIR_TC_ANSWER_FRAME_BPF_H
#define WEIR_TC_ANSWER_FRAME_BPF_H

#include "tc/answer_sum.bpf.h"

#define ANSWER_HOPS   64
#define IP4_WORDS     5
#define IP6_WORDS     10
#define IP4_QUOTES    (576 - 28) /* bytes of the packet */
#define IP6_QUOTES    (ANSWER_MOST - 48)
#define IP4_UNDIVIDED 0x4000 /* do not fragment */
#define IP4_CONTROL   0xc0   /* precedence of what keeps a network working */

#define ICMP4_CODE_PORT	  3 /* of ICMP4_UNREACHABLE */
#define ICMP6_UNREACHABLE 1
#define ICMP6_CODE_PORT	  4

#define TCP_WORDS 5

/* Back to the sender.  length: of the whole packet; id_and_offset: of IPv4. */
static __always_inline void write_ip(__be32 *to, const struct packet *p,
				     __u32 length, __u32 protocol, __u32 tos,
				     __u32 id_and_offset)
{
	if (p->family == 6) {
		to[0] = bpf_htonl(6U << 28);
		to[1] = bpf_htonl((length - IP6_WORDS * 4) << 16 |
				  protocol << 8 | ANSWER_HOPS);
		__builtin_memcpy(&to[2], &p->dst, 16);
		__builtin_memcpy(&to[6], &p->src, 16);
		return;
	}
	to[0] = bpf_htonl(0x45U << 24 | tos << 16 | length);
	to[1] = bpf_htonl(id_and_offset);
	to[2] = bpf_htonl(ANSWER_HOPS << 24 | protocol << 16);
	to[3] = p->dst.words[3];
	to[4] = p->src.words[3];
	((__u16 *)to)[5] = sum_check(sum_words(to, IP4_WORDS * 4, 0));
}

/* from: the first four words of the segment's header. */
static __always_inline void write_reset(__be32 *to, const struct packet *p,
					const __be32 *from)
{
	__u32 header = bpf_ntohl(from[3]) >> 28 << 2;
	__u32 length = p->end - p->transport - header;

	to[0] = from[0] << 16 | from[0] >> 16; /* the ports change places */
	if (p->tcp_flags & TCP_ACK) {
		to[1] = from[2];
		to[2] = 0;
		to[3] = bpf_htonl(TCP_WORDS << 28 | TCP_RST << 16);
	} else {
		length +=
			!!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
		to[1] = 0;
		to[2] = bpf_htonl(bpf_ntohl(from[1]) + length);
		to[3] = bpf_htonl(TCP_WORDS << 28 | (TCP_RST | TCP_ACK) << 16);
	}
	to[4] = 0;
	((__u16 *)to)[8] = sum_check(sum_words(
		to, TCP_WORDS * 4, sum_pseudo(p, TCP_WORDS * 4, IPPROTO_TCP)));
}

/* Returns how long the answer is; 0: there is none. */
static __always_inline __u32 answer_reset(struct __sk_buff *skb,
					  const struct packet *p,
					  struct answer_desk *desk)
{
	__u32 words = p->family == 4 ? IP4_WORDS : IP6_WORDS;
	__u32 length = (words + TCP_WORDS) * 4;
	__be32 from[4] = { 0 };

	if (packet_load(skb, p, p->transport, from, sizeof(from)) < 0)
		return 0;
	write_ip(desk->words, p, length, IPPROTO_TCP, 0, IP4_UNDIVIDED);
	write_reset(&desk->words[words], p, from);
	return length;
}

/* As much of the packet as there may be, with zeros up to a whole word. */
static __always_inline __u32 answer_quote(struct __sk_buff *skb,
					  const struct packet *p, __be32 *to,
					  __u32 most)
{
	__u32 n = (p->bytes < most ? p->bytes : most) - 1;

	barrier_var(n);
	if (n >= most)
		return 0;
	to[n / 4] = 0;
	n++;
	return packet_load(skb, p, p->network, to, n) < 0 ? 0 : n;
}

static __always_inline __u32 answer_icmp4(struct __sk_buff *skb,
					  const struct packet *p,
					  struct answer_desk *desk)
{
	__be32 *icmp = &desk->words[IP4_WORDS];
	__u32 n = answer_quote(skb, p, icmp + 2, IP4_QUOTES);
	__u32 length = IP4_WORDS * 4 + 8 + n;
	int sum;

	if (!n)
		return 0;
	icmp[0] = bpf_htonl(ICMP4_UNREACHABLE << 24 | ICMP4_CODE_PORT << 16);
	icmp[1] = 0;
	sum = sum_of_desk(IP4_WORDS, (length + 3) / 4, 0);
	((__u16 *)icmp)[1] = sum_check(sum);
	write_ip(desk->words, p, length, IPPROTO_ICMP,
		 IP4_CONTROL | (p->dscp << 2 & 0x1c),
		 bpf_get_prandom_u32() << 16);
	return length;
}

static __always_inline __u32 answer_icmp6(struct __sk_buff *skb,
					  const struct packet *p,
					  struct answer_desk *desk)
{
	__be32 *icmp = &desk->words[IP6_WORDS];
	__u32 n = answer_quote(skb, p, icmp + 2, IP6_QUOTES);
	__u32 length = IP6_WORDS * 4 + 8 + n;
	int sum;

	if (!n)
		return 0;
	icmp[0] = bpf_htonl(ICMP6_UNREACHABLE << 24 | ICMP6_CODE_PORT << 16);
	icmp[1] = 0;
	sum = sum_of_desk(IP6_WORDS, (length + 3) / 4,
			  sum_pseudo(p, 8 + n, IPPROTO_ICMPV6));
	((__u16 *)icmp)[1] = sum_check(sum);
	write_ip(desk->words, p, length, IPPROTO_ICMPV6, 0, 0);
	return length;
}

#endif
