/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX 64

void suggestion_begin(struct suggestion *suggestion, const char *text)
{
	*suggestion = (struct suggestion){ .text = text, .distance = UINT_MAX };
}

/* One slip in three letters still looks like the word. */
static size_t slips_allowed(size_t length)
{
	return length > 9 ? 3 : (length + 2) / 3;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters have to be added, left out, replaced or swapped with
 * their neighbour; upper and lower case are the same letter.
 */
static unsigned int distance(const char *a, size_t n_a, const char *b,
			     size_t n_b)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];
	size_t i, j;

	for (j = 0; j <= n_b; j++)
		above[j] = j;
	memcpy(before, above, sizeof(rows[0]));
	for (i = 1; i <= n_a; i++) {
		unsigned int *free_row = before;

		row[0] = i;
		for (j = 1; j <= n_b; j++) {
			int c = tolower((unsigned char)a[i - 1]);
			int d = tolower((unsigned char)b[j - 1]);

			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (c != d));
			if (i > 1 && j > 1 &&
			    c == tolower((unsigned char)b[j - 2]) &&
			    d == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = free_row;
	}
	return above[n_b];
}

void suggestion_try(struct suggestion *suggestion, const char *word)
{
	size_t n_text = strlen(suggestion->text), n_word = strlen(word);
	size_t longer = n_text > n_word ? n_text : n_word;
	size_t shorter = n_text > n_word ? n_word : n_text;
	size_t allowed = slips_allowed(n_text);
	unsigned int found;

	if (longer > WORD_MAX || longer - shorter > allowed)
		return;
	found = distance(suggestion->text, n_text, word, n_word);
	if (found > allowed || found >= longer || found >= suggestion->distance)
		return;
	suggestion->distance = found;
	suggestion->word = word;
}
