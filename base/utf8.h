/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters of texts that others wrote. */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include <stdbool.h>

/*
 * Takes one character from *pp, which ends before end.  Returns its code, or
 * -1 where it is no UTF-8; *pp stays there then.
 */
int utf8_take(const unsigned char **pp, const unsigned char *end);

/* What moves a terminal's cursor; a tab does no harm. */
bool utf8_is_control(int code);

/* What makes a text look like another one. */
bool utf8_is_invisible(int code);

/*
 * A copy that can be shown anywhere: what is no UTF-8, a control character or
 * invisible is written as "\xff", byte by byte.  A backslash stays one, as
 * names of systemd's have some.  NULL: no memory.
 */
char *utf8_printable(const char *text);

#endif
