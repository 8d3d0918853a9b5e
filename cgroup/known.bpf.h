/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of a flow that was decided in this generation, and allowed, meet no
 * rule, and where their cgroup has no limit nothing else either.
 *
 * The verdict lies with the socket, if that has a peer: it is put there once
 * and never written again, so whoever reads it sees all of it.  Where it is to
 * be another, it is another element.  Of UDP sockets without a peer it is in
 * the table of known flows; and so is that of a call to a TCP socket which
 * listens, for what follows it until the socket made for it has enough to do.
 *
 * A connected socket can send to others, and a raw one whatever it likes: the
 * packet is compared with what was decided, every time.
 */
#ifndef WEIR_CGROUP_KNOWN_BPF_H
#define WEIR_CGROUP_KNOWN_BPF_H

#include "cgroup/bystander.bpf.h"
#include "cgroup/member.bpf.h"
#include "rules/kernel.bpf.h"
#include "rules/known.bpf.h"

#define KNOWN_SOCK_DGRAM 2 /* SOCK_DGRAM */

/*
 * A short connection is over before a verdict would have paid: so many
 * segments both ways.  One in KNOWN_SELDOM_UDP of a connected UDP socket.
 */
#define KNOWN_SEGMENTS	 16
#define KNOWN_SELDOM_UDP 4

#define KNOWN_STORAGE                                  \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_SK_STORAGE); \
		__uint(map_flags, BPF_F_NO_PREALLOC);  \
		__type(key, int);                      \
		__type(value, struct known);           \
		__uint(pinning, LIBBPF_PIN_BY_NAME);   \
	}

/* group_out makes, reads and removes. */
KNOWN_STORAGE known_out SEC(".maps");

/* group_in likewise. */
KNOWN_STORAGE known_in SEC(".maps");

/* What becomes of a packet. */
enum {
	KNOWN_NOT = 0,	 /* ask the chains */
	KNOWN_BYSTANDER, /* nothing is asked of its cgroup */
	KNOWN_ALLOWED,	 /* do not; it was counted */
	KNOWN_PASSES,	 /* nor anything else */
};

/* In these states all that belongs to a TCP socket is established. */
#define KNOWN_OPEN                                           \
	(1 << BPF_TCP_ESTABLISHED | 1 << BPF_TCP_FIN_WAIT1 | \
	 1 << BPF_TCP_FIN_WAIT2 | 1 << BPF_TCP_CLOSE_WAIT |  \
	 1 << BPF_TCP_LAST_ACK | 1 << BPF_TCP_CLOSING)

static __always_inline bool known_is_open(const struct bpf_sock *sk)
{
	return KNOWN_OPEN >> (sk->state & 31) & 1;
}

/* The port as it stands in packets; 0: none.  By a word, as before 5.17. */
static __always_inline __u32 known_peer_port(const struct bpf_sock *sk)
{
	return *(volatile const __u32 *)&sk->dst_port;
}

/*
 * A socket's cgroup never changes, except up to 5.14 where somebody uses the
 * net_cls or net_prio of cgroup v1: then it loses it.
 */
static __always_inline bool known_is_at_home(struct __sk_buff *skb,
					     const struct known *known)
{
	struct sock *sk = NULL;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return true;
	return known->place == bpf_skb_cgroup_id(skb);
}

static __always_inline bool known_of_socket(struct __sk_buff *skb,
					    struct bpf_sock *sk, __u64 stamp,
					    const struct flow_id *id,
					    __u32 hook,
					    struct known_found *found)
{
	const struct known *known;

	known = hook & HOOK_OUT ? bpf_sk_storage_get(&known_out, sk, NULL, 0)
				: bpf_sk_storage_get(&known_in, sk, NULL, 0);
	if (!known || known->stamp != stamp ||
	    !known_is_of(known, id, skb->ifindex) ||
	    !known_is_at_home(skb, known))
		return false;
	known_take(known, found);
	if (found->flags & KNOWN_WHILE_OPEN &&
	    !(known_is_open(sk) && tcp_flags_valid(id->tcp_flags)))
		return false;
	return !known_is_over(found, id);
}

static __always_inline __u64 known_place(struct __sk_buff *skb, __u32 hook)
{
	return bpf_skb_cgroup_id(skb) | (hook & HOOK_OUT ? KNOWN_LEAVES : 0);
}

/*
 * Whether the table of known flows may have its verdict: of a connected UDP
 * socket only the socket has.
 */
static __always_inline bool known_is_tabled(const struct bpf_sock *sk,
					    const struct flow_id *id)
{
	return (__u8)id->kind == IPPROTO_TCP || !known_peer_port(sk);
}

/*
 * KNOWN_*; hook: HOOK_OUT or 0.  Global, for the room that it takes on the
 * stack, which the chains need.
 */
__noinline int known_packet(struct __sk_buff *skb, __u64 stamp, __u32 hook)
{
	struct bpf_sock *sk = skb->sk;
	struct known_found found;
	struct flow_id id = { 0 };

	if (is_bystander(bpf_skb_cgroup_id(skb), stamp, hook))
		return KNOWN_BYSTANDER;
	if (!sk || !flow_id_of_socket(skb, &id))
		return KNOWN_NOT;
	if (!(known_peer_port(sk) &&
	      known_of_socket(skb, sk, stamp, &id, hook, &found)) &&
	    !(known_is_tabled(sk, &id) &&
	      known_find(known_place(skb, hook), stamp, &id, skb->ifindex,
			 &found)))
		return KNOWN_NOT;
	known_count(skb, &found, &id, !(hook & HOOK_OUT));
	return found.flags & KNOWN_FINAL ? KNOWN_PASSES : KNOWN_ALLOWED;
}

/* ------------------------------------------------------------ keeping */

/* What known_keep is told, beside states in bits 0 … 7 and DECIDED_*. */
enum {
	KEEP_OUT = 1 << 16,
	KEEP_FINAL = 1 << 17,
};

/* KNOWN_* of a verdict by the states that it went by; negative: none. */
static __always_inline int keep_flags(const struct bpf_sock *sk,
				      const struct flow_id *id, __u32 how)
{
	__u32 states = how & 0xff;

	if (!states)
		return how & DECIDED_STATES ? -1 : 0;
	if ((__u8)id->kind == IPPROTO_UDP)
		return known_for_a_moment(how, id) ? KNOWN_UNTIL : -1;
	if (states & PACKET_KEEP)
		return -1;
	if (!(how & DECIDED_STATES))
		return 0;
	return states == PACKET_ESTABLISHED && known_is_open(sk)
		       ? KNOWN_WHILE_OPEN
		       : -1;
}

/* Whether it goes to the peer of a socket, or comes from there. */
static __always_inline bool keep_is_of_peer(const struct bpf_sock *sk,
					    const struct flow_id *id, __u32 how)
{
	__u32 ports = bpf_ntohl(id->ports);

	return bpf_ntohs(known_peer_port(sk)) ==
	       (how & KEEP_OUT ? ports & 0xffff : ports >> 16);
}

/* Asked first, as it is answered by no so often; of a listener: perhaps. */
static __always_inline bool keep_pays(struct bpf_sock *sk, __u32 random)
{
	struct bpf_tcp_sock *tcp;

	if (!known_peer_port(sk))
		return sk->state == SOCKET_LISTEN ||
		       (sk->protocol == IPPROTO_UDP &&
			random % KNOWN_SELDOM == 0);
	if (sk->protocol == IPPROTO_UDP)
		return random % KNOWN_SELDOM_UDP == 0;
	tcp = bpf_tcp_sock(sk);
	return tcp && tcp->segs_in + tcp->segs_out >= KNOWN_SEGMENTS;
}

static __always_inline bool keep_is_its(const struct bpf_sock *sk,
					const struct flow_id *id)
{
	if ((__u8)id->kind == IPPROTO_UDP)
		return sk->protocol == IPPROTO_UDP &&
		       sk->type == KNOWN_SOCK_DGRAM;
	return sk->protocol == IPPROTO_TCP && sk->type == SOCKET_STREAM;
}

/*
 * Keeps what the chains have allowed a packet.  Global, with numbers, so that
 * the verifier looks at it once.  last, first: of the ruling.  Returns 0.
 */
__noinline int known_keep(struct __sk_buff *skb, __u64 stamp, __u32 how,
			  __u64 last, __u64 first)
{
	__u32 random = bpf_get_prandom_u32();
	struct known known = { 0 };
	struct bpf_sock *sk = skb->sk;
	struct flow_id id = { 0 };
	int flags;

	if (!stamp_may_keep(stamp))
		return 0;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || !keep_pays(sk, random) || !flow_id_of_socket(skb, &id) ||
	    !keep_is_its(sk, &id) ||
	    (sk->state == SOCKET_LISTEN && !known_calls(&id)))
		return 0;
	flags = keep_flags(sk, &id, how);
	if (flags < 0)
		return 0;
	known_make(skb, stamp, bpf_skb_cgroup_id(skb), &id, &known);
	known_set_counters(&known, last, first);
	known.flags = flags | (how & KEEP_FINAL ? KNOWN_FINAL : 0);
	if (!known_peer_port(sk)) {
		if (how & KEEP_OUT)
			known.place |= KNOWN_LEAVES;
		known_put(&known, &id, random);
		return 0;
	}
	if (!keep_is_of_peer(sk, &id, how))
		return 0;
	if (how & KEEP_OUT) {
		bpf_sk_storage_delete(&known_out, sk);
		bpf_sk_storage_get(&known_out, sk, &known,
				   BPF_SK_STORAGE_GET_F_CREATE);
	} else {
		bpf_sk_storage_delete(&known_in, sk);
		bpf_sk_storage_get(&known_in, sk, &known,
				   BPF_SK_STORAGE_GET_F_CREATE);
	}
	return 0;
}

#endif
