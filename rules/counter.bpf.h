/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting.  A program that sends for a process can be interrupted by one that
 * works for a softirq, or preempted, on the same processor: so it adds to the
 * processor's cell atomically, which takes as long as a look-up in a map.  Two
 * that both work with softirqs off cannot, so these just add; except where
 * the kernel is preemptible throughout (PREEMPT_RT).
 */
#ifndef WEIR_RULES_COUNTER_BPF_H
#define WEIR_RULES_COUNTER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "rules/image_abi.h"

/* Each chunk has a row of COUNTER_CHUNK cells for every processor. */
struct counters_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, COUNTER_CHUNK);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct counter_cell));
};

/* User space adds chunks; all programs count; user space reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, COUNTER_CHUNKS);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct counters_inner);
} counters SEC(".maps");

/* A lock has a lock in it where it is one that sleeps. */
struct rt_mutex_base___rt {
} __attribute__((preserve_access_index));

struct spinlock___rt {
	struct rt_mutex_base___rt lock;
} __attribute__((preserve_access_index));

static __always_inline bool softirqs_are_preempted(void)
{
	return bpf_core_field_exists(((struct spinlock___rt *)0)->lock);
}

/* Of this processor; NULL for NONE. */
static __always_inline struct counter_cell *counter_cell(__u32 counter)
{
	__u32 chunk = counter / COUNTER_CHUNK;
	__u32 index = bpf_get_smp_processor_id() * COUNTER_CHUNK +
		      counter % COUNTER_CHUNK;
	void *inner = bpf_map_lookup_elem(&counters, &chunk);

	return inner ? bpf_map_lookup_elem(inner, &index) : 0;
}

/*
 * Empties `recent` before it is full.  Whoever interrupts this in the middle
 * and does the same moves as much once more: what is left is less than
 * nothing then, and the sum right.  Global, as it is seldom wanted.
 */
__noinline int counter_move(__u32 counter)
{
	struct counter_cell *cell = counter_cell(counter);
	__u64 recent;

	if (!cell)
		return 0;
	__sync_fetch_and_add(&cell->moves, 1);
	recent = *(volatile __u64 *)&cell->recent;
	__sync_fetch_and_add(&cell->packets, counter_packets(recent));
	__sync_fetch_and_add(&cell->bytes, counter_bytes(recent));
	__sync_fetch_and_add(&cell->recent, -recent);
	__sync_fetch_and_add(&cell->moves, COUNTER_MOVED - 1);
	return 0;
}

/* is_soft: the program works with softirqs off. */
static __always_inline void counter_count(__u32 counter, __u64 packets,
					  __u64 bytes, bool is_soft)
{
	__u64 more = packets << COUNTER_PACKETS | bytes;
	struct counter_cell *cell = counter_cell(counter);

	if (!cell)
		return;
	if (cell->recent & COUNTER_FULL)
		counter_move(counter);
	if (is_soft && !softirqs_are_preempted())
		cell->recent += more;
	else
		__sync_fetch_and_add(&cell->recent, more);
}

/* From wherever. */
static __always_inline void counter_add(__u32 counter, __u64 packets,
					__u64 bytes)
{
	counter_count(counter, packets, bytes, false);
}

#endif
