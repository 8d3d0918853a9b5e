/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text files, read whole and bounded, line by line: LF or CRLF, a byte order
 * mark or none, clean UTF-8.  What else is in a line is a problem.
 */
#ifndef WEIR_RULES_LINES_H
#define WEIR_RULES_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rules/problem.h"

/* So long may it take until something opens a FIFO to write to it. */
#define TEXT_FIFO_SECONDS 5

/*
 * Reads what path names, "-" being standard input, up to max bytes; a pipe
 * is read to its end, however long that takes.  *ret_text has a NUL behind
 * the last byte and is to be freed.
 */
int text_read(const char *path, size_t max, char **ret_text, size_t *ret_size,
	      struct err *err);

/* Likewise, but nothing that could block or has no end: a plain file. */
int text_read_plain(const char *path, size_t max, char **ret_text,
		    size_t *ret_size, struct err *err);

struct lines {
	char *next, *end;
	int number; /* of the line last given out, from 1 */
	char *line; /* it: without blanks around it, NUL-terminated */
	size_t n_line;
};

/* Behind a byte order mark.  text is changed while it is walked. */
void lines_begin(struct lines *lines, char *text, size_t size);

/* Goes to the next line; false behind the last one. */
bool lines_next(struct lines *lines);

/* Adds what is wrong with the bytes of the line: 0 or -EINVAL. */
int line_check(const struct lines *lines, const char *file,
	       struct problems *problems);

/* UTF-16 is recognized, to be refused once and not on every line. */
bool text_is_utf16(const char *text, size_t size);

#endif
