// SPDX-License-Identifier: GPL-2.0-or-later
/* Accounts, of cgroup/, at times and with calendars that the test makes. */
#include "cgroup/account.bpf.h"
#include "tests/bpf/quota_test.h"

char LICENSE[] SEC("license") = "GPL";

struct quota_step step;

/* User space writes the name; one that is looked up must lie in a map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct account_name);
} names SEC(".maps");

SEC("tc")
int quota_open(struct __sk_buff *skb)
{
	const struct account_name *name;
	__u32 zero = 0;

	(void)skb;
	name = bpf_map_lookup_elem(&names, &zero);
	if (name)
		step.id = account_get(name);
	return 0;
}

SEC("tc")
int quota_turn(struct __sk_buff *skb)
{
	(void)skb;
	account_turn(step.id, step.kind, step.now_ns);
	return 0;
}
