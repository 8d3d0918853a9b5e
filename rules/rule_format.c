/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule in canonical form. */
#include <netinet/in.h>

#include "base/text.h"
#include "rules/endpoint.h"
#include "rules/iface.h"
#include "rules/port.h"
#include "rules/rule.h"
#include "rules/rule_parser.h"
#include "rules/terms.h"

static void put_two(struct text *out, const char *first, const char *second)
{
	text_put(out, first);
	text_put(out, second);
}

static void put_number(struct text *out, const char *before, uint32_t number)
{
	text_put(out, before);
	text_number(out, number);
}

static void put_hex(struct text *out, const char *before, uint32_t number)
{
	text_put(out, before);
	text_hex(out, number);
}

/* What stands between the elements of a list: a blank first, then commas. */
static void separate(struct text *out, bool *first)
{
	text_char(out, *first ? ' ' : ',');
	*first = false;
}

static void format_addresses(const struct endpoint *endpoint, struct text *out)
{
	if (endpoint->negated)
		text_put(out, " not");
	if (!endpoint->n_networks && !endpoint->n_sets)
		return;
	text_char(out, ' ');
	endpoint_put_addresses(endpoint, out);
}

static void format_ports(const struct endpoint *endpoint, struct text *out)
{
	char text[PORT_TEXT_MAX];
	bool first = true;
	size_t i;

	if (endpoint->n_ports || endpoint->n_port_sets)
		text_put(out, " port");
	for (i = 0; i < endpoint->n_ports; i++) {
		port_format(&endpoint->ports[i], text);
		separate(out, &first);
		text_put(out, text);
	}
	for (i = 0; i < endpoint->n_port_sets; i++) {
		separate(out, &first);
		put_two(out, "@", endpoint->port_sets[i]);
	}
}

static void format_endpoint(const struct endpoint *endpoint, const char *name,
			    struct text *out)
{
	if (!endpoint->n_networks && !endpoint->n_sets && !endpoint->n_ports &&
	    !endpoint->n_port_sets)
		return;
	put_two(out, " ", name);
	format_addresses(endpoint, out);
	format_ports(endpoint, out);
}

static void put_protocol(struct text *out, unsigned int protocol)
{
	const char *name = term_name(protocol_terms, protocol);

	if (name)
		text_put(out, name);
	else
		text_number(out, protocol);
}

static void format_protocol(const struct rule *rule, struct text *out)
{
	bool first = true;
	unsigned int i;

	if (rule->family != FAMILY_ANY &&
	    rule->family != rule_family_implied(rule))
		text_put(out, rule->family == FAMILY_IP4 ? " ip4" : " ip6");
	if (rule->protocol != PROTOCOL_ANY) {
		separate(out, &first);
		put_protocol(out, rule->protocol);
	}
	for (i = 0; rule->has_protocols && i < 256; i++) {
		if (!rule_has_protocol(rule, i))
			continue;
		separate(out, &first);
		put_protocol(out, i);
	}
}

static void format_icmp_types(const struct rule *rule, struct text *out)
{
	const struct term *terms = rule->protocol == IPPROTO_ICMP ? icmp_terms
								  : icmp6_terms;
	bool first = true;
	unsigned int type;

	for (type = 0; rule->has_icmp_types && type < 256; type++) {
		const char *name = term_name(terms, type);

		if (!(rule->icmp_types[type / 64] >> type % 64 & 1))
			continue;
		separate(out, &first);
		if (name)
			text_put(out, name);
		else
			text_number(out, type);
	}
}

/* The names of the bits that are set, with commas. */
static void format_bits(const struct term *terms, unsigned int bits,
			struct text *out)
{
	const char *comma = "";

	for (; terms->name; terms++) {
		if (!(bits & terms->value))
			continue;
		put_two(out, comma, terms->name);
		comma = ",";
	}
}

static void format_flags(const struct rule *rule, struct text *out)
{
	if (!rule->flags_mask)
		return;
	text_put(out, " flags ");
	if (rule->flags_value)
		format_bits(flag_terms, rule->flags_value, out);
	else
		text_put(out, "NONE");
	text_char(out, '/');
	if (rule->flags_mask == 0xff)
		text_put(out, "ALL");
	else
		format_bits(flag_terms, rule->flags_mask, out);
}

static void format_matches(const struct rule *rule, struct text *out)
{
	if (rule->states) {
		text_char(out, ' ');
		format_bits(state_terms, rule->states, out);
	}
	format_flags(rule, out);
	if (rule->has_mark)
		put_hex(out, " mark ", rule->mark);
	if (rule->has_mark && rule->mark_mask != UINT32_MAX)
		put_hex(out, "/", rule->mark_mask);
	if (rule->dscp != DSCP_ANY) {
		const char *name = term_name(dscp_terms, rule->dscp);

		if (name)
			put_two(out, " dscp ", name);
		else
			put_number(out, " dscp ", rule->dscp);
	}
	if (ifaces_are_named(&rule->ifaces)) {
		text_put(out, " iface ");
		ifaces_put(&rule->ifaces, out);
	}
	if (rule->has_uid)
		put_number(out, " uid ", rule->uid);
	if (rule->has_length)
		put_number(out, " length ", rule->length_first);
	if (rule->has_length && rule->length_first != rule->length_last)
		put_number(out, "-", rule->length_last);
}

static void format_quoted(const char *text, struct text *out)
{
	text_put(out, " \"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			text_char(out, '\\');
		text_char(out, *text);
	}
	text_char(out, '"');
}

static void format_log(const struct rule *rule, struct text *out)
{
	text_put(out, " log");
	if (rule->log_prefix)
		format_quoted(rule->log_prefix, out);
	if (!rule->log_count)
		return;
	put_number(out, " ", rule->log_count);
	text_put(out, rule->log_seconds == 1 ? "/s" : "/m");
	if (rule->log_burst != LOG_BURST_DEFAULT)
		put_number(out, " burst ", rule->log_burst);
}

static void format_options(const struct rule *rule, struct text *out)
{
	if (rule->log)
		format_log(rule, out);
	if (rule->limit_count) {
		put_number(out, " limit ", rule->limit_count);
		text_put(out, rule->limit_seconds == 1 ? "/s" : "/m");
	}
	if (rule->limit_per_source)
		text_put(out, " per source");
	if (rule->limit_count && rule->limit_burst != LIMIT_BURST_DEFAULT)
		put_number(out, " burst ", rule->limit_burst);
	if (rule->comment) {
		text_put(out, " comment");
		format_quoted(rule->comment, out);
	}
}

int rule_format(const struct rule *rule, char **ret_text)
{
	struct text text, *out = &text;

	text_begin(out);
	text_put(out, term_name(action_terms, rule->verdict));
	if (rule->chain)
		put_two(out, " ", rule->chain);
	format_protocol(rule, out);
	format_icmp_types(rule, out);
	format_endpoint(&rule->from, "from", out);
	format_endpoint(&rule->to, "to", out);
	format_matches(rule, out);
	format_options(rule, out);
	return text_take(out, ret_text);
}
