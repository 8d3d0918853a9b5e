/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two policies, read from their images. */
#ifndef WEIR_RULES_IMAGE_DIFF_H
#define WEIR_RULES_IMAGE_DIFF_H

#include "base/cleanup.h"
#include "rules/image.h"

enum change_action {
	CHANGE_ADD,
	CHANGE_ALTER,
	CHANGE_REMOVE,
};

struct change {
	enum change_action action;
	const char *object; /* "group", "device", "chain", "rule", "set", … */
	char *name;	    /* and the detail, in one piece of memory */
	char *detail;	    /* what it will be, or was when it is removed */
};

struct changes {
	struct change *list;
	size_t n_list;
};

void changes_clear(struct changes *changes);

/* Adds one; detail is a format.  -ENOMEM. */
int change_add(struct changes *changes, enum change_action action,
	       const char *object, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Likewise, of a detail that is a text. */
int change_add_text(struct changes *changes, enum change_action action,
		    const char *object, const char *name, const char *detail);

/*
 * Adds what turns the policy of `old` into that of `new`: groups, devices
 * (not containers' veths), chains with their rules, sets.  -ENOMEM.
 */
int image_diff(const struct image *old, const struct image *new,
	       struct changes *changes);

/* Whether all tables are equal: nothing to write at all. */
int image_same(const struct image *a, const struct image *b);

#endif
