/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule does besides its verdict. */
#include "rules/rule_parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "rules/label.h"
#include "rules/rule.h"

/* The chain may stand further down, or in another file. */
int rule_parse_chain(struct rule_parser *parser)
{
	const char *name = rule_argument(parser, "jump", "CHAIN");
	int r = name ? label_check(name, parser->why) : -EINVAL;

	return r < 0 ? r : rule_copy(parser, name, &parser->rule->chain);
}

/* Copies a quoted text of at most max bytes. */
static int copy_quoted(struct rule_parser *parser, const char *name,
		       const struct word *word, size_t max, char **ret_text)
{
	size_t n = strlen(word->text);

	if (n == 0)
		return err_say(parser->why, -EINVAL,
			       "%s \"\" says nothing (leave it out)", name);
	if (n > max)
		return err_say(parser->why, -EINVAL,
			       "the text behind %s is %zu bytes long, %zu at "
			       "most",
			       name, n, max);
	parser->words.next++;
	return rule_copy(parser, word->text, ret_text);
}

/* log ["PREFIX"] */
int rule_parse_log(struct rule_parser *parser, const char *name)
{
	const struct word *word = words_peek(&parser->words);

	parser->rule->log = true;
	if (!word || word->comma)
		return 0;
	if (word->quoted)
		return copy_quoted(parser, name, word, LOG_PREFIX_MAX,
				   &parser->rule->log_prefix);
	if (!rule_is_word(word->text))
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a word of a rule (a prefix is "
			       "put in quotes: log \"%.80s\")",
			       word->text, word->text);
	return 0;
}

int rule_parse_comment(struct rule_parser *parser, const char *name)
{
	const struct word *word = words_peek(&parser->words);

	if (!word || word->comma || !word->quoted)
		return err_say(parser->why, -EINVAL,
			       "'comment' needs a text in quotes behind it");
	return copy_quoted(parser, name, word, COMMENT_MAX,
			   &parser->rule->comment);
}

/* The word behind "per" can only be this one. */
static int parse_per(struct rule_parser *parser)
{
	if (!rule_take(parser, "source"))
		return err_say(parser->why, -EINVAL,
			       "'per' stands before source (try limit 10/s "
			       "per source)");
	parser->rule->limit_per_source = true;
	return 0;
}

static int parse_burst(struct rule_parser *parser)
{
	const char *text = rule_argument(parser, "burst", "20");
	uint64_t burst;

	if (!text)
		return -EINVAL;
	if (number_parse(text, LIMIT_COUNT_MAX, &burst) < 0 || burst == 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a burst (1 to %d packets)", text,
			       LIMIT_COUNT_MAX);
	parser->rule->limit_burst = burst;
	return 0;
}

/* limit N/s or N/m, per source, and burst N */
int rule_parse_limit(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "10/s");
	const char *unit = text;
	uint64_t count;
	int r = 0;

	if (!text)
		return -EINVAL;
	if (number_scan(&unit, LIMIT_COUNT_MAX, &count) < 0 || count == 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a limit (1/s to %d/s, or N/m)",
			       text, LIMIT_COUNT_MAX);
	if (strcmp(unit, "/s") != 0 && strcmp(unit, "/m") != 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a limit (try %u/%c)", text,
			       (unsigned int)count,
			       strncmp(unit, "/m", 2) == 0 ? 'm' : 's');
	parser->rule->limit_count = count;
	parser->rule->limit_seconds = unit[1] == 's' ? 1 : 60;
	parser->rule->limit_burst = LIMIT_BURST_DEFAULT;
	if (rule_take(parser, "per"))
		r = parse_per(parser);
	if (r == 0 && rule_take(parser, "burst"))
		r = parse_burst(parser);
	if (r == 0 && !parser->rule->limit_per_source &&
	    rule_take(parser, "per"))
		r = parse_per(parser);
	return r;
}
