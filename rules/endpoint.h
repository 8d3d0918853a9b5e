/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and sets as a list that something is about: in rules, in limits. */
#ifndef WEIR_RULES_ENDPOINT_H
#define WEIR_RULES_ENDPOINT_H

#include "base/err.h"
#include "base/text.h"
#include "rules/policy.h"

/* An address, a network, a range or @set.  -EINVAL or -ENOMEM with why. */
int endpoint_add_address(struct endpoint *endpoint, const char *text,
			 struct err *why);

/* Adds the name behind '@' to the array *names of *n. */
int endpoint_add_set(const char *text, char ***names, size_t *n,
		     struct err *why);

/* Brings its lists into order, without what is there twice. */
void endpoint_sort(struct endpoint *endpoint);

/* Brings names of sets into order, each once. */
void endpoint_sort_sets(char **names, size_t *n);

/* Addresses and sets, with commas. */
void endpoint_put_addresses(const struct endpoint *endpoint, struct text *out);

void endpoint_clear(struct endpoint *endpoint);

#endif
