/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One rule as text, and back.  The canonical text of a rule is the shortest
 * with a fixed order, and parses to the same rule again.
 */
#ifndef WEIR_RULES_RULE_H
#define WEIR_RULES_RULE_H

#include "base/err.h"
#include "rules/policy.h"

/*
 * Fills in all but number and where, text included.  -EINVAL, with why
 * saying what would do, or -ENOMEM; ret_rule is then untouched.
 */
int rule_parse(const char *text, struct rule *ret_rule, struct err *why);

/*
 * Does the same with n of them, on several processors.  One that fails is left
 * untouched: whoever had no text in it asks rule_parse why.
 */
void rules_parse(const char *const *texts, size_t n, struct rule *rules);

/* The canonical text.  -ENOMEM. */
int rule_format(const struct rule *rule, char **ret_text);

/* Frees what the rule has, not the rule. */
void rule_clear(struct rule *rule);

#define LOG_PREFIX_MAX	    63
#define COMMENT_MAX	    255
#define LIMIT_COUNT_MAX	    1000000
#define LIMIT_BURST_DEFAULT 5 /* as in iptables and nft */

/* Of `log` where the rule does not say it: events a second, and at once. */
#define LOG_COUNT_DEFAULT 10
#define LOG_BURST_DEFAULT 20

/* Whether one that it names is this. */
static inline bool rule_has_protocol(const struct rule *rule,
				     unsigned int protocol)
{
	if (rule->has_protocols)
		return rule->protocols[protocol / 64] >> protocol % 64 & 1;
	return rule->protocol == (int)protocol;
}

/* Whether its protocol, or each of them, has ports. */
bool rule_has_ports(const struct rule *rule);

#endif
