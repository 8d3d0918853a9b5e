/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash of names, so that nothing is quadratic in the size of a policy.
 * Texts are borrowed: they must live as long as the hash.
 */
#ifndef WEIR_RULES_NAMES_H
#define WEIR_RULES_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct names {
	struct name *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t n_used;
	uint32_t seed;
};

#define NAME_UNKNOWN SIZE_MAX

/*
 * The same text in another scope is another name.  Returns 1 and the value
 * of the first one where it is there already, 0 where it was added now, or
 * -ENOMEM.  value is not NAME_UNKNOWN.
 */
int names_add(struct names *names, unsigned int scope, const char *text,
	      size_t value, size_t *ret_first);

/* The value, or NAME_UNKNOWN. */
size_t names_find(const struct names *names, unsigned int scope,
		  const char *text);

void names_clear(struct names *names);

#endif
