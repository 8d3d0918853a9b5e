/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of flows.  A flow is established once both sides have spoken;
 * until then what its first speaker sends is new.  TCP on devices is
 * followed loosely, as by nf_conntrack: a connection older than the policy
 * is picked up as new by any plain ACK, and sequence numbers are not looked
 * at.
 *
 * A packet opens, answers or refreshes a flow only after it was allowed:
 * finding (flow_states) and keeping (flow_keep) are two steps.  When the
 * table is full, the flow that was quiet for longest goes.
 */
#ifndef WEIR_RULES_FLOW_BPF_H
#define WEIR_RULES_FLOW_BPF_H

#include "rules/packet.bpf.h"
#include "rules/tables.bpf.h"
#include "rules/tcp_flags.h"

/* Beside PACKET_*: call states_keep if the packet is allowed. */
#define PACKET_KEEP (1 << 7)

#define SECONDS 1000000000ULL

static __always_inline int is_icmp(const struct packet *p)
{
	return !(p->absent & LOOK_ICMP_TYPE);
}

/*
 * The key of a packet's flow; returns which of its sides has sent this one.
 * Who asks is always side 0 of an ICMP query: a question from the other side
 * with the same id is not an answer.
 */
static __always_inline int flow_key_make(const struct packet *p, __u64 place,
					 struct flow_key *key)
{
	int side;

	if (is_icmp(p))
		icmp_is_query(p, &side);
	else if (p->src.halves[0] != p->dst.halves[0])
		side = p->src.halves[0] > p->dst.halves[0];
	else if (p->src.halves[1] != p->dst.halves[1])
		side = p->src.halves[1] > p->dst.halves[1];
	else
		side = p->src_port > p->dst_port;

	__builtin_memset(key, 0, sizeof(*key));
	key->place = place;
	key->protocol = p->protocol;
	if (side) {
		__builtin_memcpy(key->addr[0], &p->dst, 16);
		__builtin_memcpy(key->addr[1], &p->src, 16);
		key->port[0] = p->dst_port;
		key->port[1] = p->src_port;
	} else {
		__builtin_memcpy(key->addr[0], &p->src, 16);
		__builtin_memcpy(key->addr[1], &p->dst, 16);
		key->port[0] = p->src_port;
		key->port[1] = p->dst_port;
	}
	return side;
}

/*
 * An LRU map hands an element to the next flow while somebody may still look
 * at it: the tag tells, but for the moment between looking and writing.  A
 * write that hits the next flow then refreshes, or answers, the wrong one:
 * accepted, it takes an eviction within nanoseconds.
 */
static __always_inline __u32 flow_tag(const struct flow_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 tag = 0;
	int i;

	for (i = 0; i < (int)(sizeof(*key) / 8); i++)
		tag = (tag ^ words[i]) * 0x9e3779b97f4a7c15ULL;
	return tag >> 32;
}

static __always_inline __u64 flow_timeout(const struct flow *flow,
					  __u8 protocol)
{
	if (protocol == IPPROTO_TCP)
		return (flow->replied && !flow->closing ? 7440 : 120) * SECONDS;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		return 30 * SECONDS;
	return (flow->replied ? 180 : 30) * SECONDS;
}

/* The flow of a key, or NULL where there is none or it is over. */
static __always_inline struct flow *flow_find(const struct flow_key *key,
					      __u64 now)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, key);

	if (!flow || flow->tag != flow_tag(key))
		return 0;
	/* Another processor may have seen it a moment after `now`. */
	if ((__s64)(now - flow->seen_ns) >
	    (__s64)flow_timeout(flow, key->protocol))
		return 0;
	return flow;
}

/* Whether the packet opens a flow anew that is being closed. */
static __always_inline int flow_restarts(const struct flow *flow,
					 const struct packet *p)
{
	return flow->closing && p->protocol == IPPROTO_TCP &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline int flow_closes(const struct packet *p)
{
	return p->protocol == IPPROTO_TCP && p->tcp_flags & (TCP_FIN | TCP_RST);
}

/* The states of a packet that no flow is known of. */
static __always_inline __u32 flow_unknown(const struct packet *p)
{
	int is_reply = 0;

	if (is_icmp(p) && icmp_is_query(p, &is_reply))
		return is_reply ? PACKET_INVALID : PACKET_NEW | PACKET_KEEP;
	if (p->protocol == IPPROTO_TCP &&
	    (p->tcp_flags & (TCP_FIN | TCP_RST) ||
	     (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)))
		return PACKET_INVALID;
	return PACKET_NEW | PACKET_KEEP;
}

static __always_inline __u32 flow_states(const struct packet *p, __u64 place)
{
	__u64 now = bpf_ktime_get_ns();
	struct flow_key key;
	struct flow *flow;
	__u32 states;
	int side;

	side = flow_key_make(p, place, &key);
	flow = flow_find(&key, now);
	if (!flow || flow_restarts(flow, p))
		return flow_unknown(p);
	states = side != flow->first || flow->replied ? PACKET_ESTABLISHED
						      : PACKET_NEW;
	if ((side != flow->first && !flow->replied) ||
	    (flow_closes(p) && !flow->closing) || now - flow->seen_ns > SECONDS)
		states |= PACKET_KEEP;
	return states;
}

/* Each field is written for itself, so that two processors lose nothing. */
static __always_inline void flow_keep(const struct packet *p, __u64 place)
{
	__u64 now = bpf_ktime_get_ns();
	struct flow fresh = { .seen_ns = now };
	struct flow_key key;
	struct flow *flow;
	int side;

	side = flow_key_make(p, place, &key);
	flow = flow_find(&key, now);
	if (!flow || flow_restarts(flow, p)) {
		fresh.tag = flow_tag(&key);
		fresh.first = side;
		bpf_map_update_elem(&flows, &key, &fresh, BPF_ANY);
		return;
	}
	flow->seen_ns = now;
	if (side != flow->first)
		flow->replied = 1;
	if (flow_closes(p))
		flow->closing = 1;
}

/* -------------------------------------------------------- fragments */

/*
 * A later fragment has no ports.  It is decided as the first was, if that was
 * allowed by the same policy and came before it; place is the chain that
 * decides, and the generation: a counter is another rule's in the next.
 */
static __always_inline void fragment_key_make(const struct packet *p,
					      __u32 chain, struct flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->place = FLOW_FRAGMENT | chain |
		     (__u64)(generation_read() & FLOW_GENERATION) << 32;
	__builtin_memcpy(key->addr[0], &p->src, 16);
	__builtin_memcpy(key->addr[1], &p->dst, 16);
	__builtin_memcpy(key->port, &p->fragment, 4);
	key->protocol = p->family == 4 ? p->protocol : IPPROTO_FRAGMENT;
}

/* The counter of the rule that allowed the first; NONE if none did. */
static __always_inline __u32 fragment_find(const struct packet *p, __u32 chain)
{
	struct flow_key key;
	struct flow *flow;

	fragment_key_make(p, chain, &key);
	flow = flow_find(&key, bpf_ktime_get_ns());
	return flow ? flow->counter : NONE;
}

static __always_inline void fragment_keep(const struct packet *p, __u32 chain,
					  __u32 counter)
{
	struct flow flow = { .seen_ns = bpf_ktime_get_ns() };
	struct flow_key key;

	fragment_key_make(p, chain, &key);
	flow.counter = counter;
	flow.tag = flow_tag(&key);
	bpf_map_update_elem(&flows, &key, &flow, BPF_ANY);
}

#endif
