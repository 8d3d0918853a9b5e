/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this kernel can keep packets until their departure times. */
#ifndef WEIR_CTL_DEPARTURES_H
#define WEIR_CTL_DEPARTURES_H

#include "base/err.h"
#include "rules/image.h"

/*
 * Refuses (-EOPNOTSUPP) an image that asks for them where the kernel has no fq,
 * by the name of who asks.  It is tried, unless the image in force asks too.
 */
int departures_check(const struct image *image, const struct image *live,
		     struct err *err);

#endif
