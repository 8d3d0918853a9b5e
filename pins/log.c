/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libbpf gives its callback no data to carry. */
static struct log *current;

/* Its last line says why, but for those that only say that it failed. */
static int keep_line(enum libbpf_print_level level, const char *fmt,
		     va_list args)
{
	char text[16384], *line, *rest = text;

	if (level != LIBBPF_WARN || !current)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line || strncmp(line, "processed ", 10) == 0 ||
		    strstr(line, "PROG LOAD LOG") ||
		    strstr(line, "failed to load") ||
		    strstr(line, "failed to pin"))
			continue;
		snprintf(current->last, sizeof(current->last), "%.399s", line);
	}
	return 0;
}

void log_begin(struct log *log)
{
	*log = (struct log){ .before = libbpf_set_print(keep_line) };
	current = log;
}

void log_end(struct log *log)
{
	current = NULL;
	libbpf_set_print(log->before);
}

int log_set(const struct log *log, struct err *err, int code, const char *what)
{
	if (!log->last[0])
		return err_set(err, code, "%s", what);
	return err_set(err, code, "%s: %s", what, log->last);
}
