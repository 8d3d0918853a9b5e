/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the classifier's builder share. */
#ifndef WEIR_RULES_CLASS_OWN_H
#define WEIR_RULES_CLASS_OWN_H

#include "rules/class.h"

/* What a key is made of. */
enum {
	DIM_SRC,
	DIM_DST,
	DIM_SPORT,
	DIM_DPORT,
	DIM_PROTOCOL,
	N_DIMS
};

/*
 * A box, to be put into a node: the key that its packets have, as far as the
 * first lens[] bits of each dimension go.  The protocol's are 0 or 8.
 */
struct item {
	struct class_key key;
	uint8_t lens[N_DIMS];
	uint32_t box;
};

/* Of every dimension the first bits. */
struct split {
	uint8_t lens[N_DIMS];
};

/* So few are best told apart by looking at each. */
#define CLASS_LEAF 6

/* Fills in the node's masks. */
void split_mask(const struct split *split, int family, struct class_node *node);

uint64_t item_hash(const struct item *item, const struct class_node *node,
		   int family);

bool split_covers(const struct split *split, const struct item *item);

/*
 * Which bits tell the items apart best, for how many of them they are given.
 * False where none do.
 */
bool split_choose(const struct item *items, size_t n, int family,
		  struct split *ret_split);

#endif
