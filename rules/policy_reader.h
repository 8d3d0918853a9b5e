/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the policy reader share.  Only rules/ uses it. */
#ifndef WEIR_RULES_POLICY_READER_H
#define WEIR_RULES_POLICY_READER_H

#include "rules/ini.h"
#include "rules/keys.h"
#include "rules/names.h"
#include "rules/policy.h"

/* The name of a chain in a group or device; it may be defined later on. */
struct reference {
	struct where where;
	const char *key;
	const char *chain;
};

/* A pattern of a group, and where it stands. */
struct matched {
	struct where where;
	size_t group;
	const char *pattern;
};

struct numbered {
	uint32_t number;
	int line;
};

struct reader {
	struct policy *policy;
	struct problems *problems;
	struct where where; /* of the key that is being read */
	const char *key;
	struct names names; /* scope: enum section_kind; value: index */
	struct reference *references;
	size_t n_references;
	struct matched *matches;
	size_t n_matches;
	/* Of the chain that is being read: rules, and what they say. */
	struct numbered *rules;
	size_t n_rules;
	const char **texts;
	size_t n_texts;
	size_t n_suggestions; /* words tried, to keep errors cheap */
};

/* Adds "key: text" at the line of the key.  -EINVAL. */
int reader_error(struct reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* policy_section.c: -ENOMEM or 0, problems being added to what reader has. */
int section_read(struct reader *reader, const struct ini *ini,
		 const struct ini_section *section);

/* section_check.c: adds what is wrong with a section as a whole. */
void section_check(struct reader *reader, const struct ini *ini,
		   const struct ini_section *section, enum section_kind kind,
		   const char *name, void *object);

/*
 * set_read.c: adds one element, whose errors are put at where.  key, or NULL,
 * stands before them.  -EINVAL, -ENOMEM or 0.
 */
int set_add(struct reader *reader, struct set *set, const struct where *where,
	    const char *key, const char *text);

/* Adds the elements of a file, relative to the one that is being read. */
int set_add_file(struct reader *reader, struct set *set, const char *path);

/* share_check.c: what groups ask of devices, when all files have been read. */
void share_check(struct reader *reader);

/*
 * policy_jumps.c: where jumps lead, and whether chains have the policy that
 * they need; before anything is sorted.  -ENOMEM.
 */
int jumps_check(struct reader *reader);

/* policy_check.c: the nearest name of a chain to one that is none, or NULL. */
const char *policy_nearest_chain(struct reader *reader, const char *wanted);

/* policy_check.c: what can be judged when all files have been read. */
int policy_check(struct reader *reader);

#endif
