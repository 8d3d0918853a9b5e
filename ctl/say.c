/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "ctl/command.h"

/* Whether each byte is an ASCII character that stands for itself. */
static bool is_plain(const char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || (unsigned char)*line > '~')
			return false;
	return true;
}

static void print_line(FILE *out, const char *before, const char *fmt,
		       va_list ap)
{
	AUTO_FREE char *longer = NULL, *printable = NULL;
	char few[512];
	const char *line = few;
	int n, saved = errno; /* for %m */
	va_list again;

	va_copy(again, ap);
	n = vsnprintf(few, sizeof(few), fmt, ap);
	if (n < 0 || (size_t)n >= sizeof(few)) {
		errno = saved;
		if (vasprintf(&longer, fmt, again) < 0)
			longer = NULL;
		line = longer;
	}
	va_end(again);
	if (line && !is_plain(line))
		line = printable = utf8_printable(line);
	fputs(before, out);
	fputs(line ? line : "out of memory", out);
	putc('\n', out);
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
