/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WEIR_RULES_IMAGE_COPY_H
#define WEIR_RULES_IMAGE_COPY_H

#include "rules/image.h"

/* Another image with the same rows.  -ENOMEM. */
int image_copy(const struct image *image, struct image **ret_copy);

#endif
