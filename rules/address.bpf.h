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
	p->unknown = LOOK_SRC | LOOK_SRC_PORT | LOOK_MARK | LOOK_DSCP |
		     LOOK_IFINDEX | LOOK_IFACES | LOOK_LENGTH | LOOK_LIMIT |
		     LOOK_STATE | LOOK_UID;
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
		p->unknown &= ~(LOOK_IFINDEX | LOOK_IFACES);
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

/* In the place of states, of which a call has none: walk.wary so far. */
#define WARY HOW(0, 1, 0)

_Static_assert(WARY == DECIDED_VARIES, "what one returned tells the next");

/* The policy has it, unless it is about loopback. */
static __always_inline void address_end(const struct packet *p,
					const struct chain_row *chain,
					struct walk *walk)
{
	walk->verdict = p->required ? ROW_ALLOW : chain->policy;
	walk->counter = chain->counter;
}

static __always_inline __u32 address_wary(const struct walk *walk)
{
	return walk->wary ? DECIDED_VARIES : 0;
}

/* Of a call: what the classifier finds from kept on, as FOUND. */
static __always_inline __u64 address_class(struct bpf_sock_addr *ctx,
					   int is_ip6, __u32 how, __u32 index,
					   __u64 kept)
{
	__u32 slot = how & 1, hook = how >> 16, states = 0;
	const struct chain_row *chain = table_chain(slot, index);
	struct packet packet;

	if (!chain || chain->lowest == NONE || !(chain->flags & CHAIN_CALLS))
		return FOUND_NONE;
	address_read(ctx, is_ip6, hook, &packet, &states);
	packet_forget(&packet, chain_zeroes(chain));
	return class_of_call(&packet, chain, is_ip6, slot, walk_from(kept));
}

/*
 * A batch of the list, as far as the rule that the classifier has found; or
 * (at_found, a constant) that rule.  ROW_*, DECIDE_LATER, or WALK_ON, WALK_ASK
 * or WALK_FOUND and where it is, with the bit DECIDED_VARIES where it is wary.
 */
static __always_inline __u64 address_walk(struct bpf_sock_addr *ctx, int is_ip6,
					  int at_found, __u32 how, __u32 index,
					  __u64 kept, __u64 found)
{
	__u32 slot = how & 1, hook = how >> 16, states = 0;
	const struct chain_row *chain = table_chain(slot, index);
	struct walk walk = { .at = kept, .is_call = 1 };
	int step = STEP_END;
	struct packet packet;
	__u64 at;

	if (!chain)
		return ROW_DENY;
	/* Nobody knew that calls would ask it. */
	if (chain->lowest != NONE && !(chain->flags & CHAIN_CALLS))
		return DECIDE_LATER;
	address_read(ctx, is_ip6, hook, &packet, &states);
	packet_forget(&packet, chain_zeroes(chain));
	walk.wary = forget(how & WARY, chain_zeroes(chain));
	if (at_found)
		step = walk_found(&packet, chain, slot, states, found, &walk);
	else if (chain_is_about(chain, &packet))
		step = walk_list(&packet, chain, slot, states, found, &walk);
	found = forget(found, chain_zeroes(chain));
	at = walk.at | address_wary(&walk);
	if (step == STEP_ON || step == STEP_LED)
		return WALK_ON | at;
	if (step == STEP_LIMIT)
		return walk_limited(found, &walk) | at;
	if (step == STEP_ASK)
		return WALK_ASK | at;
	if (step == STEP_LATER)
		return DECIDE_LATER;
	if (step == STEP_END)
		address_end(&packet, chain, &walk);
	if (walk.verdict != ROW_ALLOW)
		counter_add(walk.counter, 1, 0);
	else if (walk.wary)
		return DECIDE_LATER;
	return decided(walk.verdict, 0, walk.counter);
}

/*
 * So many runs of batches of a call's walk, and no more: then it may go on, and
 * its packets are asked again.
 */
#define ADDRESS_RUN  16
#define ADDRESS_RUNS (16 + CHAIN_ASKS_MAX)

/*
 * Programs for one family may not look at the other's address, so there are
 * two of each.
 */
#define ADDRESS_WALKS(family, is_ip6)                                          \
	__noinline __u64 address_class##family(                                \
		struct bpf_sock_addr *ctx, __u32 how, __u32 index, __u64 kept) \
	{                                                                      \
		return address_class(ctx, is_ip6, how, index, kept);           \
	}                                                                      \
                                                                               \
	__noinline __u64 address_walk##family(struct bpf_sock_addr *ctx,       \
					      __u32 how, __u32 index,          \
					      __u64 kept, __u64 found)         \
	{                                                                      \
		return address_walk(ctx, is_ip6, 0, how, index, kept, found);  \
	}                                                                      \
                                                                               \
	__noinline __u64 address_found##family(struct bpf_sock_addr *ctx,      \
					       __u32 how, __u32 index,         \
					       __u64 kept, __u64 found)        \
	{                                                                      \
		return address_walk(ctx, is_ip6, 1, how, index, kept, found);  \
	}                                                                      \
                                                                               \
	__noinline __u64 address_run##family(struct bpf_sock_addr *ctx,        \
					     __u32 how, __u32 index,           \
					     __u64 kept, __u64 found)          \
	{                                                                      \
		__u32 i;                                                       \
                                                                               \
		for (i = 0; i < ADDRESS_RUN; i++) {                            \
			kept = address_walk##family(ctx, how, index,           \
						    kept & WALK_KEPT, found);  \
			how |= kept & WARY;                                    \
			if (DECISION(kept) != WALK_ON)                         \
				break;                                         \
		}                                                              \
		return kept | (how & WARY);                                    \
	}                                                                      \
                                                                               \
	__noinline __u64 address_walks##family(struct bpf_sock_addr *ctx,      \
					       __u32 how, __u32 chain)         \
	{                                                                      \
		__u64 one = WALK_ASK, found = 0;                               \
		__u32 i;                                                       \
                                                                               \
		for (i = 0; i < ADDRESS_RUNS; i++) {                           \
			if (DECISION(one) == WALK_ASK)                         \
				found = address_class##family(                 \
					ctx, how, chain, one & WALK_KEPT);     \
			one = address_run##family(ctx, how, chain,             \
						  one & WALK_KEPT, found);     \
			how |= one & WARY;                                     \
			if (DECISION(one) == WALK_FOUND)                       \
				one = address_found##family(ctx, how, chain,   \
							    one & WALK_KEPT,   \
							    found);            \
			how |= one & WARY;                                     \
			if (DECISION(one) != WALK_ON &&                        \
			    DECISION(one) != WALK_ASK)                         \
				return one;                                    \
		}                                                              \
		return DECIDE_LATER;                                           \
	}

ADDRESS_WALKS(4, 0)
ADDRESS_WALKS(6, 1)

/*
 * DECISION() of it is ROW_DENY, ROW_ALLOW, ROW_REJECT or DECIDE_LATER; what
 * else it might be denies, too.  With a verdict the counter is that of
 * chain_decide. hook: HOOK_OUT, and HOOK_SENDMSG; is_ip6: a constant, of the
 * program's attach type.
 */
static __always_inline __u64 address_decide(struct bpf_sock_addr *ctx,
					    int is_ip6, __u32 slot, __u32 chain,
					    __u32 hook)
{
	__u32 how = HOW(slot & 1, 0, hook);

	return is_ip6 ? address_walks6(ctx, how, chain)
		      : address_walks4(ctx, how, chain);
}

#endif
