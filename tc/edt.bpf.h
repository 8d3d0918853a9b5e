/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Departure times, which fq at the device's root keeps: the packet's side of
 * edt_clock.bpf.h.
 */
#ifndef WEIR_TC_EDT_BPF_H
#define WEIR_TC_EDT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tc/edt_clock.bpf.h"

struct edt_device {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct edt_clock clock;
};

/* By the index of the device's row: for what leaves.  Only BPF uses it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct edt_device);
} edt_devices SEC(".maps");

/*
 * Gives the packet its time; -1 where it would wait too long.  A time that it
 * brings along, of its socket's own pacing, holds where it is later, but only
 * up to the length of the queue: who asks for more could save up the rate, and
 * send it at once.  Who can be told to slow down is told from half of it on.
 */
static __always_inline int edt_depart(struct __sk_buff *skb, __u32 index,
				      const struct limit_row *limit, __u32 lane,
				      __u32 bytes)
{
	struct edt_device *device = bpf_map_lookup_elem(&edt_devices, &index);
	__u64 now = bpf_ktime_get_ns(), asked = skb->tstamp, at;
	__u64 queue = edt_queue(limit->rate_bytes);

	if (!device)
		return -1;
	bpf_spin_lock(&device->lock);
	at = edt_charge(&device->clock, limit, lane, bytes, now);
	bpf_spin_unlock(&device->lock);
	if (at == EDT_DROP)
		return -1;
	if (at - now > queue / 2)
		bpf_skb_ecn_set_ce(skb);
	if (asked > now + queue)
		asked = now + queue;
	if (asked > at)
		at = asked;
	if (at > now)
		skb->tstamp = at;
	return 0;
}

#endif
