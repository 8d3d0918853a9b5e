/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of adhoc.h share.  Only for adhoc*.c. */
#ifndef WEIR_RULES_ADHOC_OWN_H
#define WEIR_RULES_ADHOC_OWN_H

#include "rules/adhoc.h"

const char *adhoc_group_name(const struct image *image, size_t index);

/*
 * Adds a group with this row, but for what its name and path say.  A uid of 0
 * stands for a new one.
 */
int adhoc_add_group(struct image *image, const struct group_row *like,
		    const char *name, const char *path, struct err *err);

#endif
