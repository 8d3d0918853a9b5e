/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sections and keys of the policy file, as tables: parsing, "unknown
 * key" and the manual's completeness test come from them.
 */
#ifndef WEIR_RULES_KEYS_H
#define WEIR_RULES_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct reader;

enum section_kind {
	SECTION_GROUP,
	SECTION_DEVICE,
	SECTION_CHAIN,
	SECTION_SET,
	N_SECTIONS,
};

struct key {
	const char *name;
	const char *wants; /* "a rate such as 10mbit" */
	size_t offset;	   /* of what parse fills in, in the section's struct */
	int (*parse)(struct reader *reader, const char *value, void *field);
};

struct section {
	const char *name;
	const struct key *keys; /* ends with a NULL name */
	bool numbered;		/* numbers are keys as well: rules */
};

extern const struct section sections[N_SECTIONS];

/* The key of that name, or NULL. */
const struct key *key_find(enum section_kind kind, const char *name);

#endif
