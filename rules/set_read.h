/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements of a set, from words and from files. */
#ifndef WEIR_RULES_SET_READ_H
#define WEIR_RULES_SET_READ_H

#include "rules/policy.h"
#include "rules/problem.h"

/* A file beyond this is refused: some three million networks. */
#define SET_FILE_MAX (64UL << 20)

/*
 * Reads one element, as the set may hold it: of one that is said to hold
 * interfaces, a name; of one that holds something, no other kind.  -EINVAL, and
 * why says what would do; -ENOMEM.
 */
int set_parse(const struct set *set, const char *text,
	      struct element *ret_element, unsigned int *ret_family,
	      unsigned int *ret_kind, struct err *why);

/*
 * Adds one element, with a timeout or 0.  -EINVAL, and why says what would do;
 * -ENOMEM.
 */
int set_add_text(struct set *set, const char *text, uint32_t seconds,
		 struct err *why);

/*
 * Adds the elements that a text of `size` bytes has, one a line; text is
 * changed, file is what errors say.  -EINVAL where there were some, -ENOMEM.
 */
int set_add_lines(struct set *set, const char *file, char *text, size_t size,
		  struct problems *problems);

#endif
