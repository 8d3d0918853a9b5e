/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

int problem_add(struct problems *problems, const char *file, int line,
		const char *fmt, ...)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *text = NULL;
	struct problem *problem = NULL;
	va_list ap;

	if (problems->n_list < PROBLEMS_MAX) {
		va_start(ap, fmt);
		if (vasprintf(&text, fmt, ap) < 0)
			text = NULL;
		va_end(ap);
		name = strdup(file);
		if (name && text)
			problem = ARRAY_ADD(problems, list);
	}
	if (!problem) {
		problems->n_left_out++;
		return -EINVAL;
	}
	problem->file = TAKE_PTR(name);
	problem->line = line;
	problem->text = TAKE_PTR(text);
	return -EINVAL;
}

struct ranked {
	struct problem problem;
	size_t file_rank, rank;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->file_rank != y->file_rank)
		return x->file_rank < y->file_rank ? -1 : 1;
	if (x->problem.line != y->problem.line)
		return x->problem.line < y->problem.line ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Where the file was first seen. */
static size_t file_rank(const struct problems *problems, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strcmp(problems->list[j].file, problems->list[i].file) == 0)
			break;
	return j;
}

void problems_sort(struct problems *problems)
{
	AUTO_FREE struct ranked *ranked = NULL;
	size_t i;

	ranked = calloc(problems->n_list + 1, sizeof(*ranked));
	if (!ranked)
		return; /* in the order of finding, then */
	for (i = 0; i < problems->n_list; i++) {
		ranked[i].problem = problems->list[i];
		ranked[i].file_rank = file_rank(problems, i);
		ranked[i].rank = i;
	}
	qsort(ranked, problems->n_list, sizeof(*ranked), compare_ranked);
	for (i = 0; i < problems->n_list; i++)
		problems->list[i] = ranked[i].problem;
}

static void print(const struct problems *problems, const char *kind, FILE *out)
{
	size_t i;

	for (i = 0; i < problems->n_list; i++) {
		const struct problem *problem = &problems->list[i];

		fputs(problem->file, out);
		if (problem->line > 0)
			fprintf(out, ":%d", problem->line);
		fprintf(out, ": %s: %s\n", kind, problem->text);
	}
	if (problems->n_left_out)
		fprintf(out, "%zu more %ss are not shown\n",
			problems->n_left_out, kind);
}

void problems_print(const struct problems *problems, FILE *out)
{
	print(problems, "error", out);
}

void problems_print_warnings(const struct problems *warnings, FILE *out)
{
	print(warnings, "warning", out);
}

void problems_clear(struct problems *problems)
{
	size_t i;

	for (i = 0; i < problems->n_list; i++) {
		free(problems->list[i].file);
		free(problems->list[i].text);
	}
	free(problems->list);
	*problems = (struct problems){ 0 };
}
