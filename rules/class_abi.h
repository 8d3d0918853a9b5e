/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classifier: which rules of a chain may decide a packet, found without
 * going through them.  docs/matcher.md says why it is built like this.
 *
 * A node hashes some bits of a packet's key, those that its mask has, and so
 * comes to one of its buckets.  That has a few entries, and perhaps a node
 * that tells the rules there apart by other bits.  Whether an entry's rule
 * fits is told by the entry itself, but for ENTRY_CONFIRM.  From there, or
 * from a bucket without a node, the search goes on at the node's `next`: so
 * it needs no stack, and each of a packet's rules is met once.
 *
 * Host byte order throughout: addresses are numbers here.
 */
#ifndef WEIR_RULES_CLASS_ABI_H
#define WEIR_RULES_CLASS_ABI_H

#include <linux/types.h>

/* What a chain's row has roots of, in class_nodes. */
enum {
	CLASS_IP4 = 0,
	CLASS_IP6 = 1,
	CLASS_CALL4 = 2, /* of calls, whose source is not known yet */
	CLASS_CALL6 = 3,
	N_CLASS_ROOTS = 4,
};

/*
 * IPv4: address[0] is source << 32 | destination, the others are 0.  IPv6:
 * the source's halves, then the destination's.  What a packet has not got is
 * 0 here.
 */
struct class_key {
	__u64 address[4];
	__u64 rest; /* CLASS_REST */
};

#define CLASS_REST(sport, dport, protocol) \
	((__u64)(protocol) << 32 | (__u64)(sport) << 16 | (dport))

struct class_node {
	__u64 mask[4]; /* of the key's address */
	__u64 mask_rest;
	__u32 first;  /* its first bucket, in class_buckets */
	__u32 next;   /* node to go on at, or NONE */
	__u32 lowest; /* rule in it and in the nodes of its buckets */
	__u32 shift;  /* 63 less the logarithm of how many buckets it has */
	__u64 pad;
};

_Static_assert(sizeof(struct class_node) == 64, "a cache line");

/*
 * A bucket is a word.  It has entries first … first + count - 1 (of IPv6 each
 * takes two places), a node or CLASS_NO_NODE, and a bit for each hash that
 * something in it has: a word of 0 is empty.
 */
#define CLASS_FIRST_BITS  26
#define CLASS_COUNT_SHIFT 26
#define CLASS_COUNT_MASK  0x3f
#define CLASS_NODE_SHIFT  32
#define CLASS_NO_NODE	  0xfffffU
#define CLASS_HASH_SHIFT  52
#define CLASS_HASH_BITS	  12

/* In one bucket, and nodes of a search, so that no loop is longer. */
#define CLASS_LIST_MAX	  8
#define CLASS_NODES_WORST 128

/*
 * What one rule fits, or a part of that where it has lists.  IPv6: src_first
 * is 64 less the prefix length and src_last 128 less that, each from 0 to 64;
 * likewise dst; and the addresses are in the next place of class_entries.
 */
struct class_entry {
	__u32 src_first, src_last; /* inclusive, as all that follows */
	__u32 dst_first, dst_last;
	__u16 sport_first, sport_last;
	__u16 dport_first, dport_last;
	__u32 rule;    /* index in the chain; in bits 24 … 31 the protocol */
	__u32 counter; /* of the rule; in bits 24 … 31 ENTRY_* */
};

struct class_addresses {
	__u64 src[2], dst[2];
};

_Static_assert(sizeof(struct class_entry) == 32, "half a cache line");
_Static_assert(sizeof(struct class_addresses) == 32, "the place of an entry");

#define CLASS_INDEX_MASK 0xffffffU
#define CLASS_BITS_SHIFT 24

/* Bits of an entry. */
enum {
	ENTRY_VERDICT = 3,	 /* ROW_* */
	ENTRY_PROTOCOL = 1 << 2, /* the rule looks at the protocol */
	ENTRY_PORTS = 1 << 3,	 /* … at a port */
	ENTRY_CONFIRM = 1 << 4,	 /* … at more than an entry tells */
	ENTRY_NO_IFACE = 1 << 5, /* … not at the interface */
};

#define CLASS_INLINE static inline __attribute__((always_inline))

/*
 * What the node's masks leave of a key, mixed; is_ip6 is a constant, and only
 * then address has more than one word.
 */
CLASS_INLINE __u64 class_hash(const __u64 *address, __u64 rest,
			      const struct class_node *node, int is_ip6)
{
	__u64 h = (address[0] & node->mask[0]) * 0x9e3779b97f4a7c15ULL;

	if (is_ip6) {
		h = (h ^ h >> 32 ^ (address[1] & node->mask[1])) *
		    0xd6e8feb86659fd93ULL;
		h = (h ^ h >> 32 ^ (address[2] & node->mask[2])) *
		    0xa0761d6478bd642fULL;
		h = (h ^ h >> 32 ^ (address[3] & node->mask[3])) *
		    0xe7037ed1a0b428dbULL;
	}
	h ^= (rest & node->mask_rest) * 0xc2b2ae3d27d4eb4fULL;
	return (h ^ h >> 32) * 0x8ebc6af09c88c6e3ULL;
}

CLASS_INLINE __u32 class_bucket(const struct class_node *node, __u64 hash)
{
	return node->first + (__u32)(hash >> 1 >> (node->shift & 63));
}

/* A bit of a bucket's word, by what the bucket's number does not tell. */
CLASS_INLINE __u64 class_hash_bit(__u64 hash)
{
	__u64 bit = ((hash >> 16 & 0xff) * CLASS_HASH_BITS) >> 8;

	return 1ULL << CLASS_HASH_SHIFT << bit;
}

/* Negative where x is not from first to last. */
#define CLASS_OUTSIDE(x, first, last) \
	(((__s64)(x) - (__s64)(first)) | ((__s64)(last) - (__s64)(x)))

/*
 * Negative where the entry does not fit but for its addresses; has one of the
 * bits `refused`; or is not of a rule from `from` on and below `below`.
 * Without branches, of which a processor would guess half wrong.
 */
CLASS_INLINE __s64 class_misses(const struct class_entry *entry, __u64 rest,
				__u32 refused, __u32 from, __u32 below)
{
	__u32 bits = entry->counter >> CLASS_BITS_SHIFT;
	__s64 index = entry->rule & CLASS_INDEX_MASK;
	__s64 other = (entry->rule >> CLASS_BITS_SHIFT) ^ (rest >> 32);

	other *= bits / ENTRY_PROTOCOL & 1;
	return CLASS_OUTSIDE(rest >> 16 & 0xffff, entry->sport_first,
			     entry->sport_last) |
	       CLASS_OUTSIDE(rest & 0xffff, entry->dport_first,
			     entry->dport_last) |
	       (index - (__s64)from) | ((__s64)below - 1 - index) |
	       -(__s64)(bits & refused) | -other;
}

/* addresses: source << 32 | destination. */
CLASS_INLINE __s64 class_misses4(const struct class_entry *entry,
				 __u64 addresses)
{
	return CLASS_OUTSIDE(addresses >> 32, entry->src_first,
			     entry->src_last) |
	       CLASS_OUTSIDE(addresses & 0xffffffff, entry->dst_first,
			     entry->dst_last);
}

/* x >> shift, for a shift up to 64. */
CLASS_INLINE __u64 class_shift(__u64 x, __u32 shift)
{
	__u32 half = shift >> 1 & 63;

	return x >> half >> ((shift - half) & 63);
}

CLASS_INLINE __s64 class_misses6(const struct class_entry *entry,
				 const struct class_addresses *addresses,
				 const __u64 *address)
{
	__u64 differ =
		class_shift(address[0] ^ addresses->src[0], entry->src_first) |
		class_shift(address[1] ^ addresses->src[1], entry->src_last) |
		class_shift(address[2] ^ addresses->dst[0], entry->dst_first) |
		class_shift(address[3] ^ addresses->dst[1], entry->dst_last);

	return -(__s64)(differ >> 1 | (differ & 1));
}

#endif
