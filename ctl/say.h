/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines for people.  They may have names that anybody has given to a cgroup,
 * so nothing of them moves the cursor: see utf8_printable.
 */
#ifndef WEIR_CTL_SAY_H
#define WEIR_CTL_SAY_H

#include "base/err.h"

/* One line of the answer, on standard output. */
void show(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Likewise, a text as it is; NULL stands for no memory. */
void show_text(const char *line);

/* One sentence on standard error: "weirctl: …". */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says what is in err; returns EXIT_REFUSED. */
int say_err(const struct err *err);

#endif
