/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/say.h"

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

/* line: NULL where there was no memory for it. */
static void print_text(FILE *out, const char *before, const char *line)
{
	AUTO_FREE char *printable = NULL;

	if (line && !is_plain(line))
		line = printable = utf8_printable(line);
	fputs_unlocked(before, out);
	fputs_unlocked(line ? line : "out of memory", out);
	putc_unlocked('\n', out);
}

static void print_line(FILE *out, const char *before, const char *fmt,
		       va_list ap)
{
	AUTO_FREE char *line = NULL;

	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	print_text(out, before, line);
}

void show_text(const char *line)
{
	print_text(stdout, "", line);
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
