/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a packet is new, established, related or invalid, without
 * netfilter.  At cgroup hooks a TCP packet's socket knows.  Everything else,
 * and all of TCP on devices, goes by tables of flows (rules/flow.bpf.h).
 *
 * ICMP errors are related to the flow or socket of the packet that they
 * quote, or invalid.  What no flow is kept for (neighbour discovery,
 * multicast reports) is new.
 */
#ifndef WEIR_RULES_STATE_BPF_H
#define WEIR_RULES_STATE_BPF_H

#include "rules/flow.bpf.h"
#include "rules/flow_id.bpf.h"
#include "rules/packet.bpf.h"

/* Where a packet is met: bits. */
enum {
	HOOK_OUT = 1 << 0,    /* it leaves; else it arrives */
	HOOK_DEVICE = 1 << 1, /* at a device; else at a cgroup */
	HOOK_FRAMED = 1 << 3, /* beside it: the data begins with Ethernet */
};

/* From this bit on, beside HOOK_*: whose table of flows, as FLOW_SHARES has it.
 */
#define HOOK_SHARE 16

/* What tells a packet's flow, where the hook has it; false: unusual ones. */
static __always_inline bool hook_flow_id(struct __sk_buff *skb, __u32 hook,
					 struct flow_id *id)
{
	if (!(hook & HOOK_DEVICE))
		return flow_id_of_socket(skb, id);
	return hook & HOOK_FRAMED && flow_id_of_device(skb, id);
}

/* Of a socket, from the kernel's net/tcp_states.h. */
enum {
	SOCKET_SYN_SENT = 2,
	SOCKET_CLOSE = 7,
	SOCKET_LISTEN = 10,
	SOCKET_NEW_SYN_RECV = 12,
};

#define SOCKET_STREAM 1 /* SOCK_STREAM */

static __always_inline int is_icmp_error(const struct packet *p)
{
	if (p->family == 6)
		return p->icmp_type < ICMP6_FIRST_INFO;
	return p->icmp_type == ICMP4_UNREACHABLE ||
	       p->icmp_type == ICMP4_SOURCE_QUENCH ||
	       p->icmp_type == ICMP4_REDIRECT ||
	       p->icmp_type == ICMP4_TIME_EXCEEDED ||
	       p->icmp_type == ICMP4_PARAMETER;
}

/* ---------------------------------------------------------- sockets */

/*
 * State of the TCP socket here that talks to the remote side, 0 without one.
 * Finds the request that waits in a listener, too.
 */
static __always_inline __u32 socket_state(struct __sk_buff *skb, __u8 family,
					  const union address *remote,
					  __u16 remote_port,
					  const union address *local,
					  __u16 local_port)
{
	struct bpf_sock_tuple tuple = { 0 };
	__u32 size = sizeof(tuple.ipv6), state;
	struct bpf_sock *sk;

	if (family == 4) {
		size = sizeof(tuple.ipv4);
		tuple.ipv4.saddr = remote->words[3];
		tuple.ipv4.daddr = local->words[3];
		tuple.ipv4.sport = bpf_htons(remote_port);
		tuple.ipv4.dport = bpf_htons(local_port);
		sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4),
					BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, remote, 16);
		__builtin_memcpy(tuple.ipv6.daddr, local, 16);
		tuple.ipv6.sport = bpf_htons(remote_port);
		tuple.ipv6.dport = bpf_htons(local_port);
		sk = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS,
					0);
	}
	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

/*
 * The states of a TCP packet at a TCP socket of a cgroup; 0 where it is not
 * one, such as a raw socket that builds its own packets.
 */
static __always_inline __u32 socket_states(struct __sk_buff *skb,
					   const struct packet *p, __u32 hook)
{
	__u8 flags = p->tcp_flags;
	struct bpf_sock *sk = skb->sk;
	__u32 state;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != SOCKET_STREAM || sk->protocol != IPPROTO_TCP)
		return 0;
	state = sk->state;
	if (hook & HOOK_OUT) {
		if (state == SOCKET_SYN_SENT && flags & TCP_SYN)
			return PACKET_NEW;
		return PACKET_ESTABLISHED;
	}
	if (state == SOCKET_CLOSE)
		return PACKET_INVALID;
	/* A call that meets one's own answers it, an end does not. */
	if (state == SOCKET_SYN_SENT)
		return flags & TCP_FIN ? PACKET_INVALID : PACKET_ESTABLISHED;
	if (state != SOCKET_LISTEN)
		return PACKET_ESTABLISHED;
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return PACKET_NEW;
	/* The last of three, or of a connection in the making. */
	if (socket_state(skb, p->family, &p->src, p->src_port, &p->dst,
			 p->dst_port) == SOCKET_NEW_SYN_RECV)
		return PACKET_ESTABLISHED;
	/* An ACK alone may bring a SYN cookie back: that is how it opens. */
	return flags & (TCP_SYN | TCP_RST | TCP_FIN) ? PACKET_INVALID
						     : PACKET_NEW;
}

/* ------------------------------------------------------ ICMP errors */

/* Reads the packet that an ICMP error quotes: addresses, protocol, ports. */
static __always_inline int quoted_read(struct __sk_buff *skb,
				       const struct packet *p, struct packet *q)
{
	__u32 at = p->transport + 8, transport;
	__u8 data[8] = { 0 };
	int unused;

	__builtin_memset(q, 0, sizeof(*q));
	q->family = p->family;
	q->absent = LOOK_ICMP_TYPE;
	if (p->family == 4) {
		struct iphdr ip = { 0 };

		if (packet_load(skb, p, at, &ip, sizeof(ip)) < 0 ||
		    ip.version != 4 || ip.ihl < 5 ||
		    ip.frag_off & bpf_htons(0x1fff))
			return -1;
		address_map(&q->src, ip.saddr);
		address_map(&q->dst, ip.daddr);
		q->protocol = ip.protocol;
		transport = at + ip.ihl * 4;
	} else {
		struct ipv6hdr ip = { 0 };

		if (packet_load(skb, p, at, &ip, sizeof(ip)) < 0 ||
		    ip.version != 6)
			return -1;
		__builtin_memcpy(&q->src, &ip.saddr, 16);
		__builtin_memcpy(&q->dst, &ip.daddr, 16);
		q->protocol = ip.nexthdr;
		transport = at + sizeof(ip);
	}
	if (packet_load(skb, p, transport, data, sizeof(data)) < 0)
		return -1;
	switch (q->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		q->src_port = data[0] << 8 | data[1];
		q->dst_port = data[2] << 8 | data[3];
		return 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		q->absent = 0;
		q->icmp_type = data[0];
		if (!icmp_is_query(q, &unused))
			return -1;
		q->src_port = q->dst_port = data[4] << 8 | data[5];
		return 0;
	default:
		return 0;
	}
}

static __always_inline __u32 error_states(struct __sk_buff *skb,
					  const struct packet *p, __u64 place,
					  __u32 hook)
{
	struct packet quoted;
	struct flow_key key;
	__u32 state;

	if (quoted_read(skb, p, &quoted) < 0)
		return PACKET_INVALID;
	/* It goes back to who sent what it quotes. */
	if (quoted.src.halves[0] != p->dst.halves[0] ||
	    quoted.src.halves[1] != p->dst.halves[1])
		return PACKET_INVALID;
	flow_key_make(&quoted, place, &key);
	if (flow_is_known(&key, hook >> HOOK_SHARE))
		return PACKET_RELATED;
	if (hook & HOOK_DEVICE || quoted.protocol != IPPROTO_TCP)
		return PACKET_INVALID;
	state = socket_state(skb, p->family, &quoted.dst, quoted.dst_port,
			     &quoted.src, quoted.src_port);
	/* A listener is found for a peer that nobody talks to, too. */
	return state && state != SOCKET_LISTEN ? PACKET_RELATED
					       : PACKET_INVALID;
}

/* --------------------------------------------------- for the programs */

static __always_inline __u64 packet_states(struct __sk_buff *skb,
					   const struct packet *p, __u64 place,
					   __u32 hook)
{
	__u32 states;

	if (p->flags & IS_MALFORMED)
		return PACKET_INVALID;
	if (p->flags & (IS_NOT_IP | IS_LATER_FRAGMENT))
		return 0;
	if (p->protocol == IPPROTO_TCP) {
		if (!tcp_flags_valid(p->tcp_flags))
			return PACKET_INVALID;
		states = hook & HOOK_DEVICE ? 0 : socket_states(skb, p, hook);
		if (states)
			return states;
	}
	if (is_icmp(p)) {
		int unused;

		if (is_icmp_error(p))
			return error_states(skb, p, place, hook);
		if (!icmp_is_query(p, &unused))
			return PACKET_NEW;
	}
	return flow_states(skb, p, place, hook >> HOOK_SHARE);
}

/* What states go by, of what tells a flow; false: it is to be read in full. */
static __always_inline bool states_take(const struct flow_id *id,
					struct packet *p)
{
	__u32 ports = bpf_ntohl(id->ports);

	__builtin_memset(p, 0, sizeof(*p));
	p->base = BPF_HDR_START_NET;
	p->absent = LOOK_ICMP_TYPE;
	p->protocol = id->kind;
	p->family = id->kind >> 8;
	p->tcp_flags = id->tcp_flags;
	p->end = id->bytes;
	p->src_port = ports >> 16;
	p->dst_port = ports;
	if (p->family == 4) {
		p->transport = ID_IP4;
		address_map(&p->src, id->addresses[0]);
		address_map(&p->dst, id->addresses[0] >> 32);
		return true;
	}
	p->transport = ID_IP6;
	p->src.halves[0] = id->addresses[0];
	p->src.halves[1] = id->addresses[1];
	p->dst.halves[0] = id->addresses[2];
	p->dst.halves[1] = id->addresses[3];
	return !address_is_mapped(&p->src) && !address_is_mapped(&p->dst);
}

static __always_inline void states_read(struct __sk_buff *skb, __u32 hook,
					struct packet *p)
{
	struct flow_id id;

	if (!hook_flow_id(skb, hook, &id) || !states_take(&id, p))
		packet_read(skb, p);
}

/*
 * Two functions that the verifier looks at once, whatever calls them: so
 * their arguments are plain numbers, and each reads the packet for itself.
 * hook: HOOK_*, and a share.
 */

/*
 * PACKET_* of a packet, for rules; 0 where it has none.  From bit 8 on what
 * rules/window_at.bpf.h has.
 */
__noinline __u64 states_find(struct __sk_buff *skb, __u64 place, __u32 hook)
{
	struct packet packet;

	states_read(skb, hook, &packet);
	return packet_states(skb, &packet, place, hook);
}

/* After a packet with PACKET_KEEP was allowed.  Returns 0. */
__noinline int states_keep(struct __sk_buff *skb, __u64 place, __u32 hook)
{
	struct packet packet;

	states_read(skb, hook, &packet);
	flow_keep(skb, &packet, place, hook >> HOOK_SHARE);
	return 0;
}

#endif
