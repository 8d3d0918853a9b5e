/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The windows of TCP at a device that asks for them (rules/window.h has the
 * arithmetic): behind the lines of its table of flows each has a block, with a
 * window in the place of each flow.
 *
 * As a flow, a window learns only of what was allowed: it is asked before the
 * rules (window_states), and told behind them (window_keep).  Each segment has
 * to come by, as what another side acknowledges is known by what was sent.
 */
#ifndef WEIR_RULES_WINDOW_BPF_H
#define WEIR_RULES_WINDOW_BPF_H

#include "rules/flow.bpf.h"
#include "rules/packet.bpf.h"
#include "rules/state.bpf.h"
#include "rules/window.h"

#define TCP_OPTION_END	 0
#define TCP_OPTION_NOP	 1
#define TCP_OPTION_SCALE 3
#define TCP_OPTIONS_MAX	 16 /* so many are looked at */

#define TCP_SCALE_MAX 14 /* RFC 7323 */

/*
 * The scale that a SYN has among its options, from offset to end: with
 * WINDOW_SCALED << 8 beside it, or 0.  Global, so that the verifier looks at
 * its loop once.
 */
__noinline __u32 window_scale(struct __sk_buff *skb, __u32 base, __u32 offset,
			      __u32 end)
{
	__u8 data[3] = { 0 };
	__u32 i;

	for (i = 0; i < TCP_OPTIONS_MAX && offset + sizeof(data) <= end; i++) {
		if (bpf_skb_load_bytes_relative(skb, offset, data, sizeof(data),
						base) < 0 ||
		    data[0] == TCP_OPTION_END)
			break;
		if (data[0] == TCP_OPTION_NOP) {
			offset++;
			continue;
		}
		if (data[0] == TCP_OPTION_SCALE && data[1] == sizeof(data))
			return WINDOW_SCALED << 8 |
			       (data[2] < TCP_SCALE_MAX ? data[2]
							: TCP_SCALE_MAX);
		if (data[1] < 2)
			break;
		offset += data[1];
	}
	return 0;
}

struct tcp_header {
	__be16 ports[2];
	__be32 sequence, acked;
	__u8 length; /* >> 4: in units of 4 bytes */
	__u8 flags;
	__be16 window;
};

/* at: as window_at has it. */
static __always_inline int window_read(struct __sk_buff *skb, __u64 at,
				       struct tcp_header *header,
				       struct window_segment *segment)
{
	__u32 offset = WINDOW_BITS(at, WINDOW_HEADER, 10), behind, scale;
	__u32 base = WINDOW_BITS(at, WINDOW_BASE, 1);

	if (bpf_skb_load_bytes_relative(skb, offset, header, sizeof(*header),
					base) < 0)
		return -1;
	behind = offset + (header->length >> 4 << 2);
	segment->sequence = bpf_ntohl(header->sequence);
	segment->acked = bpf_ntohl(header->acked);
	segment->window = bpf_ntohs(header->window);
	segment->flags = header->flags;
	segment->role = WINDOW_BITS(at, WINDOW_ROLE, 1);
	segment->end = segment->sequence + WINDOW_BITS(at, WINDOW_END, 20) -
		       behind + (header->flags >> 1 & 1) + (header->flags & 1);
	if (!(header->flags & TCP_SYN))
		return 0;
	scale = window_scale(skb, base, offset + 20, behind);
	segment->scale = scale;
	segment->scaled = scale >> 8;
	return 0;
}

/*
 * WINDOW_CLOSING and so on.  keep: the flow has heard the segment by now, whose
 * own RST is none that came before it.
 */
static __always_inline __u32 window_come(__u32 said, __u32 bits, __u32 flags,
					 int keep)
{
	if (keep && flags & TCP_RST)
		said &= ~FLOW_RESET;
	return (said & (FLOW_RESET | FLOW_FIN | FLOW_FIN << 1) ? WINDOW_CLOSING
							       : 0) |
	       (bits & FLOW_PROVEN ? WINDOW_PROVEN : 0) |
	       (said & FLOW_REPLIED ? WINDOW_REPLIED : 0);
}

/*
 * Judges a segment, under the lock, and not on the stack, which is short.  Of
 * one that comes in fragments only the beginning is there: it is taken to be as
 * long as it may, where its side has an edge.
 */
static __always_inline int window_enter(struct flow *flow,
					struct flow_window *window,
					struct flow_window *desk,
					struct window_segment *segment,
					__u32 come, int fragment, int keep)
{
	__u32 role = tcp_index(segment->role), other = tcp_index(role ^ 1);
	struct window_side *sender = &desk->sides[role];
	struct window_side *receiver = &desk->sides[other];
	int found = WINDOW_FITS;

	*desk = *window;
	if (fragment && flow->windowed && sender->window &&
	    window_after(sender->edge, segment->end))
		segment->end = sender->edge;
	if (flow->windowed)
		found = window_judge(sender, receiver, &desk->last, segment,
				     come);
	else
		window_begin(sender, receiver, &desk->last, segment);
	if (!keep)
		return found;
	*window = *desk;
	flow->windowed = 1;
	if (found == WINDOW_FITS)
		tcp_goes_on(flow, flow->said, role, segment->flags,
			    segment->acked);
	return found;
}

/*
 * Whether a flow is that of a segment still: another may have come in its
 * place since.  One of the same ports would be taken for it.
 */
static __always_inline int window_is_of(const struct flow *flow, __u32 role,
					const struct tcp_header *header)
{
	__u32 side = tcp_index(role ^ flow->first);
	__u32 other = tcp_index(side ^ 1);

	return flow->key.port[side] == bpf_ntohs(header->ports[0]) &&
	       flow->key.port[other] == bpf_ntohs(header->ports[1]);
}

static __always_inline int window_meet(struct __sk_buff *skb, __u32 share,
				       __u64 at, int keep)
{
	__u32 index = WINDOW_BITS(at, WINDOW_LINE, 20) + 1, zero = 0, lines;
	__u32 way = WINDOW_BITS(at, WINDOW_WAY, 3), hold, come;
	union flow_block *head, *block, *windows;
	struct window_segment segment = { 0 };
	struct tcp_header header = { 0 };
	void *table = bpf_map_lookup_elem(&flows, &share);
	int found = WINDOW_FITS;
	struct flow_lock *lock;
	struct flow *flow;

	head = table ? bpf_map_lookup_elem(table, &zero) : 0;
	if (!head)
		return WINDOW_FITS;
	/* Behind a kilobyte of headers there is nothing that anybody sends. */
	if (!WINDOW_BITS(at, WINDOW_HEADER, 10) ||
	    window_read(skb, at, &header, &segment) < 0)
		return WINDOW_OUTSIDE;
	block = bpf_map_lookup_elem(table, &index);
	hold = (index - 1) & (FLOW_LOCKS - 1);
	lines = head->head.mask + 1;
	index += lines;
	windows = head->head.windows ? bpf_map_lookup_elem(table, &index) : 0;
	lock = bpf_map_lookup_elem(&flow_locks, &hold);
	if (!block || !windows || !lock)
		return WINDOW_FITS;
	flow = &block->line.flows[way];
	bpf_spin_lock(&lock->lock);
	come = window_come(flow->said, block->line.tags[way], segment.flags,
			   keep);
	if (window_is_of(flow, segment.role, &header))
		found = window_enter(flow, &windows->windows[way],
				     &windows->windows[FLOW_WAYS], &segment,
				     come, at >> WINDOW_FRAGMENT & 1, keep);
	bpf_spin_unlock(&lock->lock);
	return found;
}

/*
 * The states of a segment, by those that states_find has found.  keep: it was
 * allowed.
 */
__noinline __u64 window_states(struct __sk_buff *skb, __u64 states, __u32 share,
			       __u32 keep)
{
	int found;

	if (!(states & (PACKET_NEW | PACKET_ESTABLISHED)))
		return states;
	found = window_meet(skb, share, states, keep);
	if (found == WINDOW_OUTSIDE)
		return PACKET_INVALID | PACKET_WINDOW;
	/* Nor does the flow learn of it. */
	return found == WINDOW_PASSED_OVER ? states & ~PACKET_KEEP : states;
}

/*
 * After a packet was allowed at a device with windows.  Returns whether its
 * verdict may be kept: not of TCP, of which each segment has to be looked at.
 */
static __always_inline bool window_keep(struct __sk_buff *skb, __u64 place,
					__u32 hook, __u64 states)
{
	/* It may have opened its flow just now. */
	if (states & PACKET_KEEP && !(states & PACKET_WINDOW))
		states = states_find(skb, place, hook);
	if (states & PACKET_WINDOW)
		window_states(skb, states, hook >> HOOK_SHARE, 1);
	return !(states & (PACKET_WINDOW | PACKET_INVALID));
}

#endif
