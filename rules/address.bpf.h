/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain's verdict at connect() and sendmsg(), where a process can be told
 * at once: from the address that it wants to reach, before there is a
 * packet.  What only the packet will show is unknown, and so is the verdict
 * where a rule looks at that: DECIDE_LATER, and the chain has its say at the
 * packet; unless the rules behind it refuse what it lets through, so that
 * the call is refused either way, and by EPERM or ECONNREFUSED as these say.
 * Only refusals are counted here, as packets without bytes; what is allowed is
 * counted when it is sent.
 *
 * A first segment is taken to have no ECN flags.  An own address of the host
 * outside 127.0.0.0/8 and ::1 cannot be told from others here, so a chain
 * that refuses it does so although the packet would pass by loopback.
 */
#ifndef WEIR_RULES_ADDRESS_BPF_H
#define WEIR_RULES_ADDRESS_BPF_H

#include "rules/match.bpf.h"

#define PROTOCOL_MPTCP 262 /* of sockets; on the wire it is TCP */

enum {
	HOOK_SENDMSG =
		1 << 2, /* beside HOOK_OUT: the socket is not connected */
};

static __always_inline int address_is_loopback(const union address *address)
{
	if (address_is_mapped(address))
		return address->bytes[12] == 127;
	return !address->halves[0] && !address->words[2] &&
	       address->words[3] == bpf_htonl(1);
}

/* Connecting to "any" reaches the host itself. */
static __always_inline void address_settle(union address *address)
{
	if (address_is_mapped(address)) {
		if (!address->words[3])
			address->words[3] = bpf_htonl(0x7f000001);
	} else if (!address->halves[0] && !address->halves[1]) {
		address->words[3] = bpf_htonl(1);
	}
}

static __always_inline void address_protocol(struct packet *p, __u32 protocol)
{
	p->protocol = protocol;
	p->absent = LOOK_BEHIND_IP;
	if (protocol == IPPROTO_TCP || protocol == PROTOCOL_MPTCP) {
		p->protocol = IPPROTO_TCP;
		p->tcp_flags = TCP_SYN;
		p->absent = LOOK_ICMP_TYPE;
	} else if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) {
		p->absent = LOOK_ICMP_TYPE | LOOK_TCP_FLAGS;
	} else {
		p->absent = LOOK_PORTS | LOOK_TCP_FLAGS;
		p->unknown |= LOOK_ICMP_TYPE;
	}
}

/* Of the packet that would be sent; what it leaves unknown says so. */
static __always_inline void address_read(struct bpf_sock_addr *ctx, int is_ip6,
					 __u32 hook, struct packet *p,
					 __u32 *states)
{
	struct bpf_sock *sk = ctx->sk;
	__u32 src_port;

	__builtin_memset(p, 0, sizeof(*p));
	p->segments = 1;
	p->flags = IS_CALL;
	p->unknown = LOOK_SRC | LOOK_SRC_PORT | LOOK_MARK | LOOK_DSCP |
		     LOOK_IFINDEX | LOOK_LENGTH | LOOK_LIMIT | LOOK_STATE |
		     LOOK_UID;
	address_protocol(p, ctx->protocol);
	if (is_ip6) {
		p->dst.words[0] = ctx->user_ip6[0];
		p->dst.words[1] = ctx->user_ip6[1];
		p->dst.words[2] = ctx->user_ip6[2];
		p->dst.words[3] = ctx->user_ip6[3];
	} else {
		address_map(&p->dst, ctx->user_ip4);
	}
	p->dst_port = bpf_ntohs((__u16)ctx->user_port);
	address_settle(&p->dst);
	p->family = address_is_mapped(&p->dst) ? 4 : 6;
	if (address_is_loopback(&p->dst)) {
		p->ifindex = LOOPBACK_IFINDEX;
		p->required = LOOK_IFINDEX;
		p->unknown &= ~LOOK_IFINDEX;
	}
	if (!sk)
		return;
	p->uid = socket_uid(sk);
	p->unknown &= ~LOOK_UID;
	src_port = sk->src_port;
	if (src_port) {
		p->src_port = src_port;
		p->unknown &= ~LOOK_SRC_PORT;
	}
	/* Without a port it never sent anything that this could belong to. */
	if (p->protocol == IPPROTO_TCP || !src_port) {
		*states = PACKET_NEW;
		p->unknown &= ~LOOK_STATE;
	}
	/* A message may name another source than its socket is bound to. */
	if (hook & HOOK_SENDMSG)
		return;
	if (is_ip6) {
		p->src.words[0] = sk->src_ip6[0];
		p->src.words[1] = sk->src_ip6[1];
		p->src.words[2] = sk->src_ip6[2];
		p->src.words[3] = sk->src_ip6[3];
		if (p->src.halves[0] || p->src.halves[1])
			p->unknown &= ~LOOK_SRC;
	} else if (sk->src_ip4) {
		address_map(&p->src, sk->src_ip4);
		p->unknown &= ~LOOK_SRC;
	}
}

/* In the place of states, of which a call has none: how the walk went so far.
 */
#define WARY HOW(0, 1, 0)

/* As chain_walk: ROW_*, DECIDE_LATER, WALK_ON or WALK_ON_WARY. */
static __always_inline int address_walk(struct bpf_sock_addr *ctx, int is_ip6,
					__u32 how, __u32 index, __u32 batch)
{
	__u32 slot = how & 1, hook = how >> 16, states = 0;
	const struct chain_row *chain = table_chain(slot, index);
	__u32 first = batch * WALK_BATCH;
	const struct rule_row *row = 0;
	struct packet packet;
	int perhaps = how & WARY ? MAY_REFUSE : 0, decision;
	__u32 tried = 0;

	if (!chain)
		return ROW_DENY;
	address_read(ctx, is_ip6, hook, &packet, &states);
	packet_forget(&packet, chain->zero);
	if (!packet.required || chain->flags & CHAIN_LOOPBACK)
		row = rules_walk(&packet, slot, states, chain->first + first,
				 chain->count - first, &perhaps, &tried);
	if (perhaps & MAY_DECIDE)
		return DECIDE_LATER;
	if (!row && first + WALK_BATCH < chain->count)
		return perhaps ? WALK_ON_WARY : WALK_ON;
	decision = row ? row->verdict : chain->policy;
	if (!row && packet.required)
		decision = ROW_ALLOW;
	if (decision != ROW_ALLOW)
		counter_add(row ? row->counter : chain->counter, 1, 0);
	else if (perhaps)
		decision = DECIDE_LATER;
	return decision;
}

/*
 * As chain_stride and chain_strides.  Programs for one family may not look at
 * the other's address, so there are two of each.
 */
#define ADDRESS_STRIDES(family, is_ip6)                                       \
	__noinline int address_walk##family(struct bpf_sock_addr *ctx,        \
					    __u32 how, __u32 index,           \
					    __u32 batch)                      \
	{                                                                     \
		return address_walk(ctx, is_ip6, how, index, batch);          \
	}                                                                     \
                                                                              \
	__noinline int address_stride##family(struct bpf_sock_addr *ctx,      \
					      __u32 how, __u32 chain,         \
					      __u32 batch)                    \
	{                                                                     \
		int decision = WALK_ON;                                       \
		__u32 i;                                                      \
                                                                              \
		for (i = 0; i < WALK_STRIDE; i++) {                           \
			decision = address_walk##family(ctx, how, chain,      \
							batch + i);           \
			if (decision < WALK_ON)                               \
				break;                                        \
			if (decision == WALK_ON_WARY)                         \
				how |= WARY;                                  \
		}                                                             \
		return decision;                                              \
	}                                                                     \
                                                                              \
	__noinline int address_strides##family(struct bpf_sock_addr *ctx,     \
					       __u32 how, __u32 chain)        \
	{                                                                     \
		int decision = WALK_ON;                                       \
		__u32 batch;                                                  \
                                                                              \
		for (batch = 0; batch < WALK_BATCHES; batch += WALK_STRIDE) { \
			decision = address_stride##family(ctx, how, chain,    \
							  batch);             \
			if (decision < WALK_ON)                               \
				break;                                        \
			if (decision == WALK_ON_WARY)                         \
				how |= WARY;                                  \
		}                                                             \
		return decision;                                              \
	}

ADDRESS_STRIDES(4, 0)
ADDRESS_STRIDES(6, 1)

/*
 * ROW_DENY, ROW_ALLOW, ROW_REJECT or DECIDE_LATER; what else it might return
 * denies, too.  hook: HOOK_OUT, and HOOK_SENDMSG; is_ip6: a constant, of the
 * program's attach type.
 */
static __always_inline int address_decide(struct bpf_sock_addr *ctx, int is_ip6,
					  __u32 slot, __u32 chain, __u32 hook)
{
	__u32 how = HOW(slot & 1, 0, hook);

	return is_ip6 ? address_strides6(ctx, how, chain)
		      : address_strides4(ctx, how, chain);
}

#endif
