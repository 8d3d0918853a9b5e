/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/policy.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/lines.h"
#include "rules/policy_reader.h"
#include "rules/policy_text.h"

int reader_error(struct reader *reader, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return problem_add(reader->problems, reader->where.file,
			   reader->where.line, "%s: %s", reader->key,
			   text ? text : "cannot be read");
}

/* text becomes the reader's own. */
static int read_text(struct reader *reader, const char *name, char *text,
		     size_t size)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	char **file;
	size_t i;
	int r;

	file = ARRAY_ADD(reader->policy, files);
	if (file)
		*file = strdup(name);
	if (!file || !*file) {
		free(text);
		return -ENOMEM;
	}
	reader->where.file = *file;
	r = ini_parse(*file, text, size, reader->problems, &ini);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (i = 0; i < ini->n_sections; i++) {
		r = section_read(reader, ini, &ini->sections[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_file(struct reader *reader, const char *path)
{
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
	struct err err;
	char *text;
	size_t size;
	int r;

	r = text_read(path, INI_SIZE_MAX, &text, &size, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		problem_add(reader->problems, name, 0, "%s", err.msg);
		return 0;
	}
	return read_text(reader, name, text, size);
}

static void reader_clear(struct reader *reader)
{
	names_clear(&reader->names);
	free(reader->references);
	free(reader->matches);
	free(reader->rules);
	free(reader->texts);
	policy_freep(&reader->policy);
}

static int reader_begin(struct reader *reader, struct problems *problems)
{
	reader->problems = problems;
	reader->policy = calloc(1, sizeof(*reader->policy));
	return reader->policy ? 0 : -ENOMEM;
}

/* Judges the whole, and gives it out where there was no problem at all. */
static int reader_end(struct reader *reader, size_t n_before,
		      struct policy **ret_policy)
{
	struct problems *problems = reader->problems;
	int r;

	r = policy_check(reader);
	if (r == -ENOMEM)
		return r;
	problems_sort(problems);
	if (problems->n_list + problems->n_left_out > n_before)
		return -EINVAL;
	*ret_policy = TAKE_PTR(reader->policy);
	return 0;
}

int policy_read(char *const *files, size_t n_files, struct problems *problems,
		struct policy **ret_policy)
{
	CLEANUP(reader_clear) struct reader reader = { 0 };
	size_t n_before = problems->n_list + problems->n_left_out, i;
	int r;

	r = reader_begin(&reader, problems);
	for (i = 0; i < n_files && r == 0; i++)
		r = read_file(&reader, files[i]);
	return r < 0 ? r : reader_end(&reader, n_before, ret_policy);
}

int policy_read_text(const char *name, const char *text, size_t size,
		     struct problems *problems, struct policy **ret_policy)
{
	CLEANUP(reader_clear) struct reader reader = { 0 };
	size_t n_before = problems->n_list + problems->n_left_out;
	char *copy;
	int r;

	r = reader_begin(&reader, problems);
	if (r < 0)
		return r;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, size);
	copy[size] = '\0';
	r = read_text(&reader, name, copy, size);
	return r < 0 ? r : reader_end(&reader, n_before, ret_policy);
}
