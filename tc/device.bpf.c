/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program for each direction, shared by all devices.  The filter's
 * classid, readable as tc_classid when the program begins, is the index of
 * the device's row; a packet for which no row is in force goes on untouched.
 *
 * What goes on does so with TC_ACT_UNSPEC: filters of others that come after
 * ours are asked too.  What is to wait at the ifb is sent there by the next
 * filter, a program with the kernel's own redirecting action: before 5.15 or
 * so bpf_redirect loses what an ifb needs to send it back, and it cannot take
 * what has no link header.  When it comes back it skips the filters of
 * ingress, so that it is not seen twice.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "rules/match.bpf.h"
#include "rules/tables.bpf.h"
#include "tc/device_maps.bpf.h"
#include "tc/lane.bpf.h"
#include "tc/wire.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * ROW_*: what the chain says, ROW_ALLOW without one.  The flow is kept where
 * a chain of either direction looks at states.
 */
static __always_inline int device_decide(struct __sk_buff *skb, __u32 slot,
					 const struct device_row *row,
					 __u32 index, __u32 hook)
{
	__u32 chain = hook & HOOK_OUT ? row->chain_out : row->chain_in;
	__u64 place = FLOW_DEVICE | index;
	__u32 states = 0;

	if (row->flags & KEEP_STATES)
		states = states_find(skb, place, hook);
	if (chain != NONE) {
		int verdict = chain_decide(skb, slot, chain, states, hook);

		if (verdict != ROW_ALLOW)
			return verdict;
	}
	if (states & PACKET_KEEP)
		states_keep(skb, place);
	return ROW_ALLOW;
}

/*
 * The priority that a packet brought along from our ifb would choose a class
 * by itself, where the device has our HTB but no limit in force.
 */
static __always_inline void priority_clear(struct __sk_buff *skb)
{
	if ((skb->priority & 0xffff0000) == DEVICE_MAJOR)
		skb->priority = 0;
}

SEC("tc")
int device_in(struct __sk_buff *skb)
{
	__u32 index = skb->tc_classid, slot = generation_slot();
	const struct device_row *row = table_device(slot, index);
	struct device_tally *tally;
	struct wire wire;

	priority_clear(skb);
	if (!row || !row->in_use)
		return TC_ACT_UNSPEC;
	wire = wire_in(skb);
	tally = bpf_map_lookup_elem(&device_tallies, &index);
	if (device_decide(skb, slot, row, index, HOOK_DEVICE) != ROW_ALLOW) {
		if (tally)
			tally_add(&tally->side[SIDE_IN].denied, &wire);
		return TC_ACT_SHOT;
	}
	if (!row->in_class || !row->in_ifindex) {
		if (tally)
			tally_add(&tally->side[SIDE_IN].passed, &wire);
		return TC_ACT_UNSPEC;
	}
	if (tally)
		tally_add(&tally->side[SIDE_IN].queued, &wire);
	skb->priority = lane_choose(skb, SIDE_IN, row->in_class,
				    row->in.rate_bytes, wire.bytes);
	return TC_ACT_UNSPEC;
}

/*
 * Whether a packet is to wait at the ifb: -1, or 0 if it goes on.  It goes by
 * what device_in has decided, so that both speak of one generation.
 */
SEC("tc")
int device_wait(struct __sk_buff *skb)
{
	__u32 class = skb->priority;

	return DEVICE_CLASS_FITS(class, skb->tc_classid) ? -1 : 0;
}

SEC("tc")
int device_out(struct __sk_buff *skb)
{
	__u32 index = skb->tc_classid, slot = generation_slot();
	const struct device_row *row = table_device(slot, index);
	struct device_tally *tally;
	struct wire wire;

	if (!row || !row->in_use) {
		priority_clear(skb);
		return TC_ACT_UNSPEC;
	}
	wire = wire_out(skb);
	tally = bpf_map_lookup_elem(&device_tallies, &index);
	if (device_decide(skb, slot, row, index, HOOK_DEVICE | HOOK_OUT) !=
	    ROW_ALLOW) {
		if (tally)
			tally_add(&tally->side[SIDE_OUT].denied, &wire);
		return TC_ACT_SHOT;
	}
	if (!row->out_class) {
		priority_clear(skb);
		if (tally)
			tally_add(&tally->side[SIDE_OUT].passed, &wire);
		return TC_ACT_UNSPEC;
	}
	if (tally)
		tally_add(&tally->side[SIDE_OUT].queued, &wire);
	skb->priority = lane_choose(skb, SIDE_OUT, row->out_class,
				    row->out.rate_bytes, wire.bytes);
	return TC_ACT_UNSPEC;
}
