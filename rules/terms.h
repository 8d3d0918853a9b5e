/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that rules have for numbers in packets. */
#ifndef WEIR_RULES_TERMS_H
#define WEIR_RULES_TERMS_H

#include "rules/suggest.h"

struct term {
	const char *name;
	unsigned int value;
};

/*
 * Each ends with a NULL name.  Where a value has several names, the first
 * one is what is printed.
 */
extern const struct term protocol_terms[];
extern const struct term icmp_terms[];
extern const struct term icmp6_terms[];
extern const struct term dscp_terms[];
extern const struct term flag_terms[];	  /* TCP, the values are bits */
extern const struct term state_terms[];	  /* STATE_* */
extern const struct term verdict_terms[]; /* VERDICT_*, of a policy */
extern const struct term action_terms[];  /* … and of a rule */

const struct term *term_find(const struct term *terms, const char *name);

/* The name of a value, or NULL. */
const char *term_name(const struct term *terms, unsigned int value);

void terms_suggest(const struct term *terms, struct suggestion *suggestion);

#endif
