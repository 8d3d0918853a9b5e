/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that never get a packet, as one above them takes all of it. */
#ifndef WEIR_RULES_SHADOW_H
#define WEIR_RULES_SHADOW_H

#include <stdint.h>

#include "rules/policy.h"

#define SHADOW_NONE UINT32_MAX

/*
 * Fills in, for each rule of the chain, the index of the first above it that
 * covers it (rules/cover.h), or SHADOW_NONE.  Rules are found by what they ask
 * for, not held against each other; where that takes too long all the same,
 * *ret_given_up is the index of the first that was not looked at, else n_rules.
 * -ENOMEM.
 */
int shadow_find(const struct chain *chain, uint32_t *ret_above,
		size_t *ret_given_up);

#endif
