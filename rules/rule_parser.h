/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the rule parser share.  Only rules/rule*.c use it. */
#ifndef WEIR_RULES_RULE_PARSER_H
#define WEIR_RULES_RULE_PARSER_H

#include <stdbool.h>

#include "base/err.h"
#include "rules/policy.h"
#include "rules/words.h"

struct rule_parser {
	struct words words;
	struct rule *rule;
	unsigned int seen; /* a bit per clause */
	struct err *why;
};

/*
 * The word behind `before`, which must not be missing, quoted or behind a
 * comma: else NULL, and why gives the example.
 */
const char *rule_argument(struct rule_parser *parser, const char *before,
			  const char *example);

/* Whether the next word, unless a comma stands before it, is `text`. */
bool rule_take(struct rule_parser *parser, const char *text);

/* Whether the list goes on: a comma, or a word that begins nothing new. */
bool rule_list_goes_on(const struct rule_parser *parser);

/* A copy of text, or -ENOMEM and why. */
int rule_copy(struct rule_parser *parser, const char *text, char **ret_text);

/* rule_endpoint.c: what stands behind from and to. */
int rule_parse_from(struct rule_parser *parser, const char *name);
int rule_parse_to(struct rule_parser *parser, const char *name);

/* rule_match.c: what stands behind the word that has been taken. */
int rule_parse_states(struct rule_parser *parser, const char *first);
int rule_parse_icmp_types(struct rule_parser *parser, const char *first);
int rule_parse_flags(struct rule_parser *parser, const char *name);
int rule_parse_mark(struct rule_parser *parser, const char *name);
int rule_parse_dscp(struct rule_parser *parser, const char *name);
int rule_parse_iface(struct rule_parser *parser, const char *name);
int rule_parse_uid(struct rule_parser *parser, const char *name);
int rule_parse_length(struct rule_parser *parser, const char *name);

/* rule_option.c: what stands behind the word, as above. */
int rule_parse_chain(struct rule_parser *parser);
int rule_parse_log(struct rule_parser *parser, const char *name);
int rule_parse_limit(struct rule_parser *parser, const char *name);
int rule_parse_comment(struct rule_parser *parser, const char *name);

/* rule_words.c: the words that begin something. */
struct rule_clause {
	const char *name;
	int (*parse)(struct rule_parser *parser, const char *name);
};

extern const struct rule_clause rule_clauses[]; /* ends with a NULL name */

bool rule_is_word(const char *text);

/* The nearest word to one that is none, or NULL. */
const char *rule_nearest_word(const char *text);

/* Says why a word is wrong where it stands.  -EINVAL. */
int rule_refuse_word(struct rule_parser *parser, const struct word *word);

/* rule_check.c: what contradicts itself.  -EINVAL. */
int rule_check(const struct rule *rule, struct err *why);

/* The family that the protocol and the addresses leave possible. */
enum family rule_family_implied(const struct rule *rule);

#endif
