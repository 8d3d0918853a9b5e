/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps that belong to devices alone. */
#ifndef WEIR_TC_DEVICE_MAPS_BPF_H
#define WEIR_TC_DEVICE_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "rules/counter.bpf.h"
#include "tc/device_abi.h"
#include "tc/wire.bpf.h"

/* User space makes and removes entries, by index; the programs add. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct device_tally);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} device_tallies SEC(".maps");

/* User space writes and reads: what it did to which device. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4 * DEVICES_MAX);
	__type(key, struct device_mark_key);
	__type(value, struct device_mark);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} device_marks SEC(".maps");

/*
 * Programs of devices work with softirqs off, what leaves included: no two of
 * them are under way on a processor, except where softirqs are preempted.
 */
static __always_inline void tally_add(struct counter *counter,
				      const struct wire *wire)
{
	if (!softirqs_are_preempted()) {
		counter->packets += wire->packets;
		counter->bytes += wire->bytes;
		return;
	}
	__sync_fetch_and_add(&counter->packets, wire->packets);
	__sync_fetch_and_add(&counter->bytes, wire->bytes);
}

#endif
