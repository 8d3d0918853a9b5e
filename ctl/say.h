/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sentence for people, on standard error: "weirctl: …". */
#ifndef WEIR_CTL_SAY_H
#define WEIR_CTL_SAY_H

#include "base/err.h"

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says what is in err; returns EXIT_REFUSED. */
int say_err(const struct err *err);

#endif
