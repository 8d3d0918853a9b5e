/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a rule, and what to say about a word that is wrong. */
#include "rules/rule_parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"
#include "rules/address.h"
#include "rules/terms.h"

const struct rule_clause rule_clauses[] = {
	{ "from", rule_parse_from },	   { "to", rule_parse_to },
	{ "flags", rule_parse_flags },	   { "mark", rule_parse_mark },
	{ "dscp", rule_parse_dscp },	   { "iface", rule_parse_iface },
	{ "uid", rule_parse_uid },	   { "length", rule_parse_length },
	{ "log", rule_parse_log },	   { "limit", rule_parse_limit },
	{ "comment", rule_parse_comment }, { NULL, NULL },
};

/* Words that stand behind others only. */
static const char *const inner_words[] = { "port", "not", "burst", "per",
					   "any",  "ip4", "ip6",   "source" };

bool rule_is_word(const char *text)
{
	const struct rule_clause *clause;
	size_t i;

	for (clause = rule_clauses; clause->name; clause++)
		if (text_equal(clause->name, text))
			return true;
	for (i = 0; i < ARRAY_SIZE(inner_words); i++)
		if (text_equal(inner_words[i], text))
			return true;
	return term_find(state_terms, text) || term_find(icmp_terms, text) ||
	       term_find(icmp6_terms, text) ||
	       term_find(protocol_terms, text) || term_find(action_terms, text);
}

const char *rule_nearest_word(const char *text)
{
	const struct rule_clause *clause;
	struct suggestion best;
	size_t i;

	suggestion_begin(&best, text);
	for (clause = rule_clauses; clause->name; clause++)
		suggestion_try(&best, clause->name);
	for (i = 0; i < ARRAY_SIZE(inner_words); i++)
		suggestion_try(&best, inner_words[i]);
	terms_suggest(state_terms, &best);
	terms_suggest(protocol_terms, &best);
	terms_suggest(icmp_terms, &best);
	terms_suggest(icmp6_terms, &best);
	return best.word;
}

/* Protocols that rules know by number only. */
static const struct term numbered_protocols[] = {
	{ "igmp", 2 },	 { "ipip", 4 },	     { "dccp", 33 },
	{ "ospf", 89 },	 { "pim", 103 },     { "vrrp", 112 },
	{ "l2tp", 115 }, { "udplite", 136 }, { "ipv6-icmp", 58 },
	{ NULL, 0 },
};

/* A word of the grammar that stands where it must not. */
static int refuse_inner(struct rule_parser *parser, const char *text)
{
	if (strcmp(text, "port") == 0)
		return err_say(parser->why, -EINVAL,
			       "'port' stands behind from or to (try to port)");
	if (strcmp(text, "not") == 0)
		return err_say(parser->why, -EINVAL,
			       "'not' stands right behind from or to");
	if (strcmp(text, "burst") == 0)
		return err_say(parser->why, -EINVAL,
			       "'burst' stands behind limit (try limit 10/s "
			       "burst 20)");
	if (strcmp(text, "per") == 0 || strcmp(text, "source") == 0)
		return err_say(parser->why, -EINVAL,
			       "'%s' stands behind limit (try limit 10/s per "
			       "source)",
			       text);
	if (term_find(action_terms, text))
		return err_say(parser->why, -EINVAL,
			       "'%s': the rule has a verdict already", text);
	return err_say(parser->why, -EINVAL,
		       "'%s' is out of place (the order is verdict, ip4 or "
		       "ip6, protocol, then the rest)",
		       text);
}

int rule_refuse_word(struct rule_parser *parser, const struct word *word)
{
	const char *text = word->text, *best;
	const struct term *protocol;
	struct network network;
	struct err ignored;

	if (word->quoted)
		return err_say(parser->why, -EINVAL,
			       "\"%.80s\" is out of place (quotes stand "
			       "behind log or comment)",
			       text);
	if (word->comma)
		return err_say(parser->why, -EINVAL,
			       "there is a comma before '%.80s', and no list",
			       text);
	if (rule_is_word(text))
		return refuse_inner(parser, text);
	if (*text == '@' || network_parse(text, &network, &ignored) == 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is out of place (try from %.80s or to "
			       "%.80s)",
			       text, text, text);
	protocol = term_find(numbered_protocols, text);
	if (protocol)
		return err_say(parser->why, -EINVAL,
			       "'%s' is not known by name (try its number, %u)",
			       text, protocol->value);
	best = rule_nearest_word(text);
	if (best)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a word of a rule (try %s)", text,
			       best);
	return err_say(parser->why, -EINVAL,
		       "'%.80s' is not a word of a rule (after the protocol "
		       "come from, to, what else must match, options)",
		       text);
}
