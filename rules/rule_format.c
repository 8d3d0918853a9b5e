/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule in canonical form. */
#include <netinet/in.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "rules/endpoint.h"
#include "rules/port.h"
#include "rules/rule.h"
#include "rules/rule_parser.h"
#include "rules/terms.h"

/* What stands between the elements of a list: a blank first, then commas. */
static void separate(FILE *out, bool *first)
{
	putc(*first ? ' ' : ',', out);
	*first = false;
}

static void format_addresses(const struct endpoint *endpoint, FILE *out)
{
	if (endpoint->negated)
		fputs(" not", out);
	if (!endpoint->n_networks && !endpoint->n_sets)
		return;
	putc(' ', out);
	endpoint_print_addresses(endpoint, out);
}

static void format_ports(const struct endpoint *endpoint, FILE *out)
{
	char text[PORT_TEXT_MAX];
	bool first = true;
	size_t i;

	if (endpoint->n_ports || endpoint->n_port_sets)
		fputs(" port", out);
	for (i = 0; i < endpoint->n_ports; i++) {
		port_format(&endpoint->ports[i], text);
		separate(out, &first);
		fputs(text, out);
	}
	for (i = 0; i < endpoint->n_port_sets; i++) {
		separate(out, &first);
		fprintf(out, "@%s", endpoint->port_sets[i]);
	}
}

static void format_endpoint(const struct endpoint *endpoint, const char *name,
			    FILE *out)
{
	if (!endpoint->n_networks && !endpoint->n_sets && !endpoint->n_ports &&
	    !endpoint->n_port_sets)
		return;
	fprintf(out, " %s", name);
	format_addresses(endpoint, out);
	format_ports(endpoint, out);
}

static void format_protocol(const struct rule *rule, FILE *out)
{
	const char *name;

	if (rule->family != FAMILY_ANY &&
	    rule->family != rule_family_implied(rule))
		fputs(rule->family == FAMILY_IP4 ? " ip4" : " ip6", out);
	if (rule->protocol == PROTOCOL_ANY)
		return;
	name = term_name(protocol_terms, rule->protocol);
	if (name)
		fprintf(out, " %s", name);
	else
		fprintf(out, " %d", rule->protocol);
}

static void format_icmp_types(const struct rule *rule, FILE *out)
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
			fputs(name, out);
		else
			fprintf(out, "%u", type);
	}
}

/* The names of the bits that are set, with commas. */
static void format_bits(const struct term *terms, unsigned int bits, FILE *out)
{
	const char *comma = "";

	for (; terms->name; terms++) {
		if (!(bits & terms->value))
			continue;
		fprintf(out, "%s%s", comma, terms->name);
		comma = ",";
	}
}

static void format_flags(const struct rule *rule, FILE *out)
{
	if (!rule->flags_mask)
		return;
	fputs(" flags ", out);
	if (rule->flags_value)
		format_bits(flag_terms, rule->flags_value, out);
	else
		fputs("NONE", out);
	putc('/', out);
	if (rule->flags_mask == 0xff)
		fputs("ALL", out);
	else
		format_bits(flag_terms, rule->flags_mask, out);
}

static void format_matches(const struct rule *rule, FILE *out)
{
	if (rule->states) {
		putc(' ', out);
		format_bits(state_terms, rule->states, out);
	}
	format_flags(rule, out);
	if (rule->has_mark)
		fprintf(out, " mark 0x%x", rule->mark);
	if (rule->has_mark && rule->mark_mask != UINT32_MAX)
		fprintf(out, "/0x%x", rule->mark_mask);
	if (rule->dscp != DSCP_ANY) {
		const char *name = term_name(dscp_terms, rule->dscp);

		if (name)
			fprintf(out, " dscp %s", name);
		else
			fprintf(out, " dscp %d", rule->dscp);
	}
	if (rule->iface)
		fprintf(out, " iface %s", rule->iface);
	if (rule->has_uid)
		fprintf(out, " uid %u", rule->uid);
	if (rule->has_length)
		fprintf(out, " length %u", rule->length_first);
	if (rule->has_length && rule->length_first != rule->length_last)
		fprintf(out, "-%u", rule->length_last);
}

static void format_quoted(const char *text, FILE *out)
{
	fputs(" \"", out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void format_options(const struct rule *rule, FILE *out)
{
	if (rule->log)
		fputs(" log", out);
	if (rule->log_prefix)
		format_quoted(rule->log_prefix, out);
	if (rule->limit_count)
		fprintf(out, " limit %u/%c", rule->limit_count,
			rule->limit_seconds == 1 ? 's' : 'm');
	if (rule->limit_per_source)
		fputs(" per source", out);
	if (rule->limit_count && rule->limit_burst != LIMIT_BURST_DEFAULT)
		fprintf(out, " burst %u", rule->limit_burst);
	if (rule->comment) {
		fputs(" comment", out);
		format_quoted(rule->comment, out);
	}
}

int rule_format(const struct rule *rule, char **ret_text)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	fputs(term_name(verdict_terms, rule->verdict), out);
	format_protocol(rule, out);
	format_icmp_types(rule, out);
	format_endpoint(&rule->from, "from", out);
	format_endpoint(&rule->to, "to", out);
	format_matches(rule, out);
	format_options(rule, out);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}
