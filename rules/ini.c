/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/ini.h"

#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "base/array.h"
#include "rules/ini_line.h"
#include "rules/lines.h"
#include "rules/names.h"

/*
 * iniparser's dictionary takes time quadratic in its size, and folds names
 * to lower case.  So the text goes to it in pieces of this many lines, each
 * with sections that differ in more than case.
 *
 * It takes ten times as long for a line as all else that is done with it.
 * So behind the first piece it is spared those that nobody can read in two
 * ways: see ini_line_is_plain.
 */
#define PIECE_LINES 256

/* So often may a piece end early because of that: it takes its time. */
#define CASE_CLASHES_MAX 1000

/* What iniparser has to make of a line. */
struct expected {
	const char *section, *key, *value; /* key NULL: the section itself */
	int line;
};

struct piece {
	int fd; /* of a memfd: iniparser reads files only, by name */
	size_t n_text, n_lines;
	struct expected lines[PIECE_LINES];
	char text[PIECE_LINES * (INI_LINE_MAX + 1)];
};

struct parser {
	const char *file;
	struct problems *problems;
	struct ini *ini;
	struct piece *piece;
	struct names sections, keys;
	struct names folded; /* in lower case; scope: the piece's number */
	char **copies;	     /* of texts in folded */
	size_t n_copies;
	unsigned int n_pieces, n_clashes;
	const char *section; /* that is open, in lower case */
	bool section_bad;    /* what is in it cannot be judged */
	bool section_again;  /* was there before; iniparser would merge it */
	/* Its numbers were rising up to this one: none of them is in keys. */
	bool rises;
	uint32_t last_number;
};

void ini_free(struct ini *ini)
{
	if (!ini)
		return;
	free(ini->storage);
	free(ini->sections);
	free(ini->entries);
	free(ini);
}

static void parser_clear(struct parser *parser)
{
	names_clear(&parser->sections);
	names_clear(&parser->keys);
	names_clear(&parser->folded);
	while (parser->n_copies)
		free(parser->copies[--parser->n_copies]);
	free(parser->copies);
	if (parser->piece)
		close_fdp(&parser->piece->fd);
	free(parser->piece);
}

/* Its complaints have been made, with line numbers, by ini_line_split. */
static int ignore_complaint(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

/* iniparser folds sections to lower case. */
static bool is_as_expected(const struct expected *line, const char *key,
			   const char *value)
{
	size_t n = strlen(line->section);

	if (!key || strncasecmp(key, line->section, n) != 0)
		return false;
	if (!line->key)
		return !key[n] && !value;
	return key[n] == ':' && strcmp(key + n + 1, line->key) == 0 && value &&
	       strcmp(value, line->value) == 0;
}

/* One walk over the dictionary, which keeps the order of the lines. */
static int compare(const struct parser *parser, const dictionary *dict)
{
	const struct piece *piece = parser->piece;
	size_t i;

	for (i = 0; i < piece->n_lines; i++) {
		const struct expected *line = &piece->lines[i];

		if (i < (size_t)dict->size &&
		    is_as_expected(line, dict->key[i], dict->val[i]))
			continue;
		return problem_add(parser->problems, parser->file, line->line,
				   "iniparser reads this line in another way "
				   "(write it in plain characters)");
	}
	if ((size_t)dict->n == piece->n_lines)
		return 0;
	return problem_add(parser->problems, parser->file,
			   piece->lines[piece->n_lines - 1].line,
			   "iniparser reads more lines than there are");
}

/* Lets iniparser read what has been collected. */
static int piece_flush(struct parser *parser)
{
	struct piece *piece = parser->piece;
	dictionary *dict = NULL;
	char path[32];
	int r;

	if (!piece->n_lines)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", piece->fd);
	if (ftruncate(piece->fd, 0) == 0 &&
	    pwrite(piece->fd, piece->text, piece->n_text, 0) ==
		    (ssize_t)piece->n_text)
		dict = iniparser_load(path);
	if (dict)
		r = compare(parser, dict);
	else
		r = problem_add(parser->problems, parser->file,
				piece->lines[0].line,
				"iniparser cannot read this and the next lines "
				"(is /proc mounted?)");
	iniparser_freedict(dict);
	piece->n_text = piece->n_lines = 0;
	parser->n_pieces++;
	return r;
}

static void piece_add(struct piece *piece, const char *raw, size_t n,
		      const struct expected *expected)
{
	memcpy(piece->text + piece->n_text, raw, n);
	piece->n_text += n;
	piece->text[piece->n_text++] = '\n';
	piece->lines[piece->n_lines++] = *expected;
}

static void piece_add_section(struct piece *piece,
			      const struct ini_section *section)
{
	const struct expected expected = { .section = section->text,
					   .line = section->line };
	char raw[INI_LINE_MAX + 1];
	int n;

	n = snprintf(raw, sizeof(raw), "[%s]", section->text);
	piece_add(piece, raw, n, &expected);
}

/* text itself, or a copy in lower case that the parser keeps. */
static const char *fold(struct parser *parser, const char *text)
{
	char **copy;
	char *p;

	if (!strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return text;
	copy = ARRAY_ADD(parser, copies);
	if (!copy)
		return NULL;
	*copy = strdup(text);
	for (p = *copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	return *copy;
}

/* Ends the piece; the section that is open goes on in the next one. */
static int piece_next(struct parser *parser)
{
	size_t first;
	int r;

	r = piece_flush(parser);
	if (r < 0)
		return r;
	r = names_add(&parser->folded, parser->n_pieces, parser->section, 0,
		      &first);
	return r < 0 ? r : 0;
}

/* Makes room in the piece for the section called text, and a key. */
static int piece_open(struct parser *parser, const char *text, int line)
{
	bool full = parser->piece->n_lines > PIECE_LINES - 2;
	size_t first;
	int r;

	parser->section = fold(parser, text);
	if (!parser->section)
		return -ENOMEM;
	r = names_add(&parser->folded, parser->n_pieces, parser->section, 0,
		      &first);
	if (r < 0)
		return r;
	if (r > 0 && parser->n_clashes++ == CASE_CLASHES_MAX)
		return problem_add(parser->problems, parser->file, line,
				   "more than %d sections differ from others "
				   "in upper and lower case alone",
				   CASE_CLASHES_MAX);
	return r > 0 || full ? piece_next(parser) : 0;
}

static int add_section(struct parser *parser, char *text, int line)
{
	struct ini_section *section;
	size_t first;
	int r;

	section = ARRAY_ADD(parser->ini, sections);
	if (!section)
		return -ENOMEM;
	section->text = text;
	section->line = line;
	section->first = parser->ini->n_entries;
	parser->rises = true;
	parser->last_number = 0;

	r = names_add(&parser->sections, 0, text, 0, &first);
	if (r < 0)
		return r;
	parser->section_again = r > 0;
	if (parser->section_again)
		return 0;
	r = piece_open(parser, text, line);
	if (r < 0)
		return r;
	piece_add_section(parser->piece, section);
	return 0;
}

/* Of the section that is open: those that were left out of keys so far. */
static int add_numbers(struct parser *parser)
{
	const struct ini *ini = parser->ini;
	size_t i, first;
	uint32_t number;
	int r = 0;

	for (i = ini->sections[ini->n_sections - 1].first;
	     r == 0 && i < ini->n_entries; i++)
		if (ini_key_is_number(ini->entries[i].key, &number))
			r = names_add(&parser->keys, ini->n_sections,
				      ini->entries[i].key, ini->entries[i].line,
				      &first);
	return r;
}

/*
 * As names_add.  Of numbers that rise none is there twice: rules mostly come
 * so, and then need no hash.
 */
static int note_key(struct parser *parser, const char *key, int line,
		    size_t *ret_first)
{
	uint32_t number;
	int r;

	if (parser->rises && ini_key_is_number(key, &number)) {
		if (number > parser->last_number) {
			parser->last_number = number;
			return 0;
		}
		parser->rises = false;
		r = add_numbers(parser);
		if (r < 0)
			return r;
	}
	return names_add(&parser->keys, parser->ini->n_sections, key, line,
			 ret_first);
}

/* Puts a line into what iniparser reads next. */
static int pass_on(struct parser *parser, const struct ini_line *line,
		   const char *raw, size_t n_raw, int number)
{
	struct ini *ini = parser->ini;
	struct ini_section *section = &ini->sections[ini->n_sections - 1];
	struct expected expected = { section->text, line->key, line->value,
				     number };
	int r;

	if (parser->piece->n_lines == PIECE_LINES) {
		r = piece_next(parser);
		if (r < 0)
			return r;
		piece_add_section(parser->piece, section);
	}
	piece_add(parser->piece, raw, n_raw, &expected);
	return 0;
}

/* Returns 1 where it was added, 0 where it was there. */
static int add_key(struct parser *parser, const struct ini_line *line,
		   int number)
{
	struct ini *ini = parser->ini;
	struct ini_entry *entry;
	size_t first;
	int r;

	r = note_key(parser, line->key, number, &first);
	if (r < 0)
		return r;
	if (r > 0) {
		problem_add(parser->problems, parser->file, number,
			    "key '%s' is already in line %zu of this section",
			    line->key, first);
		return 0;
	}
	entry = ARRAY_ADD(ini, entries);
	if (!entry)
		return -ENOMEM;
	*entry = (struct ini_entry){ line->key, line->value, number };
	ini->sections[ini->n_sections - 1].n++;
	return 1;
}

/* A line that iniparser is spared. */
static int add_plain(struct parser *parser, const struct lines *lines)
{
	struct ini_line line;
	int r;

	ini_line_split_plain(lines, &line);
	r = add_key(parser, &line, lines->number);
	return r < 0 ? r : 0;
}

/* A line that was refused: what is missing now may have been there. */
static void note_bad_line(struct parser *parser, const struct lines *lines)
{
	struct ini *ini = parser->ini;

	if (*lines->line == '[')
		parser->section_bad = true;
	else if (ini->n_sections)
		ini->sections[ini->n_sections - 1].has_bad_lines = true;
}

static int add_line(struct parser *parser, const struct lines *lines)
{
	char raw[INI_LINE_MAX + 1];
	size_t n = lines->n_line;
	struct ini_line line;
	int r;

	if (n <= INI_LINE_MAX)
		memcpy(raw, lines->line, n);
	if (ini_line_split(lines, parser->file, parser->problems, &line) < 0) {
		note_bad_line(parser, lines);
		return 0;
	}
	if (line.section) {
		parser->section_bad = false;
		return add_section(parser, line.section, lines->number);
	}
	if (!line.key || parser->section_bad)
		return 0;
	if (!parser->ini->n_sections) {
		problem_add(parser->problems, parser->file, lines->number,
			    "key '%s' stands before the first section",
			    line.key);
		return 0;
	}
	r = add_key(parser, &line, lines->number);
	if (r <= 0 || parser->section_again)
		return r;
	return pass_on(parser, &line, raw, n, lines->number);
}

/* Whether the line needs no second reading. */
static bool is_spared(const struct parser *parser, const struct lines *lines)
{
	return parser->n_pieces && !parser->section_bad &&
	       parser->ini->n_sections && ini_line_is_plain(lines);
}

static int parse(struct parser *parser, size_t size)
{
	struct lines lines;
	int r;

	lines_begin(&lines, parser->ini->storage, size);
	while (lines_next(&lines)) {
		r = is_spared(parser, &lines) ? add_plain(parser, &lines)
					      : add_line(parser, &lines);
		if (r < 0)
			return r;
	}
	return piece_flush(parser);
}

int ini_parse(const char *file, char *text, size_t size,
	      struct problems *problems, struct ini **ret_ini)
{
	CLEANUP(ini_freep) struct ini *ini = NULL;
	CLEANUP(parser_clear)
	struct parser parser = { .file = file, .problems = problems };
	int r;

	ini = calloc(1, sizeof(*ini));
	if (!ini) {
		free(text);
		return -ENOMEM;
	}
	ini->storage = text;
	if (text_is_utf16(text, size))
		return problem_add(problems, file, 0,
				   "the file is UTF-16 (save it as UTF-8)");
	parser.ini = ini;
	parser.piece = calloc(1, sizeof(*parser.piece));
	if (!parser.piece)
		return -ENOMEM;
	parser.piece->fd = memfd_create("weir-ini", MFD_CLOEXEC);
	iniparser_set_error_callback(ignore_complaint);
	r = parse(&parser, size);
	iniparser_set_error_callback(NULL);
	if (r < 0)
		return r;
	*ret_ini = TAKE_PTR(ini);
	return 0;
}
