/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/ini_line.h"

#include <string.h>

#include "base/number.h"
#include "rules/ini.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The text between begin and end, without the blanks around it. */
static char *trim(char *begin, char *end)
{
	while (end > begin && is_blank(end[-1]))
		end--;
	while (begin < end && is_blank(*begin))
		begin++;
	*end = '\0';
	return begin;
}

static int split_section(char *line, size_t n, const char *file, int number,
			 struct problems *problems, char **ret_section)
{
	char *close = strchr(line, ']');
	char *section;

	if (!close) {
		n = strcspn(line, ";#=");
		while (is_blank(line[n - 1]))
			n--;
		return problem_add(problems, file, number,
				   "'%s' has no closing bracket (try %.*s])",
				   line, (int)n, line);
	}
	if (close != line + n - 1)
		return problem_add(problems, file, number,
				   "'%s' follows a section on its line (try a "
				   "line of its own)",
				   trim(close + 1, line + n));
	section = trim(line + 1, close);
	if (!*section)
		return problem_add(problems, file, number,
				   "'[]' is not a section (try [group NAME])");
	if (strpbrk(section, "[:"))
		return problem_add(problems, file, number,
				   "'[%s]' is not a section: a name has no "
				   "'%c'",
				   section, *strpbrk(section, "[:"));
	*ret_section = section;
	return 0;
}

/*
 * Where the comment behind a value begins, or the value's end; NULL where the
 * line is wrong.  iniparser cuts at the first ; or #, in quotes or not: only
 * where that is plainly meant is it taken.
 */
static char *find_comment(char *value, const char *key, const char *file,
			  int number, struct problems *problems)
{
	char *comment = value + strcspn(value, ";#"), *p;
	bool quoted = false;

	if (!*comment)
		return comment;
	for (p = value; p < comment; p++) {
		if (quoted && *p == '\\' && p + 1 < comment)
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	if (!quoted && (comment == value || is_blank(comment[-1])))
		return comment;
	if (quoted)
		problem_add(problems, file, number,
			    "%s: '%c' begins a comment, in quotes too (leave "
			    "it out)",
			    key, *comment);
	else
		problem_add(problems, file, number,
			    "%s: '%c' begins a comment (a list has blanks or "
			    "commas, a comment a blank before it)",
			    key, *comment);
	return NULL;
}

static int check_key(const char *key, const char *file, int number,
		     struct problems *problems)
{
	char lower[INI_LINE_MAX + 1];
	size_t i;

	if (!*key)
		return problem_add(problems, file, number,
				   "there is no key before the '='");
	if (!key[strcspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return 0;
	for (i = 0; key[i]; i++)
		lower[i] = key[i] >= 'A' && key[i] <= 'Z' ? key[i] | 0x20
							  : key[i];
	lower[i] = '\0';
	return problem_add(problems, file, number,
			   "key '%s' has upper case letters (try %s)", key,
			   lower);
}

static int split_key(char *line, size_t n, const char *file, int number,
		     struct problems *problems, struct ini_line *ret_line)
{
	char *equals = strchr(line, '='), *end, *key, *value;
	bool continued = line[n - 1] == '\\';
	int r;

	if (!equals)
		return problem_add(problems, file, number,
				   "'%s' is neither [SECTION] nor KEY = VALUE",
				   line);
	key = trim(line, equals);
	r = check_key(key, file, number, problems);
	if (r < 0)
		return r;
	value = trim(equals + 1, line + n);
	if (*value == '"' || *value == '\'')
		return problem_add(problems, file, number,
				   "%s: a value is not put in quotes (try "
				   "without)",
				   key);
	if (continued)
		return problem_add(problems, file, number,
				   "%s: '\\' does not continue a line (a long "
				   "list can be the file of a set)",
				   key);
	end = find_comment(value, key, file, number, problems);
	if (!end)
		return -EINVAL;
	ret_line->key = key;
	ret_line->value = trim(value, end);
	return 0;
}

int ini_line_split(const struct lines *lines, const char *file,
		   struct problems *problems, struct ini_line *ret_line)
{
	char *line = lines->line;

	*ret_line = (struct ini_line){ 0 };
	if (line_check(lines, file, problems) < 0)
		return -EINVAL;
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (lines->n_line > INI_LINE_MAX)
		return problem_add(problems, file, lines->number,
				   "the line is %zu bytes long, %d at most "
				   "(a long list can be the file of a set)",
				   lines->n_line, INI_LINE_MAX);
	if (*line == '[')
		return split_section(line, lines->n_line, file, lines->number,
				     problems, &ret_line->section);
	return split_key(line, lines->n_line, file, lines->number, problems,
			 ret_line);
}

bool ini_key_is_number(const char *key, uint32_t *ret_number)
{
	uint64_t number;

	if (*key == '0' || number_parse(key, UINT32_MAX, &number) < 0)
		return false;
	*ret_number = number;
	return true;
}

/* What a plain line's value is made of: no quote, comment or backslash. */
static const bool is_in_value[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
	[' '] = true,	      ['.'] = true,	    [','] = true,
	[':'] = true,	      ['/'] = true,	    ['@'] = true,
	['-'] = true,	      ['_'] = true,
};

bool ini_line_is_plain(const struct lines *lines)
{
	const char *p = lines->line, *end = p + lines->n_line;

	if (lines->n_line > INI_LINE_MAX)
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		;
	if (p == lines->line)
		return false;
	for (; *p == ' '; p++)
		;
	if (*p++ != '=')
		return false;
	for (; *p == ' '; p++)
		;
	if (p == end)
		return false;
	for (; p < end; p++)
		if (!is_in_value[(unsigned char)*p])
			return false;
	return true;
}

void ini_line_split_plain(const struct lines *lines, struct ini_line *ret_line)
{
	char *line = lines->line, *equals = line + strcspn(line, "=");

	*ret_line = (struct ini_line){
		.key = trim(line, equals),
		.value = trim(equals + 1, line + lines->n_line),
	};
}
