/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a plan shows in the tables alone: neither in the policy's words nor
 * in steps. */
#ifndef WEIR_CTL_PLAN_TABLES_H
#define WEIR_CTL_PLAN_TABLES_H

#include "rules/image_diff.h"

/*
 * Adds who shares a device's limit now, or does no more, whose own limit waits
 * there, rules whose interface is another device now, and interfaces that rules
 * know by name.  Both images are sorted.  -ENOMEM.
 */
int plan_list_tables(const struct image *live, const struct image *image,
		     struct changes *changes);

#endif
