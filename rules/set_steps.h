/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What elements that overlap come to: intervals, one after the other, each with
 * the value of set_abi.h that it has.  Only for the makers of stores.
 */
#ifndef WEIR_RULES_SET_STEPS_H
#define WEIR_RULES_SET_STEPS_H

#include "rules/element.h"

/* From behind the one before it, or from 0. */
struct step {
	span_end last;
	uint32_t value;
};

struct steps {
	struct step *list;
	size_t n_list;
};

void steps_clear(struct steps *steps);

/* Neighbours of the same value become one.  -ENOMEM. */
int steps_add(struct steps *steps, span_end last, uint32_t value);

/*
 * Adds what sorted elements make of the addresses from first, where steps end
 * so far, to last: SET_OUT, or the longest that some element there lasts.
 * Those that ended at now are none.  -ENOMEM.
 */
int steps_add_elements(struct steps *steps, const struct element_list *elements,
		       span_end first, span_end last, uint32_t now);

#endif
