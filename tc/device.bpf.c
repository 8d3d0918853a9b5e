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
 *
 * The same filter, on the way out of a veth, sends packets to a pool.  What
 * comes back from there is seen again: the second time it goes to the queue of
 * the veth itself, if that has one.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "rules/monitor_packet.bpf.h"
#include "rules/quick.bpf.h"
#include "rules/tables.bpf.h"
#include "rules/window.bpf.h"
#include "tc/answer.bpf.h"
#include "tc/device_maps.bpf.h"
#include "tc/edt.bpf.h"
#include "tc/known.bpf.h"
#include "tc/share.bpf.h"
#include "tc/wire.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* As chain_decide has it, where there is no chain. */
#define DECIDED_BY_NONE (ROW_ALLOW | (__u64)NONE << DECIDED_COUNTER)

/*
 * Whose flows they are; made anew where it is wanted, as there is no more room
 * on the stack that it could be kept in.
 */
static __always_inline __u64 device_place(__u32 hook)
{
	barrier_var(hook);
	return FLOW_DEVICE | hook >> HOOK_SHARE;
}

/*
 * Has what rules look at in one piece: many drivers leave but the Ethernet
 * header there, and the rest where nothing of ours would read it.  Headers that
 * go on beyond that are malformed.  What was put together, or is still to be
 * cut, has its headers in one piece, and is not to be moved between its parts.
 */
#define HEADERS_MAX 256

static __always_inline void headers_pull(struct __sk_buff *skb)
{
	__u32 there = (long)skb->data_end - (long)skb->data;

	if (there < HEADERS_MAX && there < skb->len && !skb->gso_size)
		bpf_skb_pull_data(skb, skb->len < HEADERS_MAX ? skb->len
							      : HEADERS_MAX);
}

/*
 * ROW_*: what the chain says, ROW_ALLOW without one.  The flow is kept where
 * a chain of either direction looks at states.
 */
static __always_inline int device_decide(struct __sk_buff *skb, __u64 stamp,
					 const struct device_row *row,
					 __u32 index, __u32 hook)
{
	__u32 chain = hook & HOOK_OUT ? row->chain_out : row->chain_in;
	__u64 decided = DECIDED_BY_NONE, states = 0;

	if (chain == NONE && !(row->flags & KEEP_STATES))
		return ROW_ALLOW;
	hook |= index << HOOK_SHARE;
	if (known_at_device(skb, stamp, hook))
		return ROW_ALLOW;
	headers_pull(skb);
	if (row->flags & DEVICE_FRAMED)
		hook |= HOOK_FRAMED;
	if (row->flags & KEEP_STATES)
		states = states_find(skb, device_place(hook), hook);
	if (states & PACKET_WINDOW)
		states = window_states(skb, states, hook >> HOOK_SHARE, 0);
	if (chain != NONE) {
		decided = chain_decide_quickly(skb, stamp & 1, chain, states,
					       hook);
		if (monitor_may_be_on())
			decided |= monitor_verdict(skb, HOW(stamp & 1, 0, hook),
						   WHOSE(index, stamp),
						   decided);
		if (DECISION(decided) != ROW_ALLOW)
			return DECISION(decided);
	}
	if (states & PACKET_KEEP)
		states_keep(skb, device_place(hook), hook);
	if (row->tcp_windows &&
	    !window_keep(skb, device_place(hook), hook, states))
		return ROW_ALLOW;
	if (!(decided & DECIDED_VARIES))
		known_keep_at_device(skb, stamp, hook,
				     (states & 0xff) |
					     (decided & DECIDED_STATES),
				     decided >> DECIDED_COUNTER);
	return ROW_ALLOW;
}

/*
 * What becomes of a packet that its chain does not allow: to one that is
 * rejected there is an answer (tc/answer.bpf.h).
 */
static __always_inline int device_refuse(struct __sk_buff *skb,
					 const struct device_row *row,
					 __u32 index, int decision, __u32 hook)
{
	__u32 other = hook & HOOK_OUT ? row->chain_in : row->chain_out;
	__u32 how = hook & HOOK_OUT ? ANSWER_OUT : 0;

	if (decision != ROW_REJECT)
		return TC_ACT_SHOT;
	if (row->flags & DEVICE_FRAMED)
		how |= ANSWER_FRAMED;
	if (row->flags & DEVICE_BRIDGED)
		how |= ANSWER_BRIDGED;
	if (other != NONE || row->flags & KEEP_STATES ||
	    (hook & HOOK_OUT && row->in_class))
		how |= ANSWER_MARKED;
	return answer_reject(skb, index, how);
}

/* Whether a packet's priority is a class of ours, of any device. */
static __always_inline int has_class(const struct __sk_buff *skb)
{
	return (skb->priority & 0xffff0000) == DEVICE_MAJOR;
}

/*
 * The priority that a packet brought along from our ifb would choose a class
 * by itself, where the device has our HTB but no limit in force.
 */
static __always_inline void priority_clear(struct __sk_buff *skb)
{
	if (has_class(skb))
		skb->priority = 0;
}

SEC("tc")
int device_in(struct __sk_buff *skb)
{
	__u64 stamp = stamp_read();
	__u32 index = skb->tc_classid, slot = stamp & 1;
	const struct device_row *row = table_device(slot, index);
	struct device_tally *tally;
	struct wire wire;
	int decision;
	__u32 class;

	priority_clear(skb);
	if (!row || !row->in_use)
		return TC_ACT_UNSPEC;
	/* It has come over no wire: it is not counted, and does not wait. */
	if (skb->mark && answer_passes(skb))
		return TC_ACT_UNSPEC;
	wire = wire_in(skb);
	tally = bpf_map_lookup_elem(&device_tallies, &index);
	decision = device_decide(skb, stamp, row, index, HOOK_DEVICE);
	if (decision != ROW_ALLOW) {
		if (tally)
			tally_add(&tally->side[SIDE_IN].denied, &wire);
		return device_refuse(skb, row, index, decision, HOOK_DEVICE);
	}
	if (!row->in_class || !row->in_ifindex) {
		if (tally)
			tally_add(&tally->side[SIDE_IN].passed, &wire);
		return TC_ACT_UNSPEC;
	}
	class = row->flags & DEVICE_SHARED_IN
			? share_in(skb, slot, index, wire.bytes)
			: lane_choose(skb, SIDE_IN, row->in_class,
				      row->in.rate_bytes, wire.bytes);
	if (tally && class)
		tally_add(&tally->side[SIDE_IN].queued, &wire);
	else if (tally)
		tally_add(&tally->side[SIDE_IN].passed, &wire);
	skb->priority = class ?: skb->priority;
	return TC_ACT_UNSPEC;
}

/*
 * Whether a packet that leaves has waited at this pool already: what comes back
 * from an ifb tells its number.
 */
static __always_inline int pool_was_passed(struct __sk_buff *skb,
					   const struct device_row *pool)
{
	return pool->flags & DEVICE_POOL &&
	       skb->ingress_ifindex == pool->ifindex;
}

/*
 * Whether a packet is to wait at the ifb: -1, or 0 if it goes on.  It goes by
 * what device_in or device_out has decided, so that both speak of one
 * generation.  What comes back from a pool would skip the classifiers that it
 * meets next, those of the container: the action that -1 leads to is skipped
 * instead, and the packet goes on.
 */
SEC("tc")
int device_wait(struct __sk_buff *skb)
{
	__u32 class = skb->priority, index = skb->tc_classid;
	const struct device_row *row;

	if (DEVICE_CLASS_FITS(class, index))
		return -1;
	row = table_device(generation_slot(), index);
	if (row && row->flags & DEVICE_SHARED_IN && has_class(skb))
		return -1;
	return row && pool_was_passed(skb, row) ? -1 : 0;
}

/*
 * Whether a packet waits in the class of what leaves by a row.  At a
 * container's veth, or the pool of several, what the group has a limit for by
 * the source, or none, does not.
 */
static __always_inline int device_queues(struct __sk_buff *skb, __u32 slot,
					 const struct device_row *row)
{
	if (!row->out_class || row->group == NONE)
		return row->out_class != 0;
	return !in_is_excepted(skb, slot, row->group);
}

/* The pool where a packet has to wait before anything else; or NULL. */
static __always_inline const struct device_row *pool_ahead(
	struct __sk_buff *skb, __u32 slot, const struct device_row *row)
{
	const struct device_row *pool;

	if (!row->pool)
		return NULL;
	pool = table_device(slot, row->pool);
	if (!pool || pool_was_passed(skb, pool) ||
	    !device_queues(skb, slot, pool))
		return NULL;
	return pool;
}

/*
 * Holds a packet to a device's limit, and counts it there.  Who has a departure
 * time has a class as well: it holds the limit where fq has not yet taken the
 * place of HTB.
 */
static __always_inline int out_limit(struct __sk_buff *skb, __u32 slot,
				     __u32 index, const struct device_row *row,
				     struct device_tally *tally,
				     const struct wire *wire)
{
	__u32 id;
	int r;

	id = row->out_levels ? share_out(skb, slot, index, row, wire->bytes)
			     : lane_choose(skb, SIDE_OUT, row->out_class,
					   row->out.rate_bytes, wire->bytes);
	skb->priority = id;
	if (row->shape_out != SHAPE_EDT) {
		if (tally)
			tally_add(&tally->side[SIDE_OUT].queued, wire);
		return TC_ACT_UNSPEC;
	}
	r = edt_depart(skb, index, &row->out, DEVICE_LANE_OF(id), wire->bytes);
	if (tally)
		tally_add(r < 0 ? &tally->side[SIDE_OUT].dropped
				: &tally->side[SIDE_OUT].passed,
			  wire);
	return r < 0 ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int device_out(struct __sk_buff *skb)
{
	__u64 stamp = stamp_read();
	__u32 index = skb->tc_classid, slot = stamp & 1;
	const struct device_row *row = table_device(slot, index), *pool;
	struct device_tally *tally;
	int decision = ROW_ALLOW;
	struct wire wire;

	if (!row || !row->in_use) {
		priority_clear(skb);
		return TC_ACT_UNSPEC;
	}
	wire = wire_out(skb);
	pool = pool_ahead(skb, slot, row);
	if (pool) {
		index = row->pool;
		tally = bpf_map_lookup_elem(&device_tallies, &index);
		return out_limit(skb, slot, index, pool, tally, &wire);
	}
	tally = bpf_map_lookup_elem(&device_tallies, &index);
	if (!skb->mark || !answer_passes(skb))
		decision = device_decide(skb, stamp, row, index,
					 HOOK_DEVICE | HOOK_OUT);
	if (decision != ROW_ALLOW) {
		if (tally)
			tally_add(&tally->side[SIDE_OUT].denied, &wire);
		return device_refuse(skb, row, index, decision,
				     HOOK_DEVICE | HOOK_OUT);
	}
	if (!device_queues(skb, slot, row)) {
		priority_clear(skb);
		if (tally)
			tally_add(&tally->side[SIDE_OUT].passed, &wire);
		return TC_ACT_UNSPEC;
	}
	return out_limit(skb, slot, index, row, tally, &wire);
}
