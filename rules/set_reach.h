/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far elements reach: so those which reach an address are found without
 * going through all that begin before it.  Only for the makers of stores.
 */
#ifndef WEIR_RULES_SET_REACH_H
#define WEIR_RULES_SET_REACH_H

#include "rules/set_tree.h"

/* Appends what set_abi.h says of it; *ret_first: its line.  -ENOSPC, -ENOMEM.
 */
int reach_make(struct set_lines *lines, unsigned int family,
	       const struct element_list *elements, uint32_t *ret_first);

/* How many lines that is, of n elements. */
uint32_t reach_lines(unsigned int family, uint32_t n);

/*
 * Calls add for each of the head's elements below index that may reach an
 * address, and for some that do not; one that was made without reach is asked
 * for all.  What add returns below 0 ends it.
 */
int reach_each(const struct set_lines *lines, const struct set_head *head,
	       unsigned int family, uint32_t index, span_end address,
	       int (*add)(void *data, uint32_t i), void *data);

#endif
