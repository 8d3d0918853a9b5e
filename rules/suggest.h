/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The known word that is nearest to one that is not known. */
#ifndef WEIR_RULES_SUGGEST_H
#define WEIR_RULES_SUGGEST_H

struct suggestion {
	const char *text; /* what was read */
	const char *word; /* the nearest so far; NULL: none is near */
	unsigned int distance;
};

void suggestion_begin(struct suggestion *suggestion, const char *text);

/* Both strings must live as long as the suggestion is used. */
void suggestion_try(struct suggestion *suggestion, const char *word);

#endif
