/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to what a chain of a device rejects, so that the sender hears at
 * once: the packet becomes its own answer and goes back where it came from.
 * One that arrived leaves by the device; one that was to leave arrives there,
 * as if the other end had sent it, and finds its way to the program or, by the
 * routes, to the host that it is for.
 *
 * Nobody is answered who cannot have sent the packet, or whom an answer would
 * reach that did not: what is to or from more than one, has no whole header or
 * a wrong checksum, is a later fragment, or is an error itself, so that no two
 * can answer each other for ever.  Nor what passes the loopback interface, as
 * the kernel takes nothing there that has no route yet; what has VLAN tags in
 * its data; and what a device sees that is for other hosts, but at a veth that
 * is a bridge's port.
 */
#ifndef WEIR_TC_ANSWER_BPF_H
#define WEIR_TC_ANSWER_BPF_H

#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include "rules/state.bpf.h"
#include "tc/answer_abi.h"
#include "tc/answer_frame.bpf.h"
#include "tc/device_abi.h"

enum {
	ANSWER_OUT = 1 << 0,	 /* the packet leaves */
	ANSWER_FRAMED = 1 << 1,	 /* it begins with an Ethernet header */
	ANSWER_MARKED = 1 << 2,	 /* a program of ours is in the answer's way */
	ANSWER_BRIDGED = 1 << 3, /* what arrives may be for other hosts */
};

/* The programs count; user space reads and removes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct device_answers);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} device_answers SEC(".maps");

/* ------------------------------------------------------------- passing */

/*
 * An answer is not asked about by the chain of the other direction.  It has a
 * mark of its own until that program sees it: a number that nobody can guess,
 * and that counts once, as who is root in a container can set marks, too.
 */
#define TOKENS 256

/* The programs of both directions write and read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TOKENS);
	__type(key, __u32);
	__type(value, __u32);
} answer_tokens SEC(".maps");

static __always_inline __u32 *token_find(__u32 mark)
{
	__u32 key = mark % TOKENS;

	return bpf_map_lookup_elem(&answer_tokens, &key);
}

/* 1, and the mark is gone, for an answer of ours.  Global: seldom wanted. */
__noinline int answer_passes(struct __sk_buff *skb)
{
	__u32 mark = skb->mark, *token = token_find(mark);

	if (!mark || !token || *token != mark)
		return 0;
	*token = 0;
	skb->mark = 0;
	return 1;
}

static __always_inline void answer_mark(struct __sk_buff *skb, __u32 how)
{
	__u32 mark = how & ANSWER_MARKED ? bpf_get_prandom_u32() : 0;
	__u32 *token = token_find(mark);

	if (mark && token)
		*token = mark;
	skb->mark = mark;
}

/* -------------------------------------------------------------- whether */

static __always_inline bool is_one_host4(__be32 address)
{
	__u32 first = bpf_ntohl(address) >> 24;

	return first != 0 && first != 127 && first < 224;
}

static __always_inline bool is_one_host6(const union address *address)
{
	__u64 last = bpf_be64_to_cpu(address->halves[1]);

	return (address->halves[0] || last > 1) && address->bytes[0] != 0xff;
}

static __always_inline bool is_between_hosts(const struct packet *p)
{
	if (p->family == 4)
		return is_one_host4(p->src.words[3]) &&
		       is_one_host4(p->dst.words[3]);
	return is_one_host6(&p->src) && is_one_host6(&p->dst);
}

/* Whether its frame is for this host, or leaves for one. */
static __always_inline bool is_to_one(struct __sk_buff *skb, __u32 how)
{
	__u8 first = 0;

	if (!(how & ANSWER_OUT))
		return skb->pkt_type == PACKET_HOST ||
		       (how & ANSWER_BRIDGED &&
			skb->pkt_type == PACKET_OTHERHOST);
	if (how & ANSWER_FRAMED)
		bpf_skb_load_bytes(skb, 0, &first, sizeof(first));
	return !(first & 1);
}

/* As the kernel knows them: of a kind that it does not know, it might be. */
static __always_inline bool is_error(const struct packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return p->tcp_flags & TCP_RST;
	if (p->absent & LOOK_ICMP_TYPE)
		return false;
	return is_icmp_error(p) ||
	       (p->family == 4 ? p->icmp_type > ICMP4_MASK_REPLY
			       : p->icmp_type == ICMP6_REDIRECT);
}

/* 1 where the packet, which is read to our desk, may have an answer. */
__noinline int answer_is_due(struct __sk_buff *skb, __u32 how)
{
	__u32 unfit = IS_MALFORMED | IS_NOT_IP | IS_LATER_FRAGMENT;
	struct answer_desk *desk = answer_desk();
	struct packet *p;

	if (!desk)
		return 0;
	p = &desk->packet;
	packet_read(skb, p);
	packet_end_check(skb, p);
	if (p->protocol == IPPROTO_TCP)
		unfit |= IS_FIRST_FRAGMENT; /* where it ends is not known */
	return !(p->flags & unfit) && p->base == BPF_HDR_START_NET &&
	       p->ifindex != LOOPBACK_IFINDEX && is_between_hosts(p) &&
	       is_to_one(skb, how) && !is_error(p);
}

/* Where a checksum over all that is behind IP stands there; 0: there is none.
 */
static __always_inline __u32 check_offset(const struct packet *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
		return p->family == 4 ? 2 : 0;
	case IPPROTO_ICMPV6:
		return p->family == 6 ? 2 : 0;
	default:
		return 0;
	}
}

/*
 * Whether a receiver would find it unharmed.  What another program or a
 * virtual device sends may have only the pseudo header's sum yet; what the
 * kernel has put together it has looked at.
 */
static __always_inline bool sums_fit(struct __sk_buff *skb,
				     const struct packet *p)
{
	__u32 length = p->end - p->transport, at = check_offset(p), sum = 0;
	__u16 check = 0;

	if (p->family == 4 &&
	    sum_of_packet(skb, 0, p->transport, 0) != SUM_RIGHT)
		return false;
	if (!at || skb->gso_size || p->flags & IS_FIRST_FRAGMENT)
		return true;
	if (packet_load(skb, p, p->transport + at, &check, sizeof(check)) < 0)
		return false;
	if (p->protocol == IPPROTO_UDP && p->family == 4 && !check)
		return true;
	if (p->protocol != IPPROTO_ICMP) {
		sum = sum_pseudo(p, length, p->protocol);
		if (sum == check)
			return true;
	}
	return sum_of_packet(skb, p->transport, length, sum) == SUM_RIGHT;
}

__noinline int answer_sums_fit(struct __sk_buff *skb)
{
	struct answer_desk *desk = answer_desk();

	return desk && sums_fit(skb, &desk->packet);
}

static __always_inline struct device_answers *answers_of(__u32 index)
{
	struct device_answers none = { 0 }, *answers;

	answers = bpf_map_lookup_elem(&device_answers, &index);
	if (answers)
		return answers;
	bpf_map_update_elem(&device_answers, &index, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&device_answers, &index);
}

/*
 * 1 where the device may send an answer more.  due_ns runs behind the clock by
 * what may be sent at once, and moves on by what an answer takes.
 */
__noinline int answer_may(__u32 index, __u32 side)
{
	const __u64 gap = 1000000000ULL / ANSWER_PER_SECOND;
	struct device_answers *answers = answers_of(index);
	__u64 now = bpf_ktime_get_ns(), earliest = now - ANSWER_BURST * gap;
	int may;

	if (!answers)
		return 0;
	side &= 1;
	bpf_spin_lock(&answers->lock);
	if (answers->due_ns < earliest)
		answers->due_ns = earliest;
	may = answers->due_ns + gap <= now;
	if (may) {
		answers->due_ns += gap;
		answers->side[side].sent++;
	} else {
		answers->side[side].withheld++;
	}
	bpf_spin_unlock(&answers->lock);
	return may;
}

/* ------------------------------------------------------------- sending */

#define PULLED 512 /* bytes */
#define LEFT   40 /* no IP header is longer that an adjusted packet must keep */

/*
 * Makes the packet as long as the answer, and of plain bytes.  What a virtual
 * device sends has a checksum yet to be filled in, somewhere behind its
 * headers, and would be changed by that later on.  The kernel gives that up
 * where what is before it is pulled off: at once, or before 5.17 or so when
 * something more is pulled.  So there have to be as many bytes first.
 */
static __always_inline int answer_room(struct __sk_buff *skb, __u32 link,
				       __u32 length)
{
	int r = bpf_skb_change_tail(skb, link + LEFT + 4 + PULLED, 0);

	if (r == 0)
		r = bpf_skb_adjust_room(skb, -PULLED, BPF_ADJ_ROOM_MAC, 0);
	if (r == 0)
		r = bpf_skb_adjust_room(skb, -4, BPF_ADJ_ROOM_MAC, 0);
	if (r == 0 && length > LEFT)
		r = bpf_skb_adjust_room(skb, length - LEFT, BPF_ADJ_ROOM_MAC,
					0);
	return r;
}

/* The link's addresses change places. */
static __always_inline int answer_turn(struct __sk_buff *skb)
{
	__u8 addresses[2 * ETH_ALEN] = { 0 };
	int r = bpf_skb_load_bytes(skb, 0, addresses, sizeof(addresses));

	if (r == 0)
		r = bpf_skb_store_bytes(skb, 0, &addresses[ETH_ALEN], ETH_ALEN,
					0);
	if (r == 0)
		r = bpf_skb_store_bytes(skb, ETH_ALEN, addresses, ETH_ALEN, 0);
	return r;
}

/* Puts what is on the desk into the packet; 0, or it is lost. */
__noinline int answer_put(struct __sk_buff *skb, __u32 length, __u32 how)
{
	__u32 link = how & ANSWER_FRAMED ? ETH_HLEN : 0;
	struct answer_desk *desk = answer_desk();

	if (!desk || answer_room(skb, link, length) < 0)
		return -1;
	barrier_var(length);
	if (length < LEFT || length > ANSWER_MOST ||
	    bpf_skb_store_bytes(skb, link, desk->words, length,
				BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH) <
		    0)
		return -1;
	return link ? answer_turn(skb) : 0;
}

/* Writes the answer on the desk; how long it is, or 0: there is none. */
__noinline int answer_write(struct __sk_buff *skb)
{
	struct answer_desk *desk = answer_desk();
	struct packet *p;

	if (!desk)
		return 0;
	p = &desk->packet;
	if (p->protocol == IPPROTO_TCP)
		return answer_reset(skb, p, desk);
	return p->family == 4 ? answer_icmp4(skb, p, desk)
			      : answer_icmp6(skb, p, desk);
}

/* The packet becomes its answer, on a desk that is ours; 0, or there is none.
 */
static __always_inline int answer_make(struct __sk_buff *skb, __u32 index,
				       __u32 how)
{
	__u32 length;

	if (!answer_is_due(skb, how) || !answer_sums_fit(skb) ||
	    !answer_may(index, how & ANSWER_OUT ? SIDE_OUT : SIDE_IN))
		return -1;
	length = answer_write(skb);
	return length ? answer_put(skb, length, how) : -1;
}

/*
 * What becomes of a packet that was rejected: TC_ACT_REDIRECT where it goes
 * back as an answer, or TC_ACT_SHOT.  Global, as its parts are: they lie beside
 * what decides, not on its stack, and each is verified once.
 */
__noinline int answer_reject(struct __sk_buff *skb, __u32 index, __u32 how)
{
	struct answer_desk *desk = answer_desk();
	int r;

	if (!desk || !desk_take(desk))
		return TC_ACT_SHOT;
	/* Its sum goes by all of it, of which not all may lie in one piece. */
	if (!skb->gso_size && skb->len <= SUM_PARTS * SUM_PART)
		bpf_skb_pull_data(skb, skb->len);
	r = answer_make(skb, index, how);
	desk_leave(desk);
	if (r < 0)
		return TC_ACT_SHOT;
	answer_mark(skb, how);
	skb->priority = 0;
	if (!(how & ANSWER_OUT))
		return bpf_redirect(skb->ifindex, 0);
	skb->tstamp = 0; /* it was that of the packet, to leave */
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

#endif
