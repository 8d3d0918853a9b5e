/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of INI text: what it is, and what iniparser would do to it. */
#ifndef WEIR_RULES_INI_LINE_H
#define WEIR_RULES_INI_LINE_H

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

#endif
