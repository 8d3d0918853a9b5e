/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store: the elements of a set, as lines of 64 bytes in an array that user
 * space maps.  Line 0 is a head; a store with the lists of rules has many heads
 * (set_row.head).  What packets look up are trees:
 *
 * A tree says which value the interval has that a key lies in.  Its keys are
 * the last address of each interval but the last one, ascending; so the rank of
 * a key, the number of keys below it, is the number of its interval.  The keys
 * lie in blocks of a line each, filled up with ones, and over each layer of
 * blocks is one that has, for each child of a block but its last, the greatest
 * key below that child.  Block b of a layer has children b * (keys + 1) + 0 …
 * in the next, so no pointers are needed, and no line is more than half empty
 * but the last of a layer.
 *
 * Only user space writes, and nothing that a head leads to is written twice:
 * a change goes to lines that are free, and one store of head.root makes
 * packets see it.  Where no more are free a new store takes the old one's
 * place.
 */
#ifndef WEIR_RULES_SET_ABI_H
#define WEIR_RULES_SET_ABI_H

#include <linux/types.h>

/* What a head, a root and a list are indexed with. */
enum {
	SET_IP4,
	SET_IP6,
	SET_FAMILIES,
};

/* The value of an interval: one of these, or the second until it is in. */
enum {
	SET_UNCHANGED = 0, /* of a root: ask the tree of the head */
	SET_OUT = 1,
};

#define SET_FOREVER 0xffffffffU /* the number below it is no value */

/*
 * Seconds are those of CLOCK_BOOTTIME; an element is in before its own.  What
 * has this bit is none, but the line of another tree: that of the ports which
 * are in beside the addresses of the interval.
 */
#define SET_PORTS 0x80000000U

/*
 * What a set holds: set_row.kind.  Services are addresses with ports.  Ports
 * count as IP4; names of interfaces as IP6, with their bytes: struct
 * iface_name.
 */
enum {
	SET_OF_NETWORKS,
	SET_OF_PORTS,
	SET_OF_SERVICES,
	SET_OF_INTERFACES,
	SET_KINDS,
};

struct set_head {
	__u32 root;		    /* line of a root; 0: no changes */
	__u32 trees[SET_FAMILIES];  /* lines of trees; 0: nothing is in */
	__u32 lists[SET_FAMILIES];  /* first lines of elements, as written */
	__u32 counts[SET_FAMILIES]; /* of them, by first and last address */
	/* First lines of when they end, 16 to a line; 0: none ends. */
	__u32 untils[SET_FAMILIES];
	__u32 free;    /* first line that is, as long as root is 0 */
	__u32 changed; /* 1: not what the policy's files say */
	__u32 kind;    /* SET_OF_* */
	/* Of services: first lines of their ports, as set_log has them. */
	__u32 ports[SET_FAMILIES];
	/*
	 * First lines of how far they reach, for who makes changes: the
	 * greatest last address of each 16, of IPv6 the upper half, then the
	 * greatest of each line of these, and so on up to one.  0: not known.
	 */
	__u32 reaches[SET_FAMILIES];
};

/* What has changed since the head was made. */
struct set_root {
	__u32 trees[SET_FAMILIES]; /* what they call unchanged is so */
	__u32 log;		   /* line of the last change; 0: none */
	__u32 n_log;
	__u32 free; /* first line that is */
	__u32 pad[11];
};

/* An element that was added, or deleted, with those before it. */
struct set_log {
	__u32 before; /* line; 0: the first */
	__u16 family; /* SET_IP4, SET_IP6 */
	__u16 is_add;
	__u32 until; /* SET_FOREVER, or seconds */
	__u32 ports; /* of a service: the first << 16, and the last */
	__u64 first[2], last[2]; /* the upper half first */
	__u64 pad2[2];
};

#define SET_LAYERS_MAX 11

struct set_tree {
	__u32 width; /* of a key: 4, 8 (the upper half of 16) or 16 bytes */
	__u32 n_keys;
	__u32 values; /* first line, 16 to a line; 0: they alternate */
	__u32 first;  /* where they alternate: 1 if the first interval is in */
	__u32 n_layers;
	__u32 layers[SET_LAYERS_MAX]; /* first line of each, the root's first */
};

union set_line {
	__u32 words[16];
	__u64 longs[8];
	struct set_head head;
	struct set_root root;
	struct set_log log;
	struct set_tree tree;
};

_Static_assert(sizeof(union set_line) == 64, "a line of a processor's cache");

/* Elements of SET_IP4 are two words, of SET_IP6 four longs, in host order. */
#define SET_PER_LINE(family) ((family) == SET_IP4 ? 8 : 2)

/* Named sets that one list in a rule can have: their rows, in one line. */
#define SET_MEMBERS_MAX 16

/* All stores, those of the policy before among them. */
#define STORES_MAX 16384

/* Of a store.  A number of 64 bits has room for a store and two of its lines.
 */
#define SET_LINES_MAX (1U << 25)

#endif
