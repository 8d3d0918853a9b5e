/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiling the text of a policy, for tests; all assert that they succeed. */
#ifndef WEIR_TESTS_UNIT_COMPILE_TEXT_H
#define WEIR_TESTS_UNIT_COMPILE_TEXT_H

#include "rules/compile.h"

/* Beside live, or NULL; to be freed. */
struct image *compile_text(const char *text, const struct image *live);

/* The text of the only problem that compiling makes; to be freed. */
char *compile_text_wrong(const char *text);

#endif
