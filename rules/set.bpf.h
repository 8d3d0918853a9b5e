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
	for (i = 0;; i++) {                                          \
		OPAQUE(i); /* clang would keep pointers beside it */ \
		if (i >= SET_LAYERS_MAX || i >= tree->n_layers)      \
			break;                                       \
		line = tree->layers[i] + block;                      \
		found = bpf_map_lookup_elem(lines, &line);           \
		if (!found)                                          \
			return SET_OUT;                              \
		rank = block * (keys) + rank_in;                     \
		block += rank;                                       \
	}

static __always_inline int tree_value(void *lines, const struct set_tree *tree,
				      __u32 rank)
{
	const union set_line *found;
	__u32 line;

	if (!tree->values)
		return (rank ^ tree->first) & 1 ? SET_FOREVER : SET_OUT;
	line = tree->values + rank / 16;
	found = bpf_map_lookup_elem(lines, &line);
	return found ? found->words[rank & 15] : SET_OUT;
}

/*
 * The value of the interval of a tree in which the key lies.  Global, here and
 * below, so that the verifier looks at each once; many, because up to 5.12 all
 * that a call has on the stack counts even where it calls nobody.
 */
__noinline int set_walk_4(__u32 store, __u32 line, __u32 key)
{
	void *lines = bpf_map_lookup_elem(&elements, &store);
	const union set_line *found;
	const struct set_tree *tree;
	__u32 i, rank = 0, block = 0;

	tree = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!tree)
		return SET_OUT;
	DESCEND(16, rank_of_4(found, key));
	return tree_value(lines, tree, rank);
}

/* No value: it is for set_walk_16. */
#define SET_WIDER (int)(SET_FOREVER - 1)

/* Of networks up to /64. */
__noinline int set_walk_8(__u32 store, __u32 line, __u64 high)
{
	void *lines = bpf_map_lookup_elem(&elements, &store);
	const union set_line *found;
	const struct set_tree *tree;
	__u32 i, rank = 0, block = 0;

	tree = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!tree)
		return SET_OUT;
	if (tree->width != 8)
		return SET_WIDER;
	DESCEND(8, rank_of_8(found, high));
	return tree_value(lines, tree, rank);
}

__noinline int set_walk_16(__u32 store, __u32 line, __u64 high, __u64 low)
{
	void *lines = bpf_map_lookup_elem(&elements, &store);
	const union set_line *found;
	const struct set_tree *tree;
	__u32 i, rank = 0, block = 0;

	tree = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!tree)
		return SET_OUT;
	DESCEND(4, rank_of_16(found, high, low));
	return tree_value(lines, tree, rank);
}

/*
 * The slot, and the port that services are looked for with, in one number; the
 * family comes to it.
 */
#define SLOT_AND_PORT(slot, port) ((slot) | (__u32)(port) << 16)
#define HOW_SET(slot, family)	  (((slot)&0xffff0001) | (family) << 8)
#define HOW_FAMILY(how)		  ((how) >> 8 & 1)
#define HOW_PORT(how)		  ((how) >> 16)

/*
 * Where a set has its trees of a family, in one number: its store, and the line
 * of one tree above that of the other.
 */
#define PLACE_STORE(place) ((__u32)((place) >> 50))
#define PLACE_ROOT(place)  ((__u32)((place) >> 25) & (SET_LINES_MAX - 1))
#define PLACE_HEAD(place)  ((__u32)(place) & (SET_LINES_MAX - 1))

__noinline __u64 set_place(__u32 how, __u32 set)
{
	__u32 slot = how & 1, family = HOW_FAMILY(how);
	const struct set_row *row = TABLE_ROW(sets, slot, set);
	const volatile struct set_head *head;
	const struct set_root *root;
	__u32 store, line;
	void *lines;
	__u64 place;

	if (!row)
		return 0;
	store = row->store;
	line = row->head;
	lines = bpf_map_lookup_elem(&elements, &store);
	head = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	if (!head)
		return 0;
	place = (__u64)store << 50 | head->trees[family];
	line = head->root;
	root = line ? bpf_map_lookup_elem(lines, &line) : 0;
	if (root)
		place |= (__u64)root->trees[family] << 25;
	return place;
}

/* The row of a set that a list has, or NONE behind the last one. */
__noinline __u32 set_member(__u32 how, __u32 set, __u32 index)
{
	__u32 slot = how & 1;
	const struct set_row *row = TABLE_ROW(sets, slot, set);
	const union set_line *members;
	__u32 store, line;
	void *lines;

	if (!row || index >= row->n_members || index >= SET_MEMBERS_MAX)
		return NONE;
	store = row->store;
	line = row->members;
	lines = bpf_map_lookup_elem(&elements, &store);
	members = lines ? bpf_map_lookup_elem(lines, &line) : 0;
	return members ? members->words[index & 15] : NONE;
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
	if (value == SET_FOREVER)
		return SET_HAS;
	if (value <= SET_OUT)
		return 0;
	if (bpf_ktime_get_boot_ns() / NSEC_PER_SEC < value)
		return SET_HAS | SET_HAS_FOR_NOW;
	return 0;
}

static __always_inline int set_walk(__u32 how, __u32 store, __u32 tree,
				    __u64 high, __u64 low)
{
	int value;

	if (!tree)
		return SET_UNCHANGED;
	if (HOW_FAMILY(how) == SET_IP4)
		return set_walk_4(store, tree, low);
	value = set_walk_8(store, tree, high);
	return value == SET_WIDER ? set_walk_16(store, tree, high, low) : value;
}

/*
 * Whether a set, or one of those that a list is made of, has an address, given
 * in two halves: SET_HAS*.  That tells the family here, and not in those who
 * ask: they are many, and the verifier follows each branch of theirs.  slot:
 * with the port beside the address, for sets of services.
 */
__noinline int set_has_address(__u32 slot, __u32 set, __u64 half0, __u64 half1)
{
	__u64 place, high = bpf_be64_to_cpu(half0);
	__u64 low = bpf_be64_to_cpu(half1);
	__u32 i, member = set, how;
	int value;

	how = HOW_SET(slot, high || low >> 32 != 0xffff ? SET_IP6 : SET_IP4);
	for (i = 0; i <= SET_MEMBERS_MAX; i++) {
		OPAQUE(how);
		place = set_place(how, member);
		value = set_walk(how, PLACE_STORE(place), PLACE_ROOT(place),
				 high, low);
		if (value == SET_UNCHANGED)
			value = set_walk(how, PLACE_STORE(place),
					 PLACE_HEAD(place), high, low);
		if (value < 0 && value != (int)SET_FOREVER)
			value = set_walk_4(PLACE_STORE(place),
					   value & ~SET_PORTS, HOW_PORT(how));
		value = set_value_holds(value);
		if (value)
			return value;
		member = set_member(how, set, i);
		if (member == NONE)
			break;
	}
	return 0;
}

/* The same for a port: as if it were the last bits of an IPv4 address. */
static __always_inline int set_has_port(__u32 slot, __u32 set, __u32 port)
{
	return set_has_address(slot, set, 0,
			       bpf_cpu_to_be64(0xffffULL << 32 | port));
}

#endif
