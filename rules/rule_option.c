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

/* N/s or N/m; name: what it is of, in the sentence. */
static int parse_pace(struct rule_parser *parser, const char *name,
		      const char *text, uint32_t *ret_count,
		      uint32_t *ret_seconds)
{
	const char *unit = text;
	uint64_t count;

	if (number_scan(&unit, LIMIT_COUNT_MAX, &count) < 0 || count == 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a limit%s (1/s to %d/s, or N/m)",
			       text, name, LIMIT_COUNT_MAX);
	if (strcmp(unit, "/s") != 0 && strcmp(unit, "/m") != 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a limit%s (try %u/%c)", text,
			       name, (unsigned int)count,
			       strncmp(unit, "/m", 2) == 0 ? 'm' : 's');
	*ret_count = count;
	*ret_seconds = unit[1] == 's' ? 1 : 60;
	return 0;
}

static int parse_burst(struct rule_parser *parser, const char *what,
		       uint32_t *ret_burst)
{
	const char *text = rule_argument(parser, "burst", "20");
	uint64_t burst;

	if (!text)
		return -EINVAL;
	if (number_parse(text, LIMIT_COUNT_MAX, &burst) < 0 || burst == 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a burst (1 to %d %s)", text,
			       LIMIT_COUNT_MAX, what);
	*ret_burst = burst;
	return 0;
}

/* The bound on events, where one stands there: no word begins with a digit. */
static int parse_log_bound(struct rule_parser *parser)
{
	const struct word *word = words_peek(&parser->words);
	struct rule *rule = parser->rule;
	int r;

	if (!word || word->comma || word->quoted || rule_is_word(word->text))
		return 0;
	if ((*word->text < '0' || *word->text > '9') && rule->log_prefix)
		return 0;
	if (*word->text < '0' || *word->text > '9')
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a word of a rule (a prefix is "
			       "put in quotes: log \"%.80s\")",
			       word->text, word->text);
	r = parse_pace(parser, " of log", word->text, &rule->log_count,
		       &rule->log_seconds);
	if (r < 0)
		return r;
	parser->words.next++;
	rule->log_burst = LOG_BURST_DEFAULT;
	return rule_take(parser, "burst")
		       ? parse_burst(parser, "events", &rule->log_burst)
		       : 0;
}

/* log ["PREFIX"] [N/s or N/m [burst N]] */
int rule_parse_log(struct rule_parser *parser, const char *name)
{
	const struct word *word = words_peek(&parser->words);
	int r = 0;

	parser->rule->log = true;
	if (word && !word->comma && word->quoted)
		r = copy_quoted(parser, name, word, LOG_PREFIX_MAX,
				&parser->rule->log_prefix);
	return r < 0 ? r : parse_log_bound(parser);
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

/* limit N/s or N/m, per source, and burst N */
int rule_parse_limit(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "10/s");
	struct rule *rule = parser->rule;
	int r;

	if (!text)
		return -EINVAL;
	r = parse_pace(parser, "", text, &rule->limit_count,
		       &rule->limit_seconds);
	if (r < 0)
		return r;
	rule->limit_burst = LIMIT_BURST_DEFAULT;
	if (rule_take(parser, "per"))
		r = parse_per(parser);
	if (r == 0 && rule_take(parser, "burst"))
		r = parse_burst(parser, "packets", &rule->limit_burst);
	if (r == 0 && !rule->limit_per_source && rule_take(parser, "per"))
		r = parse_per(parser);
	return r;
}
