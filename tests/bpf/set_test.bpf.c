// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks one key up with each run, for BPF_PROG_TEST_RUN to repeat. */
#include "rules/tables.bpf.h"
#include "tests/bpf/set_test.h"

char LICENSE[] SEC("license") = "GPL";

/* The test writes them, and their number; the program writes `found`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct set_query);
} queries SEC(".maps");

/* The program counts up from the test's 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cursors SEC(".maps");

SEC("tc")
int look_up(struct __sk_buff *skb)
{
	__u32 zero = 0, index, *cursor = bpf_map_lookup_elem(&cursors, &zero);
	struct set_query *query;

	(void)skb;
	if (!cursor)
		return 0;
	index = *cursor;
	query = bpf_map_lookup_elem(&queries, &index);
	if (!query) {
		index = 0;
		query = bpf_map_lookup_elem(&queries, &index);
	}
	*cursor = index + 1;
	if (!query || query->set == NONE)
		return 0;
	query->found = set_has_address(
		SLOT_AND_PORT(generation_slot(), query->port), query->set,
		bpf_cpu_to_be64(query->high), bpf_cpu_to_be64(query->low));
	return 0;
}
