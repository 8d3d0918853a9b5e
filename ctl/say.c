/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "ctl/command.h"

void say(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	fflush(stdout);
	fputs("weirctl: ", stderr);
	va_start(ap, fmt);
	errno = saved; /* for %m */
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int say_err(const struct err *err)
{
	say("%s", err->msg);
	return EXIT_REFUSED;
}
