/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first rules of a device's chain, before the kernel has made anything of
 * a packet: those that deny by nothing but where it comes from.  Each device
 * has a program of its own, which knows its row by a constant: what XDP tells,
 * the number of an interface, is another's in the next namespace.  What it
 * drops counts as device_in would have counted it: of that rule, and of that
 * device.
 *
 * It drops only what device_in would deny by one of these rules.  What takes
 * more than a look at the first headers goes on to it (rules/frame.bpf.h).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "rules/frame.bpf.h"
#include "rules/side.bpf.h"
#include "rules/tables.bpf.h"
#include "tc/device_maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* The device: its row, and what that says as long as it is that of no other. */
const volatile __u32 device_index;
const volatile __u32 device_ifindex;
const volatile __u64 device_netns; /* as row->netns_id */

/* What early_try returns: 0, or this and the counter of the rule. */
#define EARLY_DENIES (1ULL << 32)

/*
 * One rule against a source, given in two halves.  how: the slot, and the
 * packet's family from bit 16 on.  Global, so that the verifier looks at it
 * once for all rules.
 */
__noinline __u64 early_try(__u32 how, __u32 index, __u64 half0, __u64 half1)
{
	const struct rule_row *row = table_rule(how & 1, index);
	union address source = { .halves = { half0, half1 } };
	__u32 has;

	if (!row || (row->looks & LOOK_FAMILY && row->family != how >> 16))
		return 0;
	has = side_has(&row->src, &source, how & 1);
	if (!((has ^ row->looks / LOOK_SRC_NOT) & 1))
		return 0;
	return EARLY_DENIES | row->counter;
}

static __always_inline __u64 early_find(__u32 slot,
					const struct device_row *row,
					const struct frame *frame)
{
	const struct chain_row *chain = table_chain(slot, row->chain_in);
	__u32 i, how = slot | frame->family << 16;
	__u64 found = 0;

	for (i = 0; chain && i < EARLY_MAX; i++) {
		if (i >= row->early)
			break;
		found = early_try(how, chain->walk + i, frame->source.halves[0],
				  frame->source.halves[1]);
		if (found)
			break;
	}
	return found;
}

static __always_inline void early_count(__u32 index, __u32 counter,
					const struct frame *frame)
{
	struct device_tally *tally;
	struct wire wire = { .bytes = frame->wire_bytes, .packets = 1 };

	counter_count(counter, 1, frame->bytes, true);
	tally = bpf_map_lookup_elem(&device_tallies, &index);
	if (tally)
		tally_add(&tally->side[SIDE_IN].denied, &wire);
}

/* Its row, where that asks for something early. */
static __always_inline const struct device_row *early_row(__u32 slot)
{
	const struct device_row *row = table_device(slot, device_index);

	if (!row || !row->in_use || !row->early ||
	    row->ifindex != device_ifindex || row->netns_id != device_netns)
		return NULL;
	return row;
}

static __always_inline int early(struct xdp_md *ctx)
{
	__u32 slot = generation_slot();
	const struct device_row *row = early_row(slot);
	struct frame frame;
	__u64 found;

	if (!row || frame_read(ctx, &frame) < 0)
		return XDP_PASS;
	found = early_find(slot, row, &frame);
	if (!found)
		return XDP_PASS;
	early_count(device_index, found, &frame);
	return XDP_DROP;
}

SEC("xdp")
int device_early(struct xdp_md *ctx)
{
	return early(ctx);
}

/* The same where the driver may have a long frame in pieces: since 5.18. */
SEC("xdp.frags")
int device_early_frags(struct xdp_md *ctx)
{
	return early(ctx);
}
