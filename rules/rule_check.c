/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that could be read but contradict themselves. */
#include <netinet/in.h>

#include "rules/address.h"
#include "rules/rule.h"
#include "rules/rule_parser.h"

static bool has_ports(const struct endpoint *endpoint)
{
	return endpoint->n_ports || endpoint->n_port_sets;
}

static bool has_ports_of_its_own(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_SCTP;
}

bool rule_has_ports(const struct rule *rule)
{
	unsigned int i;

	if (!rule->has_protocols)
		return rule->protocol != PROTOCOL_ANY &&
		       has_ports_of_its_own(rule->protocol);
	for (i = 0; i < 256; i++)
		if (rule_has_protocol(rule, i) && !has_ports_of_its_own(i))
			return false;
	return true;
}

static int check_ports(const struct rule *rule, struct err *why)
{
	if (!has_ports(&rule->from) && !has_ports(&rule->to))
		return 0;
	if (rule_has_ports(rule))
		return 0;
	if (rule->has_protocols)
		return err_say(why, -EINVAL,
			       "one of the protocols has no ports (tcp, udp "
			       "and sctp have)");
	if (rule->protocol == PROTOCOL_ANY)
		return err_say(why, -EINVAL,
			       "ports need a protocol that has them (put tcp, "
			       "udp or sctp before from and to)");
	return err_say(why, -EINVAL,
		       "the protocol has no ports (tcp, udp and sctp have)");
}

/* The family that a list of addresses allows, FAMILY_ANY: both. */
static enum family endpoint_family(const struct endpoint *endpoint)
{
	size_t i;

	if (endpoint->negated || endpoint->n_sets || !endpoint->n_networks)
		return FAMILY_ANY;
	for (i = 1; i < endpoint->n_networks; i++)
		if (endpoint->networks[i].family !=
		    endpoint->networks[0].family)
			return FAMILY_ANY;
	return endpoint->networks[0].family;
}

enum family rule_family_implied(const struct rule *rule)
{
	enum family family;

	if (rule->protocol == IPPROTO_ICMP)
		return FAMILY_IP4;
	if (rule->protocol == IPPROTO_ICMPV6)
		return FAMILY_IP6;
	family = endpoint_family(&rule->from);
	return family == FAMILY_ANY ? endpoint_family(&rule->to) : family;
}

static const char *family_name(enum family family)
{
	return family == FAMILY_IP4 ? "IPv4" : "IPv6";
}

/* All addresses of the endpoint must be of the rule's family. */
static int check_family(const struct endpoint *endpoint, enum family family,
			const char *because, struct err *why)
{
	char text[NETWORK_TEXT_MAX];
	size_t i;

	for (i = 0; i < endpoint->n_networks; i++) {
		if (endpoint->networks[i].family == family)
			continue;
		network_format(&endpoint->networks[i], text);
		return err_say(why, -EINVAL, "%s is %s, but %s is %s", text,
			       family_name(endpoint->networks[i].family),
			       because, family_name(family));
	}
	return 0;
}

static int check_families(const struct rule *rule, struct err *why)
{
	enum family implied = rule_family_implied(rule);
	enum family family = rule->family ? rule->family : implied;
	const char *because = "the other side";
	int r;

	if (rule->protocol == IPPROTO_ICMP && family != FAMILY_IP4)
		return err_say(why, -EINVAL,
			       "icmp is IPv4 only (with ip6 try icmp6)");
	if (rule->protocol == IPPROTO_ICMPV6 && family != FAMILY_IP6)
		return err_say(why, -EINVAL,
			       "icmp6 is IPv6 only (with ip4 try icmp)");
	if (family == FAMILY_ANY)
		return 0;
	if (rule->protocol == IPPROTO_ICMP)
		because = "icmp";
	else if (rule->protocol == IPPROTO_ICMPV6)
		because = "icmp6";
	else if (rule->family)
		because = "the rule";
	r = check_family(&rule->from, family, because, why);
	return r < 0 ? r : check_family(&rule->to, family, because, why);
}

int rule_check(const struct rule *rule, struct err *why)
{
	int r;

	if (rule->has_protocols && (rule_has_protocol(rule, IPPROTO_ICMP) ||
				    rule_has_protocol(rule, IPPROTO_ICMPV6)))
		return err_say(why, -EINVAL,
			       "icmp and icmp6 stand in no list, as each is of "
			       "one family (make two rules of it)");
	r = check_ports(rule, why);
	if (r < 0)
		return r;
	if (rule->flags_mask && rule->protocol != IPPROTO_TCP)
		return err_say(why, -EINVAL,
			       "flags need tcp right after the verdict");
	if (rule->limit_count && rule->verdict >= VERDICT_JUMP)
		return err_say(why, -EINVAL,
			       "limit does not go with jump or return (put it "
			       "on rules that allow, deny or reject)");
	if (rule->log && rule->verdict >= VERDICT_JUMP)
		return err_say(why, -EINVAL,
			       "log does not go with jump or return (put it on "
			       "rules that allow, deny or reject)");
	return check_families(rule, why);
}
