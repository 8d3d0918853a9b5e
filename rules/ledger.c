/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/ledger.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "rules/quota.h"

#define FIRST_LINE   "weir-quotas 1"
#define LINE_MAX_LEN 1024

void ledger_clear(struct ledger *ledger)
{
	size_t i;

	for (i = 0; i < ledger->n_entries; i++)
		free(ledger->entries[i].path);
	free(ledger->entries);
	*ledger = (struct ledger){ 0 };
}

int ledger_add(struct ledger *ledger, const struct ledger_entry *entry)
{
	AUTO_FREE char *path = strdup(entry->path);
	struct ledger_entry *added;

	if (ledger->n_entries >= LEDGER_ENTRIES_MAX)
		return -E2BIG;
	added = path ? ARRAY_ADD(ledger, entries) : NULL;
	if (!added)
		return -ENOMEM;
	*added = *entry;
	added->path = TAKE_PTR(path);
	return 0;
}

int ledger_compare(const struct ledger_entry *a, const struct ledger_entry *b)
{
	int r = strcmp(a->group, b->group);

	if (r == 0)
		r = (int)a->period - (int)b->period;
	return r ? r : strcmp(a->path, b->path);
}

static int by_name(const void *a, const void *b)
{
	return ledger_compare(a, b);
}

void ledger_sort(struct ledger *ledger)
{
	if (ledger->n_entries)
		qsort(ledger->entries, ledger->n_entries,
		      sizeof(*ledger->entries), by_name);
}

static uint64_t checksum(const char *text, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3;
	return sum;
}

/* ------------------------------------------------------------- reading */

/* The next word of a line, which ends with a blank; NULL: there is none. */
static char *take_word(char **pline)
{
	char *word = *pline, *blank = strchr(word, ' ');

	if (!blank || blank == word)
		return NULL;
	*blank = '\0';
	*pline = blank + 1;
	return word;
}

static int read_begin(const char *text, int64_t *ret_begin_s)
{
	bool is_before = *text == '-';
	uint64_t seconds;
	int r;

	r = number_parse(text + is_before,
			 is_before ? -LEDGER_BEGIN_MIN : LEDGER_BEGIN_MAX,
			 &seconds);
	if (r < 0 || (is_before && !seconds))
		return -EINVAL;
	*ret_begin_s = is_before ? -(int64_t)seconds : (int64_t)seconds;
	return 0;
}

static int64_t begin_written(int64_t begin_s)
{
	if (begin_s < LEDGER_BEGIN_MIN)
		return LEDGER_BEGIN_MIN;
	return begin_s < LEDGER_BEGIN_MAX ? begin_s : LEDGER_BEGIN_MAX;
}

/* line is written to.  What is wrong, or NULL. */
static const char *read_entry(char *line, struct ledger_entry *ret_entry)
{
	struct ledger_entry entry = { 0 };
	char *period = take_word(&line), *begin, *used, *group;
	struct err why;

	begin = period ? take_word(&line) : NULL;
	used = begin ? take_word(&line) : NULL;
	group = used ? take_word(&line) : NULL;
	if (!group)
		return "has too few words";
	entry.period = period_find(period);
	if (entry.period == PERIODS)
		return "has no such period";
	if (read_begin(begin, &entry.begin_s) < 0)
		return "has no begin";
	if (number_parse(used, INT64_MAX, &entry.used_bytes) < 0)
		return "has no bytes";
	if (strlen(group) > LABEL_MAX || label_check(group, &why) < 0)
		return "has no name of a group";
	if (strcmp(line, "*") == 0)
		line++;
	else if (*line != '/' || strlen(line) >= LEDGER_PATH_MAX)
		return "has no path of a cgroup";
	strcpy(entry.group, group);
	entry.path = line;
	*ret_entry = entry;
	return NULL;
}

static int refuse(struct err *why, size_t n, const char *what)
{
	return err_say(why, -EINVAL, "line %zu %s", n, what);
}

/* "end LINES CHECKSUM", the last line */
static int check_end(const char *line, uint64_t sum, size_t n_entries,
		     bool is_last)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "end %zu %016" PRIx64, n_entries, sum);
	return is_last && strcmp(line, wanted) == 0 ? 0 : -EINVAL;
}

static int read_first(const char *line, struct err *why)
{
	if (strcmp(line, FIRST_LINE) == 0)
		return 0;
	if (strncmp(line, FIRST_LINE, strlen("weir-quotas ")) == 0)
		return err_say(why, -EINVAL,
			       "it is of another version of weir");
	return err_say(why, -EINVAL, "it is no file of quotas");
}

/* Copies the line at *pat, without its end, and moves on. */
static int take_line(const char *text, size_t size, size_t *pat,
		     char line[static LINE_MAX_LEN])
{
	const char *end = memchr(text + *pat, '\n', size - *pat);
	size_t length = end ? end - (text + *pat) : 0;

	if (!end || length >= LINE_MAX_LEN)
		return -EINVAL;
	memcpy(line, text + *pat, length);
	line[length] = '\0';
	if (strlen(line) != length)
		return -EINVAL;
	*pat += length + 1;
	return 0;
}

int ledger_parse(const char *text, size_t size, struct ledger *ret_ledger,
		 struct err *why)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 };
	char line[LINE_MAX_LEN];
	struct ledger_entry entry;
	const char *wrong;
	size_t at = 0, before, n;
	int r;

	for (n = 1;; n++) {
		before = at;
		if (take_line(text, size, &at, line) < 0)
			return refuse(why, n, "is not whole");
		if (n == 1) {
			r = read_first(line, why);
			if (r < 0)
				return r;
			continue;
		}
		if (strncmp(line, "end ", 4) == 0)
			break;
		wrong = read_entry(line, &entry);
		if (wrong)
			return refuse(why, n, wrong);
		r = ledger_add(&ledger, &entry);
		if (r == -E2BIG)
			return refuse(why, n, "is one too many");
		if (r < 0)
			return err_set(why, r, "read it");
	}
	if (check_end(line, checksum(text, before), ledger.n_entries,
		      at == size) < 0)
		return refuse(why, n, "does not fit what is above it");
	*ret_ledger = ledger;
	ledger = (struct ledger){ 0 };
	return 0;
}

/* ------------------------------------------------------------- writing */

int ledger_format(const struct ledger *ledger, char **ret_text,
		  size_t *ret_size)
{
	AUTO_FREE char *text = NULL;
	size_t size = LINE_MAX_LEN, at, i;

	for (i = 0; i < ledger->n_entries; i++)
		size += 128 + strlen(ledger->entries[i].group) +
			strlen(ledger->entries[i].path);
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	at = sprintf(text, "%s\n", FIRST_LINE);
	for (i = 0; i < ledger->n_entries; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];

		at += sprintf(text + at, "%s %" PRId64 " %" PRIu64 " %s %s\n",
			      period_name(entry->period),
			      begin_written(entry->begin_s), entry->used_bytes,
			      entry->group, *entry->path ? entry->path : "*");
	}
	at += sprintf(text + at, "end %zu %016" PRIx64 "\n", ledger->n_entries,
		      checksum(text, at));
	*ret_text = TAKE_PTR(text);
	*ret_size = at;
	return 0;
}
