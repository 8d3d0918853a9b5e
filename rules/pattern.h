/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a pattern of cgroup paths can be what its writer means. */
#ifndef WEIR_RULES_PATTERN_H
#define WEIR_RULES_PATTERN_H

#include "base/err.h"

/* Absolute, clean, not too long or deep, a glob that compiles.  -EINVAL. */
int pattern_check(const char *pattern, struct err *why);

#endif
