/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charging a packet to the limits of all its groups. */
#ifndef WEIR_CGROUP_LIMIT_BPF_H
#define WEIR_CGROUP_LIMIT_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/member.bpf.h"
#include "cgroup/pace.bpf.h"
#include "cgroup/peer.bpf.h"
#include "cgroup/police.bpf.h"
#include "cgroup/quota.bpf.h"
#include "cgroup/scope.bpf.h"
#include "cgroup/sockets.bpf.h"
#include "cgroup/window.bpf.h"
#include "rules/match.bpf.h"

#define ETHERTYPE_IP4 0x0800

/* What a packet is on the wire. */
struct wire {
	__u32 bytes;   /* link headers and each segment's own included */
	__u32 payload; /* without any header */
	__u32 segments;
	__u32 is_tcp; /* 1, or 0 */
};

#define HEADERS_OF_TCP 256 /* beside the length: a TCP header is the last */

/*
 * Bytes of the IP and the transport header, and HEADERS_OF_TCP.  Global and
 * with a plain number for a result, so that the verifier follows no way
 * through here any further.
 */
__noinline int wire_headers(struct __sk_buff *skb)
{
	__u32 headers = 40;
	__u8 protocol = 0, byte = 0;

	if (skb->protocol == bpf_htons(ETHERTYPE_IP4)) {
		bpf_skb_load_bytes(skb, 9, &protocol, 1);
		bpf_skb_load_bytes(skb, 0, &byte, 1);
		headers = (byte & 15) * 4;
	} else {
		bpf_skb_load_bytes(skb, 6, &protocol, 1);
	}
	if (protocol != IPPROTO_TCP)
		return headers + 8;
	if (bpf_skb_load_bytes(skb, headers + 12, &byte, 1) == 0)
		headers += (byte >> 4) * 4;
	return headers | HEADERS_OF_TCP;
}

static __always_inline void wire_read(struct __sk_buff *skb, struct wire *wire)
{
	__u32 found = wire_headers(skb), headers = found & 255;

	wire->segments = skb->gso_segs ?: 1;
	wire->is_tcp = found / HEADERS_OF_TCP;
	/* What is not TCP has no acknowledgements to let pass. */
	wire->payload = skb->len;
	if (wire->is_tcp)
		wire->payload -= headers < skb->len ? headers : skb->len;
	wire->bytes = pace_wire_bytes(skb->len, wire->segments, headers);
}

/*
 * The socket's part of the controller; NULL for what is not paced.  With
 * flags 0 it is not made if the socket has none yet.
 */
static __always_inline struct pace_sock *limit_sock(struct __sk_buff *skb,
						    const struct wire *wire,
						    __u64 flags)
{
	struct bpf_sock *sk = skb->sk;

	if (!wire->is_tcp || !sk)
		return NULL;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->state == TCP_LISTEN_STATE)
		return NULL;
	return bpf_sk_storage_get(&sockets, sk, NULL, flags);
}

static __always_inline __u32 limit_unsent(struct __sk_buff *skb)
{
	return skb->sk ? kernel_unsent(skb->sk) : 0;
}

/* Only a socket whose window is clamped has to be looked at. */
static __always_inline bool limit_shrinks(struct __sk_buff *skb,
					  const struct pace_sock *sk)
{
	return sk->window && skb->sk &&
	       pace_shrinks(sk, kernel_window(skb->sk));
}

static __always_inline void tally_add(struct tally *tally, bool pass,
				      const struct wire *wire)
{
	if (pass) {
		tally->passed_bytes += wire->bytes;
		tally->passed_packets += wire->segments;
	} else {
		tally->dropped_bytes += wire->bytes;
		tally->dropped_packets += wire->segments;
	}
}

/*
 * A socket that was paced and is not limited any more is told so, by its
 * next callback.
 */
static __always_inline void limit_lift(struct __sk_buff *skb)
{
	struct wire wire = { .is_tcp = 1 };
	struct pace_sock *sk = limit_sock(skb, &wire, 0);

	if (sk)
		sk->wanted = PACE_UNLIMITED;
}

/* What a packet is charged with, in one number: bits from … */
enum {
	CHARGE_NTH = 32,  /* the scope's place in the list; before: the group */
	CHARGE_SLOT = 40, /* of the tables */
	CHARGE_TCP = 41,
	CHARGE_SPENT = 42, /* its quota is used up */
	CHARGE_FIRST = 43, /* its receiver's first in an epoch */
};

/* Where the policy says none for an address, that is counted. */
static __always_inline bool limit_counts(const struct group_row *group,
					 const struct charged *charged)
{
	return charged->limit.rate_bytes || charged->uid != group->uid;
}

#define LIMIT_REFUSED (-1)

/*
 * Charges a packet to one scope: whether it may pass.  Global, so that the
 * verifier looks at it once and not for every scope; so it takes numbers and
 * finds out the rest again.
 */
__noinline int limit_charge(struct __sk_buff *skb, __u64 what, __u64 cgroup,
			    __u64 size, __u64 now)
{
	__u32 slot = what >> CHARGE_SLOT & 1;
	const struct group_row *group = table_group(slot, what);
	struct wire wire = {
		.bytes = size,
		.payload = size >> 32,
		.segments = skb->gso_segs ?: 1,
		.is_tcp = what >> CHARGE_TCP & 1,
	};
	struct charged charged;
	struct pace_sock *sk;
	struct scope *scope;
	bool ok;

	if (!group)
		return 1;
	charged.limit = group->out;
	charged.uid = group->uid;
	charged.shape = group->shape_out;
	peer_limit(skb, slot, &group->out_to, true, &charged);
	if (what >> CHARGE_SPENT & 1)
		peer_limit_after(group, &group->quota.after_out,
				 group->quota.shape_out, &charged);
	if (!limit_counts(group, &charged))
		return 1;
	scope = scope_at(charged.uid, group->share_all ? 0 : cgroup);
	if (!scope)
		return 1;
	sk = limit_sock(skb, &wire, 0);
	bpf_spin_lock(&scope->lock);
	if (charged.shape == SHAPE_POLICE)
		ok = police_charge(&scope->out_police, &charged.limit,
				   wire.bytes, now);
	else
		ok = pace_charge(&scope->out, &charged.limit, sk,
				 what >> CHARGE_NTH & 0xff, wire.bytes,
				 wire.payload, now);
	tally_add(&scope->out_tally, ok, &wire);
	bpf_spin_unlock(&scope->lock);
	return ok;
}

/* What becomes of a packet that leaves: what the program returns. */
enum {
	OUT_PASSES = 1,
	OUT_DROPS = 2, /* and TCP is told, but sendmsg() of UDP gets no error */
	OUT_SLOWS = 3, /* passes, and TCP is told */
};

/*
 * spent: of quotas, as quota_look_all says it.  *wire_bytes: of the packet, but
 * for one over loopback.
 */
static __always_inline int limit_out(struct __sk_buff *skb,
				     const struct member *member, __u32 spent,
				     __u32 *wire_bytes)
{
	__u64 what = (__u64)(member->generation & 1) << CHARGE_SLOT, size, now;
	struct pace_sock *sk = NULL;
	struct wire wire = { 0 };
	int pass = 1;
	__u32 i;

	if (skb->ifindex == LOOPBACK_IFINDEX)
		return OUT_PASSES;
	wire_read(skb, &wire);
	*wire_bytes = wire.bytes;
	size = (__u64)wire.payload << 32 | wire.bytes;
	what |= (__u64)wire.is_tcp << CHARGE_TCP;
	now = bpf_ktime_get_ns();
	sk = limit_sock(skb, &wire, BPF_SK_STORAGE_GET_F_CREATE);
	if (sk)
		pace_fold_begin(sk, limit_unsent(skb), wire.payload, now);
	/* From the inside out: what an inner limit drops costs no outer one. */
	for (i = SCOPES_MAX; i-- > 0 && pass;) {
		const struct member_scope *at = &member->scopes[i];

		if (i < member->count)
			pass = limit_charge(skb,
					    what | (__u64)i << CHARGE_NTH |
						    at->group |
						    (__u64)SPENT_AT(spent, i)
							    << CHARGE_SPENT,
					    at->cgroup, size, now);
	}
	if (sk)
		pace_fold_end(sk, wire.bytes, pass ? wire.payload : 0);
	if (!pass)
		return OUT_DROPS;
	return sk && limit_shrinks(skb, sk) ? OUT_SLOWS : OUT_PASSES;
}

/*
 * Whether it has waited for this limit at the ifb of the device by which it
 * arrived: the tc program there takes away a priority that was brought along.
 */
static __always_inline bool limit_waited(struct __sk_buff *skb, __u32 slot,
					 __u32 group, __u64 cgroup)
{
	struct share_key key = {
		.cgroup = cgroup,
		.device = skb->ifindex,
		.side = SHARE_WAITS,
	};
	const struct share_value *share;

	if ((skb->priority & 0xffff0000) != QUEUE_MAJOR)
		return false;
	share = table_share(slot, &key);
	return share && share->group == group &&
	       QUEUE_WAS_OF(skb->priority, share->number);
}

/*
 * Charges a packet that arrives to one scope: LIMIT_REFUSED, or it may pass,
 * as it always may where a queue holds the limit, but for what comes when a
 * quota is used up.  Then the window is returned that the scope would have its
 * receiver offer.  Global: see limit_charge.
 */
__noinline int limit_arrive(struct __sk_buff *skb, __u64 what, __u64 cgroup,
			    __u32 bytes, __u64 now)
{
	__u32 slot = what >> CHARGE_SLOT & 1, users;
	const struct group_row *group = table_group(slot, what);
	struct wire wire = { .bytes = bytes, .segments = skb->gso_segs ?: 1 };
	bool ok = true, spent, waits;
	struct receiver *receiver;
	struct charged charged;
	struct scope *scope;
	__u64 key;

	if (!group)
		return WINDOW_UNCLAMPED;
	spent = what >> CHARGE_SPENT & 1;
	charged.limit = group->in;
	charged.uid = group->uid;
	peer_limit(skb, slot, &group->in_from, false, &charged);
	if (spent)
		peer_limit_after(group, &group->quota.after_in, SHAPE_POLICE,
				 &charged);
	if (!limit_counts(group, &charged))
		return WINDOW_UNCLAMPED;
	scope = scope_at(charged.uid, group->share_all ? 0 : cgroup);
	if (!scope)
		return WINDOW_UNCLAMPED;
	key = queued_key(group, cgroup);
	/* What has a limit by its source does not wait there. */
	waits = !spent && charged.uid == group->uid &&
		(bpf_map_lookup_elem(&queued, &key) ||
		 limit_waited(skb, slot, what, cgroup));
	receiver = window_receiver(skb, 0);
	bpf_spin_lock(&scope->lock);
	if (!waits && charged.limit.rate_bytes)
		ok = police_charge(&scope->in, &charged.limit, wire.bytes, now);
	tally_add(&scope->in_tally, ok, &wire);
	users = window_users(&scope->in_users, what >> CHARGE_FIRST & 1, now);
	bpf_spin_unlock(&scope->lock);
	if (!ok)
		return LIMIT_REFUSED;
	return waits && receiver
		       ? window_of(receiver, charged.limit.rate_bytes, users)
		       : WINDOW_UNCLAMPED;
}

/* Whether the packet may arrive; *wire_bytes as with limit_out. */
static __always_inline bool limit_in(struct __sk_buff *skb,
				     const struct member *member, __u32 spent,
				     __u32 *wire_bytes)
{
	__u64 what = (__u64)(member->generation & 1) << CHARGE_SLOT, now;
	int window = WINDOW_UNCLAMPED, other;
	struct receiver *receiver;
	struct wire wire = { 0 };
	bool pass = true;
	__u32 i;

	if (skb->ifindex == LOOPBACK_IFINDEX)
		return true;
	wire_read(skb, &wire);
	*wire_bytes = wire.bytes;
	now = bpf_ktime_get_ns();
	receiver = window_receiver(skb, BPF_SK_STORAGE_GET_F_CREATE);
	if (receiver && window_arrives(receiver, wire.bytes, now))
		what |= 1ULL << CHARGE_FIRST;
	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];

		other = limit_arrive(skb,
				     what | at->group |
					     (__u64)SPENT_AT(spent, i)
						     << CHARGE_SPENT,
				     at->cgroup, wire.bytes, now);
		if (other == LIMIT_REFUSED)
			pass = false;
		else if (other < window)
			window = other;
	}
	if (receiver)
		receiver->wanted = window;
	return pass;
}

/* Counts a packet that passed; direction: COUNT_*. */
static __always_inline void limit_count(struct __sk_buff *skb,
					const struct member *member,
					__u32 direction)
{
	struct wire wire = { 0 };

	wire_read(skb, &wire);
	quota_count_all(member, wire.bytes, direction);
}

/*
 * What is known of the quotas.  Where the packet passes or not by one of them
 * alone it is counted, too: is_counted says so.
 */
static __always_inline __u32 limit_quota(struct __sk_buff *skb,
					 const struct member *member,
					 __u32 direction, bool is_counted)
{
	struct wire wire = { 0 };

	if (!is_counted)
		return quota_look_all(member, 0, 0);
	wire_read(skb, &wire);
	return quota_look_all(member, direction, wire.bytes);
}

/* A socket is told its pacing rate when it has news: at every new RTT. */
static __always_inline void limit_socket(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct pace_sock *paced;

	switch (ops->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		bpf_sock_ops_cb_flags_set(ops,
					  ops->bpf_sock_ops_cb_flags |
						  BPF_SOCK_OPS_RTT_CB_FLAG);
		break;
	case BPF_SOCK_OPS_RTT_CB:
		break;
	default:
		return;
	}
	if (!sk)
		return;
	paced = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!paced)
		return;
	/* Adopted by an apply that was killed before its limit was in force? */
	if (pace_is_adopted(paced) &&
	    bpf_ktime_get_ns() - paced->last_ns > PACE_SEC)
		paced->wanted = PACE_UNLIMITED;
	pace_socket(ops, paced, kernel_pacing(sk));
}

#endif
