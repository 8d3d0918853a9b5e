/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/glob.h"

#include <errno.h>
#include <string.h>

int glob_has_wildcards(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

static void class_add(__u8 *bitmap, unsigned int first, unsigned int last)
{
	unsigned int c;

	for (c = first; c <= last; c++)
		bitmap[c / 8] |= 1 << (c % 8);
}

/* Reads a class behind its '['; *ptext is left behind the ']'. */
static int class_compile(const char **ptext, __u8 *bitmap)
{
	const unsigned char *p = (const unsigned char *)*ptext;
	int negated = 0, members = 0, i;

	if (*p == '!' || *p == '^') {
		negated = 1;
		p++;
	}
	for (; *p && (*p != ']' || !members); members++) {
		unsigned int first = *p++, last = first;

		if (*p == '-' && p[1] && p[1] != ']') {
			last = p[1];
			p += 2;
		}
		if (last < first || first == '/')
			return -EINVAL;
		class_add(bitmap, first, last);
	}
	if (*p != ']')
		return -EINVAL;
	for (i = 0; negated && i < 32; i++)
		bitmap[i] = ~bitmap[i];
	*ptext = (const char *)p + 1;
	return 0;
}

int glob_compile(const char *pattern, struct glob_row *ret_row)
{
	struct glob_row row = { 0 };
	unsigned int n = 0, classes = 0;
	int r;

	while (*pattern) {
		char c = *pattern++;

		if (n == CGROUP_PATH_MAX - 1)
			return -E2BIG;
		if (c == '*') {
			row.tokens[n++] = GLOB_STAR;
		} else if (c == '?') {
			row.tokens[n++] = GLOB_ANY;
		} else if (c == '[') {
			if (classes == GLOB_CLASSES)
				return -E2BIG;
			r = class_compile(&pattern, row.classes[classes]);
			if (r < 0)
				return r;
			row.tokens[n++] = GLOB_CLASS | classes++;
		} else {
			row.level += c == '/';
			row.tokens[n++] = GLOB_CHAR | (unsigned char)c;
		}
	}
	*ret_row = row;
	return 0;
}

int glob_match(const struct glob_row *row, const char *path, __u32 length)
{
	struct glob_cursor cursor = { 0 };
	int step, fits;

	for (step = 0; step < GLOB_STEPS; step++) {
		fits = glob_step(row, path, length, &cursor);
		if (fits != GLOB_GO_ON)
			return fits;
	}
	return GLOB_TOO_HARD;
}
