/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the packet in words share.  Only for sample*.c. */
#ifndef WEIR_RULES_SAMPLE_OWN_H
#define WEIR_RULES_SAMPLE_OWN_H

#include "rules/sample.h"

/* The words as they are taken, and what they have said so far. */
struct reading {
	char *const *words;
	size_t n, next;
	struct sample *sample;
	bool has_flags, has_state, has_length;
	struct err *why;
};

/* The next word, or NULL behind the last one. */
const char *reading_peek(const struct reading *reading);

/* Whether the next word is this one: it is then taken. */
bool reading_take(struct reading *reading, const char *word);

/* sample_end.c: [from] END [[to] END] */
int sample_read_ends(struct reading *reading, bool is_out);

/* Addresses that were not given are those of the family that mean any. */
void sample_ends_settle(struct sample *sample);

/* sample_word.c: a word, and its value. */
int sample_read_word(struct reading *reading);

/* sample_frame.c: the length of the IP header and the next. */
unsigned int sample_header(const struct sample *sample);

#endif
