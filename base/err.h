/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function that can fail returns a negative errno.  One whose failure a
 * user will read about takes a struct err last and fills it in on failure,
 * and only then: one sentence, without a final stop or newline.
 */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

#include <errno.h>

struct err {
	char msg[512];
};

/* errno as a value that an analyser can prove negative. */
static inline int neg_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

/* "what was done to what: " and the text of the code.  Returns the code. */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A whole sentence of our own, where the code's text would not help. */
int err_say(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "outer step: " before what is there already.  Returns the code. */
int err_wrap(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
