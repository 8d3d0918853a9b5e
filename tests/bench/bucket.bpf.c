// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What weir is compared with: a token bucket that drops, in cgroup-skb.  The
 * way most people would write it first.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SEC_NS 1000000000ULL
#define UDP    17

struct bucket {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 rate; /* bytes per second; user space writes it before use */
	__u64 burst_ns;
	__u64 next_ns; /* when what was sent is paid for */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

/* Whether the packet may pass. */
static __always_inline int bucket_charge(struct __sk_buff *skb)
{
	__u32 zero = 0, segments = skb->gso_segs ?: 1, pass = 0;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &zero);
	__u64 now = bpf_ktime_get_ns(), wire;

	if (!bucket || !bucket->rate || skb->ifindex == 1)
		return 1;
	wire = skb->len + 14 * segments + 52 * (segments - 1);
	bpf_spin_lock(&bucket->lock);
	if (bucket->next_ns < now)
		bucket->next_ns = now;
	if (bucket->next_ns <= now + bucket->burst_ns) {
		bucket->next_ns += wire * SEC_NS / bucket->rate;
		pass = 1;
	}
	bpf_spin_unlock(&bucket->lock);
	return pass;
}

SEC("cgroup_skb/ingress")
int bucket_ingress(struct __sk_buff *skb)
{
	if (bucket_charge(skb))
		return 1;
	return 0;
}

SEC("cgroup_skb/egress")
int bucket_egress(struct __sk_buff *skb)
{
	__u8 protocol = 0;

	if (bucket_charge(skb))
		return 1;
	/* Of a plain drop a UDP sender hears as EPERM, and iperf3 ends. */
	bpf_skb_load_bytes(skb, 9, &protocol, 1);
	if (skb->protocol == bpf_htons(0x0800) && protocol == UDP)
		return 2;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
