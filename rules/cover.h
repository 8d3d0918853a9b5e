/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a rule leaves anything over for another behind it. */
#ifndef WEIR_RULES_COVER_H
#define WEIR_RULES_COVER_H

#include <stdbool.h>

#include "rules/policy.h"

/* A rule, with the jumps that lead to it: all of them match. */
struct facts {
	const struct rule *list[1 + JUMPS_MAX];
	size_t n_list;
	bool leads_to_lo; /* a jump to rules that may name lo */
};

/*
 * Whether each packet that matches b matches a, too, whatever the sets that
 * they name will hold.  False where it cannot be told.  Malformed packets,
 * which rules that allow never match, do not count.
 */
bool facts_cover(const struct facts *a, const struct facts *b);

/* Likewise, of what nothing leads to but the beginning of a chain. */
bool rule_covers(const struct rule *a, const struct rule *b);

/* What that is about as ranges: those of a must be among those of b. */
bool networks_within(const struct network *a, size_t n_a,
		     const struct network *b, size_t n_b);
bool ports_within(const struct port_range *a, size_t n_a,
		  const struct port_range *b, size_t n_b);

#endif
