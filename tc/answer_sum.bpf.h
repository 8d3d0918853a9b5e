/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where answers are written, and the Internet checksum over what is there and
 * over packets.  Sums are those of 16-bit words as they lie in memory, folded
 * to 16 bits: by RFC 1071 the byte order does not matter.
 */
#ifndef WEIR_TC_ANSWER_SUM_BPF_H
#define WEIR_TC_ANSWER_SUM_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "rules/packet.bpf.h"

#define ANSWER_MOST 1280 /* bytes of an answer: of IPv6 with ICMP */
#define SUM_PART    512	 /* as much as bpf_csum_diff takes */
#define SUM_PARTS   18	 /* so a packet may have 9216 bytes */
#define SUM_RIGHT   0xffff

/*
 * The stack is too short for an answer, and the verifier forgets what lies
 * here: so it need not follow what comes for each way that a packet may be.
 * Each processor has a desk; where more than DESKS of them share one, or
 * programs are preempted, it is taken for a while, and who finds it so sends no
 * answer.
 */
#define DESKS 16

struct answer_desk {
	struct bpf_spin_lock lock;
	__u32 is_taken;
	struct packet packet; /* that is answered */
	/* Whole words are summed: and any part may begin at any word. */
	__be32 words[(ANSWER_MOST + SUM_PART) / 4];
};

/* device_in and device_out write and read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DESKS);
	__type(key, __u32);
	__type(value, struct answer_desk);
} answer_desks SEC(".maps");

static __always_inline struct answer_desk *answer_desk(void)
{
	__u32 key = bpf_get_smp_processor_id() % DESKS;

	return bpf_map_lookup_elem(&answer_desks, &key);
}

static __always_inline bool desk_take(struct answer_desk *desk)
{
	__u32 was_taken;

	bpf_spin_lock(&desk->lock);
	was_taken = desk->is_taken;
	desk->is_taken = 1;
	bpf_spin_unlock(&desk->lock);
	return !was_taken;
}

static __always_inline void desk_leave(struct answer_desk *desk)
{
	bpf_spin_lock(&desk->lock);
	desk->is_taken = 0;
	bpf_spin_unlock(&desk->lock);
}

static __always_inline __u32 sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What stands in a header for this sum of it. */
static __always_inline __u16 sum_check(__u32 sum)
{
	return ~sum;
}

static __always_inline __u32 sum_words(__be32 *words, __u32 bytes, __u32 sum)
{
	return sum_fold(bpf_csum_diff(NULL, 0, words, bytes, sum));
}

/*
 * Of the pseudo header; from whom to whom makes no difference, nor that
 * addresses of IPv4 are mapped, as 0xffff counts for nothing.
 */
static __always_inline __u32 sum_pseudo(const struct packet *p, __u32 length,
					__u32 protocol)
{
	__u64 sum = bpf_csum_diff(NULL, 0, (__be32 *)&p->src,
				  2 * sizeof(p->src), 0);

	return sum_fold(sum + bpf_htonl(length) + bpf_htonl(protocol));
}

/* Of so many of a packet's bytes, from 1 up to a part; -1. */
static __always_inline int sum_load(struct __sk_buff *skb,
				    struct answer_desk *desk, __u32 offset,
				    __u32 n, __u32 sum)
{
	/* Less one, as verifiers are sure then that it is not 0. */
	n--;
	barrier_var(n);
	if (n >= SUM_PART)
		return -1;
	desk->words[n / 4] = 0;
	n++;
	if (bpf_skb_load_bytes_relative(skb, offset, desk->words, n,
					BPF_HDR_START_NET) < 0)
		return -1;
	return sum_words(desk->words, (n + 3) & ~3U, sum);
}

/* Of a packet's bytes from its IP header on; -1.  The desk is ours. */
__noinline int sum_of_packet(struct __sk_buff *skb, __u32 offset, __u32 length,
			     __u32 start)
{
	struct answer_desk *desk = answer_desk();
	int sum = start & 0xffff;
	__u32 i;

	if (!desk)
		return -1;
	for (i = 1; i < SUM_PARTS && length > SUM_PART; i++) {
		sum = sum_load(skb, desk, offset, SUM_PART, sum);
		if (sum < 0)
			return -1;
		offset += SUM_PART;
		length -= SUM_PART;
	}
	return sum_load(skb, desk, offset, length, sum);
}

/* Of words of the desk, from the first up to but not including the last. */
__noinline int sum_of_desk(__u32 first, __u32 last, __u32 sum)
{
	struct answer_desk *desk = answer_desk();
	__u32 i, n;

	if (!desk)
		return -1;
	sum &= 0xffff;
	for (i = 0; i < 1 + ANSWER_MOST / SUM_PART && first < last; i++) {
		n = last - first;
		if (n > SUM_PART / 4)
			n = SUM_PART / 4;
		barrier_var(n);
		if (first > ANSWER_MOST / 4 || n > SUM_PART / 4)
			return -1;
		sum = sum_words(&desk->words[first], n * 4, sum);
		first += n;
	}
	return sum;
}

#endif
