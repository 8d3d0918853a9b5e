/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of an image in words, as the plan and status show them. */
#ifndef WEIR_RULES_DESCRIBE_H
#define WEIR_RULES_DESCRIBE_H

#include <stddef.h>

#include "rules/image.h"

/*
 * Three lines of INI_LINE_MAX bytes: of patterns, a blank more for each, and of
 * limits by address, with a burst for each; and what follows.  A text that is
 * cut would hide a change.
 */
#define DESCRIBE_MAX 6144

/* "pace", "edt", "htb", "police", or "-". */
const char *describe_shape(unsigned int shape);
const char *describe_verdict(unsigned int verdict);
const char *describe_priority(unsigned int priority);

/* Its patterns, then "out 200mbit (burst 250kb) by pace, filter-in web-in". */
void describe_group(const struct image *image, const struct group_row *group,
		    char ret_text[static DESCRIBE_MAX]);
void describe_device(const struct image *image, const struct device_row *device,
		     char ret_text[static DESCRIBE_MAX]);

/* "eth0", or "eth0 in netns x". */
void describe_device_name(const struct image *image,
			  const struct device_row *device,
			  char ret_text[static DESCRIBE_MAX]);

#endif
