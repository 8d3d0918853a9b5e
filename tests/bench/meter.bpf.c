// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts what arrives at a device as a meter on the wire would: every
 * segment of a GSO packet with headers of its own.  In bins of time, so that
 * the first second and the evenness can be seen.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define BIN_NS 10000000ULL
#define BINS   4096
#define LINK   14

/* BPF adds; the reader takes differences, bins come round every 41 s. */
struct bins {
	__u64 bytes[BINS];
	__u64 stamps[BINS]; /* which round of 10 ms the bytes are of */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bins);
} meter SEC(".maps");

/* IP and TCP headers, what each segment of a GSO packet has again. */
static __always_inline __u32 header_bytes(struct __sk_buff *skb)
{
	__u32 bytes = 40;
	__u8 protocol = 0, octet = 0;

	if (skb->protocol == bpf_htons(0x0800)) {
		bpf_skb_load_bytes(skb, LINK, &octet, 1);
		bpf_skb_load_bytes(skb, LINK + 9, &protocol, 1);
		bytes = (octet & 15) * 4;
	} else {
		bpf_skb_load_bytes(skb, LINK + 6, &protocol, 1);
	}
	if (protocol != 6)
		return bytes + 8;
	bpf_skb_load_bytes(skb, LINK + bytes + 12, &octet, 1);
	return bytes + (octet >> 4) * 4;
}

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u64 stamp = bpf_ktime_get_ns() / BIN_NS;
	__u32 zero = 0, at = stamp % BINS, wire = skb->len;
	struct bins *bins = bpf_map_lookup_elem(&meter, &zero);

	if (!bins)
		return TC_ACT_OK;
	if (skb->gso_segs > 1)
		wire += (skb->gso_segs - 1) * (LINK + header_bytes(skb));
	/* Two processors that open a bin at once lose one packet. */
	if (bins->stamps[at] != stamp) {
		bins->stamps[at] = stamp;
		bins->bytes[at] = 0;
	}
	__sync_fetch_and_add(&bins->bytes[at], wire);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
