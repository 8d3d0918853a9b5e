/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a policy: every error of every file, collected, and
 * shown together as "file:line: error: text", by file and line.
 */
#ifndef WEIR_RULES_PROBLEM_H
#define WEIR_RULES_PROBLEM_H

#include <stddef.h>
#include <stdio.h>

struct problem {
	char *file;
	int line; /* 0: the file as a whole */
	char *text;
};

struct problems {
	struct problem *list;
	size_t n_list;
	size_t n_left_out; /* beyond PROBLEMS_MAX they are only counted */
};

#define PROBLEMS_MAX 1000

/* Adds one.  Returns -EINVAL, so that a reader can return it. */
int problem_add(struct problems *problems, const char *file, int line,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By file in the order first seen, then by line. */
void problems_sort(struct problems *problems);
void problems_print(const struct problems *problems, FILE *out);

/* As "file:line: warning: text": what is wrong with it stops nothing. */
void problems_print_warnings(const struct problems *warnings, FILE *out);
void problems_clear(struct problems *problems);

#endif
