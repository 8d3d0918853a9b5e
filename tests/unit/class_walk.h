/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classifier's look-up in plain C, over the tables of an image. */
#ifndef WEIR_TESTS_UNIT_CLASS_WALK_H
#define WEIR_TESTS_UNIT_CLASS_WALK_H

#include "rules/image.h"

struct class_count {
	size_t nodes, entries; /* that a search came to */
};

/*
 * The place of the entry whose rule is the first that fits the key, of rules
 * from `from` on; NONE.  count may be NULL.
 */
uint32_t class_walk(const struct image *image, uint32_t root, int is_ip6,
		    const struct class_key *key, uint32_t refused,
		    uint32_t from, struct class_count *count);

#endif
