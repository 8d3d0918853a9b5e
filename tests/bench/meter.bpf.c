// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts what arrives in the receivers' cgroup as a meter on the wire would:
 * every segment of a GSO packet with headers of its own.  In bins of time, so
 * that the first second and the evenness can be seen, and by port.  Behind all
 * queues of the receiving side too, where the CNI plugin has its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define BIN_NS 10000000ULL
#define BINS   16384
#define PORTS  1024
#define LINK   14
#define IP4    4
#define TCP    6

/*
 * BPF adds, and never begins a bin anew: two processors that did would lose
 * a packet.  The reader takes differences; bins come round every 164 s.
 */
struct bins {
	__u64 bytes[BINS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bins);
} meter SEC(".maps");

/* By the low ten bits of the receiver's port. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u64);
} ports SEC(".maps");

/* Where the transport's header is, in a packet that begins with IP's. */
static __always_inline __u32 transport(struct __sk_buff *skb, __u8 *protocol)
{
	__u8 octet = 0;

	bpf_skb_load_bytes(skb, 0, &octet, 1);
	if (octet >> 4 == IP4) {
		bpf_skb_load_bytes(skb, 9, protocol, 1);
		return (octet & 15) * 4;
	}
	bpf_skb_load_bytes(skb, 6, protocol, 1);
	return 40;
}

static __always_inline void count_time(__u32 wire)
{
	__u32 zero = 0, at = bpf_ktime_get_ns() / BIN_NS % BINS;
	struct bins *bins = bpf_map_lookup_elem(&meter, &zero);

	if (bins)
		__sync_fetch_and_add(&bins->bytes[at], wire);
}

static __always_inline void count_port(__be16 port, __u32 wire)
{
	__u32 at = bpf_ntohs(port) % PORTS;
	__u64 *bytes = bpf_map_lookup_elem(&ports, &at);

	if (bytes)
		__sync_fetch_and_add(bytes, wire);
}

SEC("cgroup_skb/ingress")
int count(struct __sk_buff *skb)
{
	__u32 wire = skb->len + LINK, ip, headers;
	__u8 protocol = 0, octet = 0;
	__be16 port = 0;

	ip = transport(skb, &protocol);
	bpf_skb_load_bytes(skb, ip + 2, &port, 2);
	headers = ip + 8;
	if (protocol == TCP) {
		bpf_skb_load_bytes(skb, ip + 12, &octet, 1);
		headers = ip + (octet >> 4) * 4;
	}
	if (skb->gso_segs > 1)
		wire += (skb->gso_segs - 1) * (LINK + headers);
	count_time(wire);
	count_port(port, wire);
	return 1;
}

/* What a socket has taken, as far as it was counted. */
struct taken {
	__u64 bytes;
	__u32 segments;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct taken);
} sockets SEC(".maps");

/*
 * The same of TCP for a receiver behind whose limiters at ingress no program
 * is asked: with each packet that it sends, what has come to it since the one
 * before.  A segment that comes twice is one of headers alone.
 */
SEC("cgroup_skb/egress")
int taken(struct __sk_buff *skb)
{
	__u32 headers = LINK + 32, segments; /* TCP's has timestamps */
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tcp;
	struct taken *before;
	__u64 bytes;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	tcp = sk && sk->protocol == TCP ? bpf_tcp_sock(sk) : NULL;
	if (!tcp)
		return 1;
	before = bpf_sk_storage_get(&sockets, sk, NULL,
				    BPF_SK_STORAGE_GET_F_CREATE);
	if (!before)
		return 1;
	headers += skb->protocol == bpf_htons(0x86dd) ? 40 : 20;
	bytes = tcp->bytes_received - before->bytes;
	segments = tcp->data_segs_in - before->segments;
	before->bytes += bytes;
	before->segments += segments;
	bytes += (__u64)segments * headers;
	count_time(bytes);
	count_port(bpf_htons(sk->src_port), bytes);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
