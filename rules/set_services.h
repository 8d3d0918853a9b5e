/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intervals of addresses with ports; only for the makers of stores. */
#ifndef WEIR_RULES_SET_SERVICES_H
#define WEIR_RULES_SET_SERVICES_H

#include "rules/set_tree.h"

struct port_tree {
	uint64_t hash;
	size_t first, n; /* in steps */
	uint32_t line;
};

/* The trees of ports that were made; to be cleared. */
struct port_trees {
	struct steps steps; /* of all */
	struct port_tree *list;
	size_t n_list;
	uint32_t *slots; /* by hash: index in list + 1, or 0 */
	size_t n_slots;
};

void port_trees_clear(struct port_trees *trees);

/*
 * As steps_add_elements, of services: the values are trees of their ports,
 * which lines get.  -E2BIG where they overlap too much (store_overlaps_max),
 * -ENOSPC, -ENOMEM.
 */
int services_add_steps(struct set_lines *lines, struct port_trees *trees,
		       struct steps *steps, const struct element_list *elements,
		       span_end first, span_end last, uint32_t now);

#endif
