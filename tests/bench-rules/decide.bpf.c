// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One packet after the other, of a million, for BPF_PROG_TEST_RUN with its
 * repeats: each is written over the one packet that a run has, and decided,
 * or not.
 */
#include "rules/quick.bpf.h"
#include "tests/bench-rules/decide.h"

char LICENSE[] SEC("license") = "GPL";

/* User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DECIDE_PACKETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct decide_packet);
} packets SEC(".maps");

__u32 at, allowed;

static __always_inline void write_next(struct __sk_buff *skb)
{
	__u32 index = at++ & (DECIDE_PACKETS - 1);
	struct decide_packet *packet = bpf_map_lookup_elem(&packets, &index);

	if (packet)
		bpf_skb_store_bytes(skb, DECIDE_OFFSET, packet->bytes,
				    sizeof(packet->bytes), 0);
}

SEC("tc")
int decide_none(struct __sk_buff *skb)
{
	write_next(skb);
	return 0;
}

SEC("tc")
int decide_all(struct __sk_buff *skb)
{
	__u64 decided;

	write_next(skb);
	decided = chain_decide_quickly(skb, generation_slot(), 0, 0,
				       HOOK_DEVICE | HOOK_FRAMED);
	if (DECISION(decided) == ROW_ALLOW)
		allowed++;
	return 0;
}
