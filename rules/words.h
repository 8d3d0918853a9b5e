/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A value as words: separated by blanks or single commas, or "in quotes",
 * where \" and \\ stand for the characters themselves.
 */
#ifndef WEIR_RULES_WORDS_H
#define WEIR_RULES_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct word {
	const char *text;
	bool quoted;
	bool comma; /* stands before it */
};

struct words {
	char *storage; /* of their texts; behind the list */
	struct word *list;
	size_t n_list;
	size_t next; /* of those not yet taken */
};

/* -EINVAL with why, -ENOMEM with why, or 0: then to be cleared. */
int words_split(const char *text, struct words *ret_words, struct err *why);
void words_clear(struct words *words);

/* The next word, or NULL behind the last one. */
const struct word *words_peek(const struct words *words);

/* Whether the next word goes on with a list: a comma stands before it. */
bool words_comma(const struct words *words);

#endif
