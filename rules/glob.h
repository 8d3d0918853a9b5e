/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of cgroup paths: *, ? and [a-z] or [!a-z], none of which matches
 * a '/'.  A pattern is compiled to tokens once; user space and BPF then
 * match with the very same function, so both mean the same cgroups.
 */
#ifndef WEIR_RULES_GLOB_H
#define WEIR_RULES_GLOB_H

#include "rules/glob_abi.h"

/*
 * Compiles an absolute pattern.  Returns -EINVAL for an unclosed [ or an
 * empty class, -E2BIG where it is too long or has too many classes.
 * group of the row is left 0.
 */
int glob_compile(const char *pattern, struct glob_row *ret_row);

/*
 * Whether the whole of path, which ends at length, fits: GLOB_FITS,
 * GLOB_FITS_NOT or GLOB_TOO_HARD.  path has GLOB_PATH_MAX bytes.
 */
int glob_match(const struct glob_row *row, const char *path, __u32 length);

/* Whether pattern has anything but plain characters. */
int glob_has_wildcards(const char *pattern);

#endif
