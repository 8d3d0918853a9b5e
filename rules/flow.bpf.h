/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states that packets have by the tables of flows.  A flow is established
 * once both sides have spoken; until then what its first speaker sends is new.
 * TCP on devices is followed as rules/flow_tcp.bpf.h has it; a connection
 * older than the policy is picked up as new by any plain ACK.
 *
 * A packet opens, answers or refreshes a flow only after it was allowed:
 * finding (flow_states) and keeping (flow_keep) are two steps.
 */
#ifndef WEIR_RULES_FLOW_BPF_H
#define WEIR_RULES_FLOW_BPF_H

#include "rules/flow_table.bpf.h"
#include "rules/flow_tcp.bpf.h"
#include "rules/packet.bpf.h"
#include "rules/tables.bpf.h"
#include "rules/tcp_flags.h"
#include "rules/window_at.bpf.h"

/* Beside PACKET_*: call states_keep if the packet is allowed. */
#define PACKET_KEEP (1 << 7)

/* A flow is refreshed when so much of its time has gone: a second. */
#define FLOW_REFRESH FLOW_TICKS(1)

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

/* How long a flow is kept without a packet: enum flow_time. */
static __always_inline __u32 flow_time_of(__u8 protocol, __u32 said, __u32 bits)
{
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		return FLOW_ICMP;
	if (protocol != IPPROTO_TCP)
		return said & FLOW_REPLIED ? FLOW_UDP_REPLIED : FLOW_UDP;
	if (said & FLOW_RESET)
		return FLOW_TCP_RESET;
	if (said & (FLOW_FIN | FLOW_FIN << 1))
		return FLOW_TCP_CLOSING;
	return bits ? FLOW_TCP_ESTABLISHED : FLOW_TCP_OPENING;
}

static __always_inline __u32 flow_until(const struct flow_head *head,
					__u8 protocol, __u32 said, __u32 bits,
					__u32 now)
{
	__u32 time = flow_time_of(protocol, said, bits);

	return now + head->times[time & (FLOW_TIMES_ROOM - 1)];
}

/* The bits that the packet gives its flow: none, or those of a proven one. */
static __always_inline __u32 flow_proves(const struct flow *flow, __u32 said,
					 const struct packet *p, __u32 role,
					 const struct tcp_numbers *numbers)
{
	if (role || !(said & FLOW_REPLIED))
		return 0;
	if (p->protocol != IPPROTO_TCP)
		return FLOW_PROVEN;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK ||
	    tcp_is_over(said) ||
	    !tcp_has_heard(flow, said, bpf_ntohl(numbers->acked)))
		return 0;
	return FLOW_PROVEN | FLOW_FIRM;
}

/* What a packet that fits adds to what was heard of its flow. */
static __always_inline __u32 flow_hears(const struct flow *flow, __u32 said,
					const struct packet *p, __u32 role,
					const struct tcp_numbers *numbers)
{
	__u32 heard = role ? FLOW_REPLIED : 0;

	if (p->protocol == IPPROTO_TCP)
		heard |= tcp_says(flow, said, role, p->tcp_flags,
				  bpf_ntohl(numbers->sequence)) |
			 tcp_acknowledges(flow, said, role, p->tcp_flags,
					  bpf_ntohl(numbers->acked));
	return heard;
}

/* Whether there is a flow of that key that is not over yet. */
static __always_inline int flow_is_known(const struct flow_key *key,
					 __u32 share)
{
	struct flow_at at;
	__u32 way;

	if (flow_locate(key, share, &at) < 0)
		return 0;
	way = flow_way(&at, key);
	return way < FLOW_WAYS && !flow_is_over(at.line, way, flow_now());
}

/* Of a packet that fits a flow. */
static __always_inline __u32 flow_states_in(const struct packet *p,
					    struct flow_at *at, __u32 way,
					    __u32 role,
					    const struct tcp_numbers *numbers,
					    __u32 now)
{
	struct flow *flow = &at->line->flows[way];
	__u32 said = flow->said, bits = at->line->tags[way] & FLOW_BITS;
	__u32 heard = flow_hears(flow, said, p, role, numbers), states, until;
	/* None with windows: there window_enter has it go on, if it fits. */
	__u8 flags = p->tcp_flags & (at->head->windows - 1);

	if (p->protocol == IPPROTO_TCP)
		tcp_goes_on(flow, said, role, flags, bpf_ntohl(numbers->acked));
	states = role || said & FLOW_REPLIED ? PACKET_ESTABLISHED : PACKET_NEW;
	until = flow_until(at->head, p->protocol, said, bits, now);
	if (heard & ~said ||
	    (!bits && flow_proves(flow, said, p, role, numbers)) ||
	    (__s32)(until - at->line->untils[way]) >= (__s32)FLOW_REFRESH)
		states |= PACKET_KEEP;
	return states;
}

/* With window_at beside them. */
static __always_inline __u64 flow_states(struct __sk_buff *skb,
					 const struct packet *p, __u64 place,
					 __u32 share)
{
	struct tcp_numbers numbers = { 0 };
	__u32 now = flow_now(), way, role, states;
	int side, meets = TCP_FITS;
	struct flow_key key;
	struct flow_at at;

	side = flow_key_make(p, place, &key);
	if (flow_locate(&key, share, &at) < 0)
		return flow_unknown(p);
	way = flow_way(&at, &key);
	if (way >= FLOW_WAYS || flow_is_over(at.line, way, now))
		return flow_unknown(p);
	way &= FLOW_WAYS - 1;
	role = (side ^ at.line->flows[way].first) & 1;
	if (p->protocol == IPPROTO_TCP) {
		meets = tcp_meets(at.line->flows[way].said,
				  at.line->tags[way] & FLOW_PROVEN, role,
				  p->tcp_flags);
		tcp_read(skb, p, &numbers);
	}
	if (meets == TCP_ANEW)
		return flow_unknown(p);
	if (meets == TCP_AMISS)
		return PACKET_INVALID;
	states = flow_states_in(p, &at, way, role, &numbers, now);
	FLOW_BARRIER();
	if ((at.line->tags[way] & ~FLOW_BITS) != at.tag)
		return flow_unknown(p);
	return states | window_at(p, &at, way, role);
}

/* ---------------------------------------------------------- keeping */

/* Under the lock, as all that follows. */
static __always_inline void flow_refresh(const struct packet *p,
					 struct flow_at *at, __u32 way,
					 __u32 role,
					 const struct tcp_numbers *numbers,
					 __u32 now)
{
	struct flow *flow = &at->line->flows[way];
	__u32 said = flow->said, bits = at->line->tags[way] & FLOW_BITS;
	__u32 heard = flow_hears(flow, said, p, role, numbers);

	bits |= flow_proves(flow, said, p, role, numbers);
	if (p->protocol == IPPROTO_TCP)
		tcp_begins(flow, said, role, heard & ~said,
			   bpf_ntohl(numbers->sequence),
			   bpf_ntohl(numbers->acked));
	flow->said = said | heard;
	at->line->untils[way] =
		flow_until(at->head, p->protocol, said | heard, bits, now);
	at->line->tags[way] = at->tag | bits;
}

static __always_inline void flow_open(const struct packet *p,
				      const struct flow_key *key, __u32 side,
				      struct flow_at *at, __u32 way,
				      const struct tcp_numbers *numbers,
				      __u32 now)
{
	struct flow *flow = &at->line->flows[way];

	at->line->tags[way] = 0;
	FLOW_BARRIER();
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	flow->first = side;
	flow->said = flow_hears(flow, 0, p, 0, numbers);
	flow->acked[0] = bpf_ntohl(numbers->acked);
	at->line->untils[way] =
		flow_until(at->head, p->protocol, flow->said, 0, now);
	FLOW_BARRIER();
	at->line->tags[way] = at->tag;
}

/* Whether the flow in a way goes on with the packet. */
static __always_inline int flow_goes_on(const struct packet *p,
					const struct flow_at *at, __u32 way,
					__u32 role, __u32 now)
{
	if (flow_is_over(at->line, way, now))
		return 0;
	return p->protocol != IPPROTO_TCP ||
	       tcp_meets(at->line->flows[way].said,
			 at->line->tags[way] & FLOW_PROVEN, role,
			 p->tcp_flags) != TCP_ANEW;
}

/* FLOW_OPENED and so on. */
static __always_inline __u32 flow_keep_in(const struct packet *p,
					  const struct flow_key *key,
					  __u32 side, struct flow_at *at,
					  const struct tcp_numbers *numbers,
					  __u32 now)
{
	__u32 way = flow_way(at, key), role, price;
	__u32 outcome = FLOW_OPENED | FLOW_EXPIRED;
	__u64 chosen;

	if (way < FLOW_WAYS) {
		way &= FLOW_WAYS - 1;
		role = (side ^ at->line->flows[way].first) & 1;
		if (flow_goes_on(p, at, way, role, now)) {
			flow_refresh(p, at, way, role, numbers, now);
			return 0;
		}
	} else {
		chosen = flow_choose(at->line, now);
		price = chosen >> 8;
		way = chosen & (FLOW_WAYS - 1);
		if (price >= FLOW_TAKEN)
			return FLOW_FULL;
		if (price)
			outcome = FLOW_OPENED | FLOW_EVICTED;
		else if (!at->line->tags[way])
			outcome = FLOW_OPENED;
	}
	flow_open(p, key, side, at, way, numbers, now);
	return outcome;
}

static __always_inline void flow_keep(struct __sk_buff *skb,
				      const struct packet *p, __u64 place,
				      __u32 share)
{
	struct tcp_numbers numbers = { 0 };
	__u32 now = flow_now(), outcome;
	struct flow_lock *lock;
	struct flow_key key;
	struct flow_at at;
	int side;

	side = flow_key_make(p, place, &key);
	if (flow_locate(&key, share, &at) < 0)
		return;
	if (p->protocol == IPPROTO_TCP)
		tcp_read(skb, p, &numbers);
	lock = bpf_map_lookup_elem(&flow_locks, &at.lock);
	if (!lock)
		return;
	bpf_spin_lock(&lock->lock);
	outcome = flow_keep_in(p, &key, side, &at, &numbers, now);
	bpf_spin_unlock(&lock->lock);
	flow_count(at.head, outcome);
}

#endif
