/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking up in the classifier: the first rule of a chain, from a given one
 * on, whose entry fits a packet (rules/class_abi.h).  By global functions that
 * take numbers only, as structs came with 5.12, so that the verifier looks at
 * each once: a search, and a list of entries within.
 */
#ifndef WEIR_RULES_CLASS_BPF_H
#define WEIR_RULES_CLASS_BPF_H

#include "rules/packet.bpf.h"
#include "rules/tables.bpf.h"

/*
 * How to search: the slot in bit 0; ENTRY_* that do not fit in bits 1 … 6; and
 * only rules from the one in bits 16 … 39 on and before the one in bits 40 …
 * 63, of which the highest stands for none.
 */
#define CLASS_HOW(slot, refused, from)                   \
	((slot) | (refused) << 1 | (__u64)(from) << 16 | \
	 (__u64)CLASS_INDEX_MASK << 40)
#define CLASS_HOW_BELOW(how, below) \
	(((how) & ((1ULL << 40) - 1)) | (__u64)(below) << 40)
/* … and where an IPv6 header is: BPF_HDR_START_*, and its offset there. */
#define CLASS_AT(base, network) ((base) << 7 | (network) << 8)

#define CLASS_HAS_LIST(word) ((word) >> CLASS_COUNT_SHIFT & CLASS_COUNT_MASK)

/*
 * Negative where the entry does not fit.  What it is compared with is hidden
 * from the compiler, which would take it apart once for all entries, and keep
 * a dozen values on the stack: there is little of that.
 */
static __always_inline __s64 class_misses_how(const struct class_entry *entry,
					      __u64 rest, __u64 how)
{
	barrier_var(rest);
	barrier_var(how);
	return class_misses(entry, rest, how >> 1 & 63,
			    how >> 16 & CLASS_INDEX_MASK, how >> 40);
}

/*
 * The first of a bucket's entries that fits, as they are by rule: its place,
 * and in bits 32 … 63 its rule; or NONE.  Of each there is one for IPv4, whose
 * addresses are source << 32 | destination; for IPv6, whose addresses would be
 * too many arguments; and for calls to IPv6, whose destination is in halves.
 */
__noinline __u64 class_list4(__u64 addresses, __u64 rest, __u64 how, __u64 word)
{
	__u32 place = word & ((1 << CLASS_FIRST_BITS) - 1), slot = how & 1;
	__u32 end = place + CLASS_HAS_LIST(word), i;
	void *entries = bpf_map_lookup_elem(&class_entries, &slot);
	const struct class_entry *entry;

	for (i = 0; entries && i < CLASS_LIST_MAX && place != end; i++) {
		entry = bpf_map_lookup_elem(entries, &place);
		if (!entry)
			break;
		barrier_var(addresses);
		if ((class_misses_how(entry, rest, how) |
		     class_misses4(entry, addresses)) >= 0)
			return place | (__u64)(entry->rule & CLASS_INDEX_MASK)
					       << 32;
		place++;
	}
	return NONE;
}

static __always_inline __u64 class_list_6(const __u64 *address, __u64 rest,
					  __u64 how, __u64 word)
{
	__u32 place = word & ((1 << CLASS_FIRST_BITS) - 1), slot = how & 1;
	__u32 end = place + 2 * CLASS_HAS_LIST(word), i;
	void *entries = bpf_map_lookup_elem(&class_entries, &slot);
	const struct class_entry *entry;
	const void *addresses;

	for (i = 0; entries && i < CLASS_LIST_MAX && place != end; i++) {
		entry = bpf_map_lookup_elem(entries, &place);
		if (!entry)
			break;
		place++;
		if (class_misses_how(entry, rest, how) >= 0) {
			addresses = bpf_map_lookup_elem(entries, &place);
			if (!addresses)
				break;
			if (class_misses6(entry, addresses, address) >= 0)
				return (place - 1) |
				       (__u64)(entry->rule & CLASS_INDEX_MASK)
					       << 32;
		}
		place++;
	}
	return NONE;
}

/* Reads a packet's addresses: where they are says how. */
static __always_inline int class_address6(struct __sk_buff *skb, __u64 how,
					  __u64 *address)
{
	__u32 base = how >> 7 & 1, network = how >> 8 & 0xff, i;

	__builtin_memset(address, 0, 32);
	if (bpf_skb_load_bytes_relative(
		    skb, network + __builtin_offsetof(struct ipv6hdr, saddr),
		    address, 32, base) < 0)
		return -1;
	for (i = 0; i < 4; i++)
		address[i] = bpf_be64_to_cpu(address[i]);
	return 0;
}

__noinline __u64 class_list6(struct __sk_buff *skb, __u64 rest, __u64 how,
			     __u64 word)
{
	__u64 address[4];

	if (class_address6(skb, how, address) < 0)
		return NONE;
	return class_list_6(address, rest, how, word);
}

__noinline __u64 class_list_call6(__u64 high, __u64 low, __u64 rest, __u64 how,
				  __u64 word)
{
	__u64 address[4] = { 0, 0, high, low };

	return class_list_6(address, rest, how, word);
}

/* A search: where it is, and what it has found. */
struct class_search {
	__u32 at;   /* the node, or NONE */
	__u32 best; /* the place of an entry, or NONE */
	__u64 how;
};

/*
 * The bucket of the node, 0 where nothing in it can be better; goes on to the
 * next node.
 */
static __always_inline __u64 class_word(struct class_search *search,
					const __u64 *address, __u64 rest,
					int is_ip6)
{
	__u32 slot = search->how & 1, bucket, below;
	const struct class_node *node;
	__u64 hash, *word;

	node = TABLE_ROW(class_nodes, slot, search->at);
	if (!node) {
		search->at = NONE;
		return 0;
	}
	search->at = node->next;
	if (node->lowest >= search->how >> 40)
		return 0;
	hash = class_hash(address, rest, node, is_ip6);
	bucket = class_bucket(node, hash);
	word = TABLE_ROW(class_buckets, slot, bucket);
	if (!word || !(*word & class_hash_bit(hash)))
		return 0;
	below = *word >> CLASS_NODE_SHIFT & CLASS_NO_NODE;
	if (below != CLASS_NO_NODE)
		search->at = below;
	return *word;
}

static __always_inline void class_take(struct class_search *search, __u64 found)
{
	if ((__u32)found == NONE)
		return;
	search->best = found;
	search->how = CLASS_HOW_BELOW(search->how, found >> 32);
}

/* From a root on, to the place of the best entry; list calls class_list*. */
#define CLASS_SEARCH(its_root, its_how, address, rest, is_ip6, list)       \
	({                                                                 \
		struct class_search search = { .at = its_root,             \
					       .best = NONE,               \
					       .how = its_how };           \
		__u64 word;                                                \
		__u32 i_;                                                  \
                                                                           \
		for (i_ = 0; i_ < CLASS_NODES_WORST; i_++) {               \
			if (search.at == NONE)                             \
				break;                                     \
			word = class_word(&search, address, rest, is_ip6); \
			if (CLASS_HAS_LIST(word))                          \
				class_take(&search, list);                 \
		}                                                          \
		class_found(search.how & 1, search.best);                  \
	})

/*
 * A rule that was found: its index in bits 8 … 31, or all of them for none,
 * and above what the entry has as its counter, with its ENTRY_* bits.
 */
#define FOUND_NONE	      (CLASS_INDEX_MASK << 8)
#define FOUND(index, counter) ((index) << 8 | (__u64)(counter) << 32)
#define FOUND_INDEX(found)    ((found) >> 8 & CLASS_INDEX_MASK)
#define FOUND_COUNTER(found)  ((found) >> 32 & CLASS_INDEX_MASK)
#define FOUND_BITS(found)     ((found) >> (32 + CLASS_BITS_SHIFT))

static __always_inline __u64 class_found(__u32 slot, __u32 place)
{
	const struct class_entry *entry = TABLE_ROW(class_entries, slot, place);

	if (!entry)
		return FOUND_NONE;
	return FOUND(entry->rule & CLASS_INDEX_MASK, entry->counter);
}

__noinline __u64 class_find4(__u64 addresses, __u64 rest, __u64 how, __u32 root)
{
	return CLASS_SEARCH(root, how, &addresses, rest, 0,
			    class_list4(addresses, rest, search.how, word));
}

__noinline __u64 class_find6(struct __sk_buff *skb, __u64 rest, __u64 how,
			     __u32 root)
{
	__u64 address[4];

	if (class_address6(skb, how, address) < 0)
		return FOUND_NONE;
	return CLASS_SEARCH(root, how, address, rest, 1,
			    class_list6(skb, rest, search.how, word));
}

__noinline __u64 class_find_call6(__u64 high, __u64 low, __u64 rest, __u64 how,
				  __u32 root)
{
	__u64 address[4] = { 0, 0, high, low };

	return CLASS_SEARCH(
		root, how, address, rest, 1,
		class_list_call6(high, low, rest, search.how, word));
}

/* ------------------------------------------------------------ packets */

static __always_inline __u64 class_rest(const struct packet *p)
{
	return CLASS_REST(p->src_port, p->dst_port, p->protocol);
}

static __always_inline __u64 class_addresses4(const struct packet *p)
{
	return (__u64)bpf_ntohl(p->src.words[3]) << 32 |
	       bpf_ntohl(p->dst.words[3]);
}

/* What a packet has not got, so that no entry that looks at it fits. */
static __always_inline __u32 class_refused(const struct packet *p)
{
	return p->absent / LOOK_SRC_PORT % 2 * ENTRY_PORTS |
	       p->absent / LOOK_PROTOCOL % 2 * ENTRY_PROTOCOL |
	       p->required / LOOK_IFINDEX % 2 * ENTRY_NO_IFACE;
}

/* The first rule that fits the packet, from `from` on, as FOUND. */
static __always_inline __u64 class_of_packet(struct __sk_buff *skb,
					     const struct packet *p,
					     const struct chain_row *chain,
					     __u32 slot, __u32 from)
{
	__u64 how = CLASS_HOW(slot, class_refused(p), from);

	if (p->family == 4)
		return class_find4(class_addresses4(p), class_rest(p), how,
				   chain->roots[CLASS_IP4]);
	if (p->family != 6)
		return FOUND_NONE;
	how |= CLASS_AT(p->base, p->network);
	return class_find6(skb, class_rest(p), how, chain->roots[CLASS_IP6]);
}

/*
 * The same for a call: what is not known yet, no entry asks for.  is_ip6: a
 * constant, whether its address may be one of IPv6.
 */
static __always_inline __u64 class_of_call(const struct packet *p,
					   const struct chain_row *chain,
					   int is_ip6, __u32 slot, __u32 from)
{
	__u64 how = CLASS_HOW(slot, class_refused(p), from);
	__u64 rest = CLASS_REST(0, p->dst_port, p->protocol);

	if (!is_ip6 || p->family == 4)
		return class_find4(bpf_ntohl(p->dst.words[3]), rest, how,
				   chain->roots[CLASS_CALL4]);
	return class_find_call6(bpf_be64_to_cpu(p->dst.halves[0]),
				bpf_be64_to_cpu(p->dst.halves[1]), rest, how,
				chain->roots[CLASS_CALL6]);
}

#endif
