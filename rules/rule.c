/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "rules/endpoint.h"
#include "rules/iface.h"
#include "rules/rule_parser.h"
#include "rules/terms.h"

void rule_clear(struct rule *rule)
{
	endpoint_clear(&rule->from);
	endpoint_clear(&rule->to);
	free(rule->chain);
	ifaces_clear(&rule->ifaces);
	free(rule->log_prefix);
	free(rule->comment);
	free(rule->text);
	*rule = (struct rule){ 0 };
}

const char *rule_argument(struct rule_parser *parser, const char *before,
			  const char *example)
{
	const struct word *word = words_peek(&parser->words);

	if (!word || word->comma || word->quoted) {
		err_say(parser->why, -EINVAL,
			"'%s' needs something behind it (try %s %s)", before,
			before, example);
		return NULL;
	}
	parser->words.next++;
	return word->text;
}

bool rule_take(struct rule_parser *parser, const char *text)
{
	const struct word *word = words_peek(&parser->words);

	if (!word || word->comma || word->quoted ||
	    !text_equal(word->text, text))
		return false;
	parser->words.next++;
	return true;
}

bool rule_list_goes_on(const struct rule_parser *parser)
{
	const struct word *word = words_peek(&parser->words);

	if (!word)
		return false;
	return word->comma || (!word->quoted && !rule_is_word(word->text));
}

int rule_copy(struct rule_parser *parser, const char *text, char **ret_text)
{
	char *copy = strdup(text);

	if (!copy)
		return err_set(parser->why, -ENOMEM, "parse");
	*ret_text = copy;
	return 0;
}

static int parse_verdict(struct rule_parser *parser)
{
	const struct word *word = words_peek(&parser->words);
	const struct term *term;
	struct suggestion best;

	if (!word)
		return err_say(parser->why, -EINVAL,
			       "the rule is empty (try allow, deny or reject)");
	term = word->quoted ? NULL : term_find(action_terms, word->text);
	if (!term) {
		suggestion_begin(&best, word->text);
		terms_suggest(action_terms, &best);
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a verdict (try %s)", word->text,
			       best.word ? best.word : "allow, deny or reject");
	}
	parser->rule->verdict = term->value;
	parser->words.next++;
	return term->value == VERDICT_JUMP ? rule_parse_chain(parser) : 0;
}

/* Whether a word is a protocol: 1 and which, or 0; -EINVAL: one of no more. */
static int read_protocol(struct rule_parser *parser, const struct word *word,
			 uint64_t *ret_number)
{
	const struct term *term = term_find(protocol_terms, word->text);
	int r;

	if (term) {
		*ret_number = term->value;
		return 1;
	}
	r = number_parse(word->text, 255, ret_number);
	if (r == -ERANGE)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a protocol (0 to 255)",
			       word->text);
	return r == 0;
}

/* Those behind commas, if any. */
static int parse_protocols(struct rule_parser *parser, uint64_t number)
{
	struct rule *rule = parser->rule;
	int r;

	if (!words_comma(&parser->words)) {
		rule->protocol = number;
		return 0;
	}
	rule->has_protocols = true;
	rule->protocols[number / 64] |= 1ULL << number % 64;
	while (words_comma(&parser->words)) {
		const struct word *word = words_peek(&parser->words);

		r = word->quoted ? 0 : read_protocol(parser, word, &number);
		if (r < 0)
			return r;
		if (r == 0)
			return err_say(parser->why, -EINVAL,
				       "'%.80s' is not a protocol (tcp, udp, "
				       "sctp, gre, esp, ah or 0 to 255)",
				       word->text);
		if (rule_has_protocol(rule, number))
			return err_say(parser->why, -EINVAL,
				       "'%.80s' is given twice", word->text);
		rule->protocols[number / 64] |= 1ULL << number % 64;
		parser->words.next++;
	}
	return 0;
}

/* [family] [protocol]: absent where the next word is neither. */
static int parse_protocol(struct rule_parser *parser)
{
	const struct word *word;
	uint64_t number;
	int r;

	if (rule_take(parser, "ip4"))
		parser->rule->family = FAMILY_IP4;
	else if (rule_take(parser, "ip6"))
		parser->rule->family = FAMILY_IP6;
	if (rule_take(parser, "any"))
		return 0;
	word = words_peek(&parser->words);
	if (!word || word->comma || word->quoted)
		return 0;
	r = read_protocol(parser, word, &number);
	if (r <= 0)
		return r;
	parser->words.next++;
	return parse_protocols(parser, number);
}

static int parse_clause(struct rule_parser *parser)
{
	const struct word *word = words_peek(&parser->words);
	unsigned int i;
	uint64_t type;

	if (word->comma || word->quoted)
		return rule_refuse_word(parser, word);
	for (i = 0; rule_clauses[i].name; i++) {
		if (!text_equal(rule_clauses[i].name, word->text))
			continue;
		if (parser->seen & 1U << i)
			return err_say(parser->why, -EINVAL,
				       "'%s' is given twice", word->text);
		parser->seen |= 1U << i;
		parser->words.next++;
		return rule_clauses[i].parse(parser, word->text);
	}
	if (term_find(state_terms, word->text)) {
		parser->words.next++;
		return rule_parse_states(parser, word->text);
	}
	if (term_find(icmp_terms, word->text) ||
	    term_find(icmp6_terms, word->text) ||
	    number_parse(word->text, UINT64_MAX, &type) == 0) {
		parser->words.next++;
		return rule_parse_icmp_types(parser, word->text);
	}
	return rule_refuse_word(parser, word);
}

static int parse(struct rule_parser *parser)
{
	int r;

	r = parse_verdict(parser);
	if (r == 0)
		r = parse_protocol(parser);
	while (r == 0 && words_peek(&parser->words))
		r = parse_clause(parser);
	return r;
}

int rule_parse(const char *text, struct rule *ret_rule, struct err *why)
{
	struct rule rule = { .protocol = PROTOCOL_ANY, .dscp = DSCP_ANY };
	struct rule_parser parser = { .rule = &rule, .why = why };
	int r;

	r = words_split(text, &parser.words, why);
	if (r < 0)
		return r;
	r = parse(&parser);
	words_clear(&parser.words);
	if (r == 0)
		r = rule_check(&rule, why);
	if (r == 0) {
		if (rule.family == FAMILY_ANY)
			rule.family = rule_family_implied(&rule);
		r = rule_format(&rule, &rule.text);
		if (r < 0)
			err_set(why, r, "format");
	}
	if (r < 0) {
		rule_clear(&rule);
		return r;
	}
	rule.number = ret_rule->number;
	rule.where = ret_rule->where;
	*ret_rule = rule;
	return 0;
}
