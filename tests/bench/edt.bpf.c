// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What weir is compared with: earliest departure times, written in tc for fq
 * to keep, as Cilium's bandwidth manager does it.  Where the queue would be
 * longer than 2 s, packets are dropped.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define SEC_NS	   1000000000ULL
#define HORIZON_NS (2 * SEC_NS)

struct aggregate {
	__u64 rate;    /* bytes per second; user space writes it before use */
	__u64 last_ns; /* departure of the last packet */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aggregate);
} aggregates SEC(".maps");

SEC("tc")
int edt_egress(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_ns(), at = skb->tstamp, next;
	__u32 zero = 0;
	struct aggregate *aggregate = bpf_map_lookup_elem(&aggregates, &zero);

	if (!aggregate || !aggregate->rate)
		return TC_ACT_OK;
	if (at < now)
		at = now;
	/* Two processors at once may give two packets one time, as there. */
	next = aggregate->last_ns + skb->wire_len * SEC_NS / aggregate->rate;
	if (next <= at) {
		aggregate->last_ns = at;
		return TC_ACT_OK;
	}
	if (next - now >= HORIZON_NS)
		return TC_ACT_SHOT;
	aggregate->last_ns = next;
	skb->tstamp = next;
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
