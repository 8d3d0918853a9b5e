/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INI text as sections and keys with their lines.  iniparser parses; what it
 * would swallow, merge or fold silently is found beforehand, and reported,
 * by a walk over the lines.
 */
#ifndef WEIR_RULES_INI_H
#define WEIR_RULES_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "rules/problem.h"

/* A file beyond this is refused unread: it would take seconds. */
#define INI_SIZE_MAX (16UL << 20)

/* iniparser has room for 1023 bytes. */
#define INI_LINE_MAX 1000

struct ini_entry {
	const char *key;
	const char *value; /* "" where there is none */
	int line;
};

struct ini_section {
	const char *text; /* between the brackets */
	int line;
	size_t first, n; /* its entries */
	bool has_bad_lines;
};

struct ini {
	char *storage; /* what all strings point into */
	struct ini_section *sections;
	size_t n_sections;
	struct ini_entry *entries;
	size_t n_entries;
};

/*
 * Parses text, which becomes the ini's own, also on failure.  Lines that are
 * wrong are added to problems and left out; file is what they say.  The same
 * section may occur more than once: to be refused, as iniparser merges it.
 * -EINVAL where iniparser disagrees, -ENOMEM, or 0.
 */
int ini_parse(const char *file, char *text, size_t size,
	      struct problems *problems, struct ini **ret_ini);

void ini_free(struct ini *ini);
DEFINE_CLEANUP(struct ini *, ini_free);

#endif
