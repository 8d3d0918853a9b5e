/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WEIR_RULES_IMAGE_STRINGS_H
#define WEIR_RULES_IMAGE_STRINGS_H

#include "rules/image.h"

/*
 * Drops the strings that no row names any more: a policy that is changed
 * again and again must not grow.  The others stay in their order, and those
 * before the first that is dropped where they are.  -ENOMEM.
 */
int image_pack_strings(struct image *image);

#endif
