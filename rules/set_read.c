/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The elements of sets: from a key, and from a file of their own. */
#include "rules/set_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/iface.h"
#include "rules/label.h"
#include "rules/lines.h"
#include "rules/policy_reader.h"
#include "rules/set_store.h"

static int refuse(struct problems *problems, const struct where *where,
		  const char *key, const char *text)
{
	return problem_add(problems, where->file, where->line, "%s%s%s",
			   key ? key : "", key ? ": " : "", text);
}

static int refuse_kind(const struct set *set, const char *text,
		       unsigned int kind, struct err *why)
{
	static const char *const is_a[SET_KINDS] = {
		[SET_OF_NETWORKS] = "an address",
		[SET_OF_PORTS] = "a port",
		[SET_OF_SERVICES] = "an address with a port",
		[SET_OF_INTERFACES] = "an interface",
	};
	bool wants_both = set->elements.kind == SET_OF_SERVICES;

	return err_say(why, -EINVAL, "'%.80s' is %s, but set '%s' holds %s%s",
		       text, is_a[kind], set->name,
		       set_kind_name(set->elements.kind),
		       wants_both ? " (try 192.0.2.1:443 or "
				    "[2001:db8::1]:443)"
				  : "");
}

/* What is none of all that may be the name of one. */
static bool may_be_interface(const char *text)
{
	struct element element;
	struct err ignored;
	char c = *text | 0x20;

	return c >= 'a' && c <= 'z' && !strchr(text, ':') &&
	       iface_parse(text, &element, &ignored) == 0;
}

int set_parse(const struct set *set, const char *text,
	      struct element *ret_element, unsigned int *ret_family,
	      unsigned int *ret_kind, struct err *why)
{
	bool is_known = set->holds || elements_count(&set->elements);
	int r;

	r = element_parse(text, ret_element, ret_family, ret_kind, why);
	/* Of numbers, too, there are interfaces. */
	if (set_is_of(set, SET_OF_INTERFACES) &&
	    (r < 0 || *ret_kind == SET_OF_PORTS)) {
		*ret_family = IFACE_FAMILY;
		*ret_kind = SET_OF_INTERFACES;
		return iface_parse(text, ret_element, why);
	}
	if (r == -EINVAL && !is_known && may_be_interface(text))
		return err_say(why, r,
			       "'%.80s' is neither an address nor a port (of "
			       "interfaces, a set says first: holds = "
			       "interfaces)",
			       text);
	if (r == 0 && is_known && *ret_kind != set->elements.kind)
		return refuse_kind(set, text, *ret_kind, why);
	return r;
}

int set_add_text(struct set *set, const char *text, uint32_t seconds,
		 struct err *why)
{
	struct elements *elements = &set->elements;
	struct element element;
	unsigned int family;
	unsigned int kind;
	int r;

	r = set_parse(set, text, &element, &family, &kind, why);
	if (r < 0)
		return r;
	if (elements_count(elements) >= ELEMENTS_MAX)
		return err_say(why, -EINVAL,
			       "a set has at most %u elements (write networks "
			       "rather than addresses)",
			       ELEMENTS_MAX);
	element.seconds = seconds;
	elements->kind = kind;
	return elements_add(elements, family, &element);
}

int set_add(struct reader *reader, struct set *set, const struct where *where,
	    const char *key, const char *text)
{
	struct err why;
	int r;

	r = set_add_text(set, text, 0, &why);
	if (r < 0 && r != -ENOMEM)
		return refuse(reader->problems, where, key, why.msg);
	return r;
}

/* ------------------------------------------------------------- lines */

/* A file while it is read. */
struct set_file {
	struct set *set;
	struct where where;
	struct problems *problems;
	char saved[LABEL_MAX + 1]; /* the set of ipset's that it saves; "" */
};

/* Takes the comment off a line, where the policy's lines may have one. */
static int cut_comment(struct set_file *file, char *line)
{
	char *end = line + strcspn(line, ";#");

	if (*end && end > line && !strchr(" \t", end[-1]))
		return problem_add(file->problems, file->where.file,
				   file->where.line,
				   "'%c' begins a comment (a line has one "
				   "element, a comment a blank before it)",
				   *end);
	while (end > line && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return 0;
}

/* The next word of a line, or NULL; *line moves behind it. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t"), *end;

	if (!*word)
		return NULL;
	end = word + strcspn(word, " \t");
	*line = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static int say_problem(struct set_file *file, const struct err *why)
{
	return refuse(file->problems, &file->where, NULL, why->msg);
}

static int add_element(struct set_file *file, const char *text,
		       uint32_t seconds)
{
	struct err why;
	int r;

	r = set_add_text(file->set, text, seconds, &why);
	return r == 0 || r == -ENOMEM ? r : say_problem(file, &why);
}

/* ELEMENT [timeout TIME] */
static int add_words(struct set_file *file, char *line)
{
	char *text = next_word(&line), *word = next_word(&line);
	char *time = word ? next_word(&line) : NULL;
	uint32_t seconds = 0;
	struct err why;

	if (!text || strchr(text, ',') ||
	    (word && strcmp(word, "timeout") != 0) || next_word(&line))
		return refuse(file->problems, &file->where, NULL,
			      "a line has one element");
	if (word && timeout_parse(time ? time : "", &seconds, &why) < 0)
		return say_problem(file, &why);
	return add_element(file, text, seconds);
}

/* ------------------------------------------------- what ipset saves */

static const char *const counters[] = { "packets", "bytes", "skbmark",
					"skbprio", "skbqueue" };

static bool is_counter(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (strcmp(word, counters[i]) == 0)
			return true;
	return false;
}

/* What ipset says of an element: of it, weir knows the timeout. */
static int read_extras(struct set_file *file, char *line, uint32_t *seconds)
{
	char *word, *value;
	struct err why;

	while ((word = next_word(&line))) {
		if (strcmp(word, "comment") == 0)
			return 0; /* to the end of the line, in quotes */
		if (strcmp(word, "nomatch") == 0)
			return refuse(file->problems, &file->where, NULL,
				      "nomatch: a set has no exceptions (a "
				      "rule before it can make one)");
		value = next_word(&line);
		if (strcmp(word, "timeout") == 0) {
			/* 0: for ever */
			if (value && strcmp(value, "0") == 0)
				continue;
			if (timeout_parse(value ? value : "", seconds, &why) <
			    0)
				return say_problem(file, &why);
		} else if (!is_counter(word)) {
			return problem_add(file->problems, file->where.file,
					   file->where.line,
					   "'%.80s' of ipset's is not known",
					   word);
		}
	}
	return 0;
}

/* One file is one set, here as there. */
static int check_saved(struct set_file *file, const char *name)
{
	if (!name)
		return refuse(file->problems, &file->where, NULL,
			      "the name of ipset's set is missing");
	if (*file->saved && strcmp(file->saved, name) != 0)
		return problem_add(file->problems, file->where.file,
				   file->where.line,
				   "the file saves set '%s', and '%.80s' as "
				   "well (ipset save %s saves one)",
				   file->saved, name, file->saved);
	snprintf(file->saved, sizeof(file->saved), "%s", name);
	return 0;
}

/*
 * Lines of `ipset save`: *ret_is_one where it is one, with nothing left to do.
 * A set in ipset may have names longer than ours: they are told by what fits.
 */
static int add_saved(struct set_file *file, char *line, bool *ret_is_one)
{
	bool is_add = strncmp(line, "add ", 4) == 0;
	bool is_create = strncmp(line, "create ", 7) == 0;
	uint32_t seconds = 0;
	char *text;
	int r;

	*ret_is_one = is_add || is_create;
	if (!*ret_is_one)
		return 0;
	line = strchr(line, ' ') + 1;
	r = check_saved(file, next_word(&line));
	if (r < 0 || is_create)
		return r;
	text = next_word(&line);
	if (!text)
		return refuse(file->problems, &file->where, NULL,
			      "the element is missing");
	if (strchr(text, ','))
		return problem_add(file->problems, file->where.file,
				   file->where.line,
				   "'%.80s' is of more than one part, of which "
				   "weir knows addresses with ports (try "
				   "192.0.2.1:443; the protocol is the rule's)",
				   text);
	r = read_extras(file, line, &seconds);
	return r < 0 ? r : add_element(file, text, seconds);
}

/* -------------------------------------------------------- whole files */

/* Most lines are one address or network, and clean for that. */
static bool add_plain(struct set_file *file, const char *line, int *ret_r)
{
	struct elements *elements = &file->set->elements;
	struct element element;

	if (elements->kind != SET_OF_NETWORKS ||
	    elements_count(elements) >= ELEMENTS_MAX ||
	    !element_scan_ip4(line, &element))
		return false;
	*ret_r = elements_add(elements, SET_IP4, &element);
	return true;
}

static int add_line(struct set_file *file, const struct lines *lines)
{
	bool is_saved = false;
	int r;

	if (add_plain(file, lines->line, &r))
		return r;
	r = line_check(lines, file->where.file, file->problems);
	if (r == 0)
		r = add_saved(file, lines->line, &is_saved);
	if (r < 0 || is_saved)
		return r;
	r = cut_comment(file, lines->line);
	if (r < 0 || !*lines->line)
		return r;
	return add_words(file, lines->line);
}

int set_add_lines(struct set *set, const char *name, char *text, size_t size,
		  struct problems *problems)
{
	struct set_file file = {
		.set = set,
		.where.file = name,
		.problems = problems,
	};
	struct lines lines;
	int r, result = 0;

	if (text_is_utf16(text, size))
		return problem_add(problems, name, 0,
				   "the file is UTF-16 (save it as UTF-8)");
	lines_begin(&lines, text, size);
	while (lines_next(&lines)) {
		file.where.line = lines.number;
		r = add_line(&file, &lines);
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
	set->is_given = true;
	return set_add_lines(set, beside, text, size, reader->problems);
}
