/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a rule leaves anything over for another behind it. */
#ifndef WEIR_RULES_COVER_H
#define WEIR_RULES_COVER_H

#include <stdbool.h>

#include "rules/policy.h"

/*
 * Whether each packet that matches b matches a, too, whatever the sets that
 * they name will hold.  False where it cannot be told.  Malformed packets,
 * which rules that allow never match, do not count.
 */
bool rule_covers(const struct rule *a, const struct rule *b);

/* What that is about as ranges: those of a must be among those of b. */
bool networks_within(const struct network *a, size_t n_a,
		     const struct network *b, size_t n_b);
bool ports_within(const struct port_range *a, size_t n_a,
		  const struct port_range *b, size_t n_b);

#endif
