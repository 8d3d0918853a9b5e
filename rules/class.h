/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building the classifier of a chain (rules/class_abi.h) from what its rules
 * fit.  Only for compile*.c and tests.
 */
#ifndef WEIR_RULES_CLASS_H
#define WEIR_RULES_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/image.h"

typedef unsigned __int128 class_address;

/* Inclusive. */
struct class_range {
	class_address first, last; /* IPv4: below 2^32 */
};

/*
 * What a rule fits of one family's packets: everything within.  One that has
 * lists is several boxes.  Of IPv6 each range is a prefix.
 */
struct class_box {
	struct class_range src, dst;
	uint16_t sport_first, sport_last; /* 0 to 65535: any */
	uint16_t dport_first, dport_last;
	uint32_t index;	  /* of the rule in its chain */
	uint32_t counter; /* of the rule */
	uint8_t family;	  /* 4 or 6 */
	uint8_t protocol; /* 0 where bits has no ENTRY_PROTOCOL */
	uint8_t bits;	  /* ENTRY_* */
};

struct class_boxes {
	struct class_box *list; /* by index */
	size_t n_list;
};

void class_boxes_clear(struct class_boxes *boxes);

/* What the worst of all packets may take. */
struct class_worst {
	uint32_t nodes;	   /* that it comes to */
	uint32_t confirms; /* rules that an entry leaves open */
};

/*
 * Adds the nodes, buckets and entries to image for those boxes that are of
 * the family; without_source: as if their rules did not look at the source.
 * The same boxes give the same bytes.  *ret_root: a node, or NONE without a
 * box.  -ENOMEM, or -E2BIG where the tables cannot hold as much.
 */
int class_build(const struct class_boxes *boxes, int family,
		bool without_source, struct image *image, uint32_t *ret_root,
		struct class_worst *ret_worst);

/* The bits that all addresses of a range begin with, of its family's. */
unsigned int class_range_bits(const struct class_range *range, int family);

#endif
