/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions of one rule that no packet satisfies together. */
#include <stddef.h>
#include <string.h>

#include "rules/cover.h"
#include "rules/tcp_flags.h"
#include "rules/terms.h"
#include "rules/warn.h"

#define STATE_CONVERSING (STATE_NEW | STATE_ESTABLISHED)

static unsigned int tcp_states(const struct rule *rule)
{
	unsigned int flags;

	for (flags = 0; flags < 256; flags++)
		if ((flags & rule->flags_mask) == rule->flags_value &&
		    tcp_flags_valid(flags))
			return STATE_CONVERSING | STATE_INVALID;
	return STATE_INVALID;
}

static bool has_type(const struct rule *rule, unsigned int type)
{
	return !rule->has_icmp_types ||
	       rule->icmp_types[type / 64] >> type % 64 & 1;
}

/* Errors are about another packet; the rest stands for itself. */
static bool is_error(const struct rule *rule, unsigned int type)
{
	if (rule->protocol == IPPROTO_ICMPV6)
		return type < 128;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static unsigned int icmp_states(const struct rule *rule)
{
	unsigned int type, states = STATE_INVALID;

	for (type = 0; type < 256; type++)
		if (has_type(rule, type))
			states |= is_error(rule, type) ? STATE_RELATED
						       : STATE_CONVERSING;
	return states;
}

/* The states that packets which the rule is about can be in. */
static unsigned int possible_states(const struct rule *rule)
{
	switch (rule->protocol) {
	case PROTOCOL_ANY:
		return STATE_CONVERSING | STATE_RELATED | STATE_INVALID;
	case IPPROTO_TCP:
		return tcp_states(rule);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return icmp_states(rule);
	default:
		return STATE_CONVERSING | STATE_INVALID;
	}
}

static const char *state_contradiction(const struct rule *rule)
{
	if (!rule->states || rule->states & possible_states(rule))
		return NULL;
	if (rule->states == STATE_RELATED && rule->protocol != IPPROTO_ICMP &&
	    rule->protocol != IPPROTO_ICMPV6)
		return "only ICMP errors are related";
	if (rule->protocol == IPPROTO_TCP)
		return "packets with such flags are invalid";
	return rule->states & STATE_RELATED
		       ? "only ICMP errors are related"
		       : "ICMP errors are related or invalid";
}

static unsigned int shortest(const struct rule *rule)
{
	unsigned int ip = rule->family == FAMILY_IP6 ? 40 : 20;

	switch (rule->protocol) {
	case IPPROTO_TCP:
		return ip + 20;
	case IPPROTO_UDP:
		return ip + 8;
	default:
		return ip; /* malformed ones, and fragments, are shorter */
	}
}

/* A later fragment of TCP or UDP may be as short as its IP header. */
static const char *length_contradiction(const struct rule *rule)
{
	bool is_whole = rule->flags_mask || rule->from.n_ports ||
			rule->to.n_ports || rule->from.n_port_sets ||
			rule->to.n_port_sets;
	unsigned int ip = rule->family == FAMILY_IP6 ? 40 : 20;

	if (!rule->has_length ||
	    rule->length_last >= (is_whole ? shortest(rule) : ip))
		return NULL;
	return "no such packet is that short: its headers are longer";
}

/* Whether a negated list has all addresses that the rule is about. */
static bool excepts_all(const struct rule *rule, const struct endpoint *end)
{
	static const struct network every[] = {
		{ FAMILY_IP4,
		  { { { [10] = 0xff, [11] = 0xff } } },
		  { { { [10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } } } },
		{ FAMILY_IP6, { { { 0 } } }, { { { [0 ... 15] = 0xff } } } },
	};
	bool has4, has6;

	if (!end->negated)
		return false;
	has4 = networks_within(&every[0], 1, end->networks, end->n_networks);
	has6 = networks_within(&every[1], 1, end->networks, end->n_networks);
	return (has4 || rule->family == FAMILY_IP6) &&
	       (has6 || rule->family == FAMILY_IP4);
}

const char *rule_contradiction(const struct rule *rule)
{
	const char *why = state_contradiction(rule);

	if (!why)
		why = length_contradiction(rule);
	if (!why &&
	    (excepts_all(rule, &rule->from) || excepts_all(rule, &rule->to)))
		why = "it excepts all addresses";
	return why;
}
