/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Copies what is in quotes at *ptext; *pout is left behind its NUL. */
static int copy_quoted(const char **ptext, char **pout, struct err *why)
{
	const char *p = *ptext + 1;
	char *out = *pout;

	for (; *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (!*p)
			return err_say(why, -EINVAL,
				       "the quote before '%.40s' is not closed",
				       *ptext + 1);
		*out++ = *p;
	}
	p++;
	if (*p && !is_blank(*p) && *p != ',')
		return err_say(why, -EINVAL,
			       "there is no blank between a quote and '%.40s'",
			       p);
	*out++ = '\0';
	*pout = out;
	*ptext = p;
	return 0;
}

static int copy_bare(const char **ptext, char **pout, struct err *why)
{
	const char *p = *ptext;
	char *out = *pout;

	for (; *p && !is_blank(*p) && *p != ',' && *p != '"'; p++)
		*out++ = *p;
	if (*p == '"')
		return err_say(why, -EINVAL,
			       "there is no blank between '%.*s' and a quote",
			       p - *ptext < 40 ? (int)(p - *ptext) : 40,
			       *ptext);
	*out++ = '\0';
	*pout = out;
	*ptext = p;
	return 0;
}

/* Skips blanks and at most one comma between words. */
static int skip_gap(const char **ptext, bool first, bool *ret_comma,
		    struct err *why)
{
	const char *p = *ptext;
	bool comma = false;

	for (; is_blank(*p) || *p == ','; p++) {
		if (*p != ',')
			continue;
		if (comma || first)
			return err_say(why, -EINVAL,
				       "there is nothing before a comma");
		comma = true;
	}
	if (comma && !*p)
		return err_say(why, -EINVAL,
			       "there is nothing behind the last comma");
	*ptext = p;
	*ret_comma = comma;
	return 0;
}

static int split(const char *text, struct words *words, struct err *why)
{
	char *out = words->storage;
	struct word *word;
	bool comma = false;
	int r;

	for (;;) {
		r = skip_gap(&text, words->n_list == 0, &comma, why);
		if (r < 0)
			return r;
		if (!*text)
			return 0;
		word = &words->list[words->n_list++];
		word->text = out;
		word->comma = comma;
		word->quoted = *text == '"';
		r = word->quoted ? copy_quoted(&text, &out, why)
				 : copy_bare(&text, &out, why);
		if (r < 0)
			return r;
	}
}

/*
 * One piece of memory for all: between two words is at least a blank or a
 * comma.  A word may be empty or end at the comma: one NUL for each byte.
 */
int words_split(const char *text, struct words *ret_words, struct err *why)
{
	size_t n = strlen(text), n_list = n / 2 + 1;
	struct words words = { 0 };
	int r;

	words.list = malloc(n_list * sizeof(*words.list) + 2 * n + 1);
	if (!words.list)
		return err_set(why, -ENOMEM, "split");
	words.storage = (char *)&words.list[n_list];
	r = split(text, &words, why);
	if (r < 0) {
		words_clear(&words);
		return r;
	}
	*ret_words = words;
	return 0;
}

void words_clear(struct words *words)
{
	free(words->list);
	*words = (struct words){ 0 };
}

const struct word *words_peek(const struct words *words)
{
	return words->next < words->n_list ? &words->list[words->next] : NULL;
}

bool words_comma(const struct words *words)
{
	const struct word *word = words_peek(words);

	return word && word->comma;
}
