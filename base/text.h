/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text that is put together piece by piece.  Short ones need no memory
 * until they are taken: a memstream would take longer to set up than a rule
 * to write.
 */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *bytes; /* NULL: they are in few */
	size_t n, room;
	bool failed; /* no memory */
	char few[192];
};

void text_begin(struct text *text);
void text_add(struct text *text, const char *bytes, size_t n);
void text_put(struct text *text, const char *string);
void text_char(struct text *text, char c);
void text_number(struct text *text, uint32_t number);
void text_hex(struct text *text, uint32_t number);

/* Ends it: *ret_string is what was put together.  -ENOMEM. */
int text_take(struct text *text, char **ret_string);

/* Writes the number and a NUL: up to 11 bytes.  Where the NUL is. */
char *number_format(uint32_t number, char *ret_text);

/* What is compared with many words mostly differs in the first letter. */
static inline bool text_equal(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

#endif
