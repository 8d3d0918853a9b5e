/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of INI text: what it is, and what iniparser would do to it. */
#ifndef WEIR_RULES_INI_LINE_H
#define WEIR_RULES_INI_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/lines.h"
#include "rules/problem.h"

struct ini_line {
	char *section; /* not NULL: "[section]" */
	char *key;     /* not NULL: "key = value" */
	char *value;   /* without its comment */
};

/*
 * Splits a line in place.  Both section and key are NULL for a blank line or
 * a comment.  Returns 0, or -EINVAL with the problem added.
 */
int ini_line_split(const struct lines *lines, const char *file,
		   struct problems *problems, struct ini_line *ret_line);

/*
 * A number as key, and as value letters, digits, blanks and .,:/@-_ alone: a
 * line in which nothing can be wrong, and which no two readers of INI text
 * take for different things.  Most rules are such.
 */
bool ini_line_is_plain(const struct lines *lines);

/* As ini_line_split, of such a line. */
void ini_line_split_plain(const struct lines *lines, struct ini_line *ret_line);

/* Whether it is one of 32 bits, written in the one way that there is. */
bool ini_key_is_number(const char *key, uint32_t *ret_number);

#endif
