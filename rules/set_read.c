/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The elements of sets: from a key, and from a file of their own. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/address.h"
#include "rules/lines.h"
#include "rules/policy_reader.h"
#include "rules/port.h"

/* A file beyond this is refused: some three million networks. */
#define SET_FILE_MAX (64UL << 20)

static int refuse(struct reader *reader, const struct where *where,
		  const char *key, const char *text)
{
	return problem_add(reader->problems, where->file, where->line, "%s%s%s",
			   key ? key : "", key ? ": " : "", text);
}

/* What holds addresses has a letter, a '.' or a ':' in it. */
static bool is_port(const char *text)
{
	return *text && text[strspn(text, "0123456789-")] == '\0';
}

static int add_port(struct set *set, const char *text, struct err *why)
{
	struct port_range range, *added;
	int r;

	r = port_parse(text, &range, why);
	if (r < 0)
		return r;
	if (set->n_networks)
		return err_say(why, -EINVAL,
			       "'%s' is a port, but set '%s' holds networks",
			       text, set->name);
	added = ARRAY_ADD(set, ports);
	if (!added)
		return -ENOMEM;
	*added = range;
	return 0;
}

static int add_network(struct set *set, const char *text, struct err *why)
{
	struct network network, *added;
	int r;

	if (*text == '@')
		return err_say(why, -EINVAL,
			       "'%.80s': a set has no sets in it (a rule can "
			       "name several)",
			       text);
	r = network_parse(text, &network, why);
	if (r < 0)
		return r;
	if (set->n_ports)
		return err_say(why, -EINVAL,
			       "'%s' is an address, but set '%s' holds ports",
			       text, set->name);
	added = ARRAY_ADD(set, networks);
	if (!added)
		return -ENOMEM;
	*added = network;
	return 0;
}

int set_add(struct reader *reader, struct set *set, const struct where *where,
	    const char *key, const char *text)
{
	struct err why;
	int r;

	r = is_port(text) ? add_port(set, text, &why)
			  : add_network(set, text, &why);
	if (r < 0 && r != -ENOMEM)
		return refuse(reader, where, key, why.msg);
	return r;
}

/* Takes the comment off a line, where the policy's lines may have one. */
static int cut_comment(struct reader *reader, const struct where *where,
		       char *line)
{
	char *end = line + strcspn(line, ";#");

	if (*end && end > line && !strchr(" \t", end[-1]))
		return problem_add(reader->problems, where->file, where->line,
				   "'%c' begins a comment (a line has one "
				   "element, a comment a blank before it)",
				   *end);
	while (end > line && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return 0;
}

static int add_line(struct reader *reader, struct set *set,
		    const struct where *where, const struct lines *lines)
{
	int r;

	r = line_check(lines, where->file, reader->problems);
	if (r == 0)
		r = cut_comment(reader, where, lines->line);
	if (r < 0 || !*lines->line)
		return r;
	if (strpbrk(lines->line, " \t,"))
		return refuse(reader, where, NULL, "a line has one element");
	return set_add(reader, set, where, NULL, lines->line);
}

static int add_lines(struct reader *reader, struct set *set, const char *file,
		     char *text, size_t size)
{
	struct where where = { .file = file };
	struct lines lines;
	int r, result = 0;

	lines_begin(&lines, text, size);
	while (lines_next(&lines)) {
		where.line = lines.number;
		r = add_line(reader, set, &where, &lines);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			result = r;
	}
	return result;
}

/* The path as seen from the folder of the file that names it. */
static char *path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return joined;
}

int set_add_file(struct reader *reader, struct set *set, const char *path)
{
	AUTO_FREE char *beside = NULL;
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t size;
	int r;

	beside = path_beside(reader->where.file, path);
	if (!beside)
		return -ENOMEM;
	r = text_read_plain(beside, SET_FILE_MAX, &text, &size, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return reader_error(reader, "'%s': %s", beside, err.msg);
	if (text_is_utf16(text, size))
		return problem_add(reader->problems, beside, 0,
				   "the file is UTF-16 (save it as UTF-8)");
	return add_lines(reader, set, beside, text, size);
}
