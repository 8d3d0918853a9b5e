/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "ctl/command.h"

static void print_line(FILE *out, const char *before, const char *fmt,
		       va_list ap)
{
	AUTO_FREE char *line = NULL, *printable = NULL;

	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	if (line)
		printable = utf8_printable(line);
	fprintf(out, "%s%s\n", before, printable ? printable : "out of memory");
}

void show(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(stdout, "", fmt, ap);
	va_end(ap);
}

void say(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	errno = saved; /* for %m */
	print_line(stderr, "weirctl: ", fmt, ap);
	va_end(ap);
}

int say_err(const struct err *err)
{
	say("%s", err->msg);
	return EXIT_REFUSED;
}
