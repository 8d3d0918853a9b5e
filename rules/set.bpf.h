/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a set has an address or a port: see rules/set_abi.h. */
#ifndef WEIR_RULES_SET_BPF_H
#define WEIR_RULES_SET_BPF_H

#include <bpf/bpf_endian.h>

#include "rules/image_abi.h"
#include "rules/table.bpf.h"

INNER_ARRAY(sets_inner, struct set_row);

/* User space writes; all programs read. */
TABLE(sets_inner) sets SEC(".maps");

struct store_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union set_line));
};

/* User space writes, all programs read.  Both slots' sets refer to it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, STORES_MAX);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct store_inner);
} elements SEC(".maps");

/* What clang shall not see through, and does in the order in which it stands.
 */
#define OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * 1 for a negative number, else 0.  Opaque, as clang would make comparisons of
 * it.  BPF compares only to branch: nobody could predict these branches, and
 * the verifier would follow each of them.
 */
static __always_inline __u64 is_negative(__u64 x)
{
	OPAQUE(x);
	return x >> 63;
}

/* 1 where a is below b, or with more also where they are the same, else 0. */
static __always_inline __u64 is_below(__u64 a, __u64 b, __u64 more)
{
	/* What a subtraction borrows. */
	return is_negative((~a & b) | ((~a | b) & (a - b - more)));
}

/*
 * How many keys of a block are below one.  One after the other, for clang would
 * read all of them first, and the stack is short.
 */
static __always_inline __u32 rank_of_4(const union set_line *block, __u64 key)
{
	__u64 rank = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < 16; i++) {
		rank += is_negative(block->words[i] - key);
		OPAQUE(rank);
	}
	return rank;
}

static __always_inline __u32 rank_of_8(const union set_line *block, __u64 key)
{
	__u64 rank = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < 8; i++) {
		rank += is_below(block->longs[i], key, 0);
		OPAQUE(rank);
	}
	return rank;
}

static __always_inline __u32 rank_of_16(const union set_line *block, __u64 high,
					__u64 low)
{
	__u64 rank = 0, below;
	__u32 i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		below = is_below(block->longs[2 * i + 1], low, 0);
		rank += is_below(block->longs[2 * i], high, below);
		OPAQUE(rank);
	}
	return rank;
}

/*
 * Goes down the layers of a tree; keys: in a block.  Block b has its children
 * behind those of b blocks before it, and as many ranks.
 */
#define DESCEND(keys, rank_in)                                       \
	for (i = 0; i < SET_LAYERS_MAX && i < tree->n_layers; i++) { \
		line = tree->layers[i] + block;                      \
		found = bpf_map_lookup_elem(lines, &line);           \
		if (!found)                                          \
			return SET_OUT;                              \
		rank = block * (keys) + rank_in;                     \
		block += rank;                                       \
	}

/*
 * The value of the interval in which the key lies.  Global, so that the
 * verifier looks at it once.
 */
__noinline int set_walk(__u32 store, __u32 line, __u64 high, __u64 low)
{
	void *lines = bpf_map_lookup_elem(&elements, &store);
	const union set_line *found;
	const struct set_tree *tree;
	__u32 i, rank = 0, block = 0;

	tree = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!tree)
		return SET_OUT;
	if (tree->width == 4) {
		DESCEND(16, rank_of_4(found, low));
	} else if (tree->width == 8) {
		DESCEND(8, rank_of_8(found, high));
	} else {
		DESCEND(4, rank_of_16(found, high, low));
	}
	if (!tree->values)
		return ((rank ^ tree->first) & 1 ? SET_FOREVER : SET_OUT);
	line = tree->values + rank / 16;
	found = bpf_map_lookup_elem(lines, &line);
	return found ? found->words[rank & 15] : SET_OUT;
}

#define NSEC_PER_SEC 1000000000ULL

/* What set_has returns; 0: the key is not in. */
enum {
	SET_HAS = 1 << 0,
	/* Beside it: until a timeout, so a verdict on it is none to keep. */
	SET_HAS_FOR_NOW = 1 << 1,
};

static __always_inline int set_value_holds(__u32 value)
{
	if (value == SET_FOREVER || value == SET_OUT)
		return value != SET_OUT;
	if (bpf_ktime_get_boot_ns() / NSEC_PER_SEC < value)
		return SET_HAS | SET_HAS_FOR_NOW;
	return 0;
}

static __always_inline int set_row_has(const struct set_row *row, __u32 family,
				       __u64 high, __u64 low)
{
	__u32 store = row->store, line = row->head, value = SET_UNCHANGED;
	void *lines = bpf_map_lookup_elem(&elements, &store);
	const volatile struct set_head *head;
	const struct set_root *root;
	__u32 tree;

	head = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!head)
		return 0;
	line = head->root;
	if (line) {
		root = bpf_map_lookup_elem(lines, &line);
		tree = root ? root->trees[family & 1] : 0;
		if (tree)
			value = set_walk(store, tree, high, low);
		if (value != SET_UNCHANGED)
			return set_value_holds(value);
	}
	tree = head->trees[family & 1];
	if (!tree)
		return 0;
	return set_value_holds(set_walk(store, tree, high, low));
}

/* Whether a set, or one of those that a list is made of, has the key: SET_HAS*.
 */
__noinline int set_has(__u32 slot, __u32 set, __u32 family, __u64 high,
		       __u64 low)
{
	__u32 i, n = 0, store = 0, line = 0;
	const union set_line *members;
	const struct set_row *row;
	void *lines;
	int has;

	for (i = 0; i <= SET_MEMBERS_MAX; i++) {
		row = TABLE_ROW(sets, slot, set);
		if (!row)
			return 0;
		has = set_row_has(row, family, high, low);
		if (has)
			return has;
		if (i == 0) {
			n = row->n_members;
			store = row->store;
			line = row->members;
		}
		if (i >= n || i >= SET_MEMBERS_MAX)
			return 0;
		lines = bpf_map_lookup_elem(&elements, &store);
		members = lines ? bpf_map_lookup_elem(lines, &line) : 0;
		if (!members)
			return 0;
		set = members->words[i];
	}
	return 0;
}

/* Whether a set has an address, given in two halves, or a port: SET_HAS*. */
static __always_inline int set_has_address(__u32 slot, __u32 set, __u64 half0,
					   __u64 half1)
{
	__u64 high = bpf_be64_to_cpu(half0), low = bpf_be64_to_cpu(half1);

	if (!high && low >> 32 == 0xffff)
		return set_has(slot, set, SET_IP4, 0, (__u32)low);
	return set_has(slot, set, SET_IP6, high, low);
}

static __always_inline int set_has_port(__u32 slot, __u32 set, __u32 port)
{
	return set_has(slot, set, SET_IP4, 0, port);
}

#endif
