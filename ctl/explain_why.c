/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions that a packet does not satisfy, in words. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/array.h"
#include "ctl/explain.h"
#include "rules/terms.h"

static const struct {
	uint32_t look;
	const char *name;
} conditions[] = {
	{ LOOK_FAMILY, "family" },
	{ LOOK_PROTOCOL, "protocol" },
	{ LOOK_SRC, "from" },
	{ LOOK_DST, "to" },
	{ LOOK_SRC_PORT, "from-port" },
	{ LOOK_DST_PORT, "to-port" },
	{ LOOK_STATE, "state" },
	{ LOOK_ICMP_TYPE, "icmp-type" },
	{ LOOK_TCP_FLAGS, "flags" },
	{ LOOK_MARK, "mark" },
	{ LOOK_DSCP, "dscp" },
	{ LOOK_IFINDEX, "iface" },
	{ LOOK_IFACES, "iface" },
	{ LOOK_UID, "uid" },
	{ LOOK_LENGTH, "length" },
	{ LOOK_LIMIT, "limit" },
	{ MISSED_LOOPBACK, "loopback" },
};

const char *explain_condition(uint32_t missed)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (conditions[i].look == missed)
			return conditions[i].name;
	return "?";
}

static void address_why(const struct sample *sample,
			const struct sample_end *end, bool is_from, char *why)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (sample->family == FAMILY_IP6)
		inet_ntop(AF_INET6, &end->address, text, sizeof(text));
	else
		inet_ntop(AF_INET, &end->address.s6_addr[12], text,
			  sizeof(text));
	snprintf(why, WHY_MAX, "it %s %s%s", is_from ? "comes from" : "goes to",
		 text, end->has_address ? "" : ", as no address was given");
}

static void protocol_why(const struct sample *sample, char *why)
{
	const char *name = term_name(protocol_terms, sample->protocol);

	if (name)
		snprintf(why, WHY_MAX, "it is %s", name);
	else
		snprintf(why, WHY_MAX, "its protocol is %u", sample->protocol);
}

static void port_why(const struct sample *sample, uint16_t port, bool is_from,
		     char *why)
{
	if (sample->has_ports)
		snprintf(why, WHY_MAX, "it %s port %u",
			 is_from ? "comes from" : "goes to", port);
	else
		snprintf(why, WHY_MAX, "it has no ports");
}

static void type_why(const struct sample *sample, char *why)
{
	if (sample->protocol == IPPROTO_ICMP ||
	    sample->protocol == IPPROTO_ICMPV6)
		snprintf(why, WHY_MAX, "its ICMP type is %u",
			 sample->icmp_type);
	else
		snprintf(why, WHY_MAX, "it is no ICMP message");
}

static void flags_why(const struct sample *sample, char *why)
{
	char flags[SAMPLE_FLAGS_MAX];

	sample_flags_format(sample->flags, flags);
	snprintf(why, WHY_MAX, "its flags are %s", flags);
}

static void iface_why(const struct sample *sample, char *why)
{
	if (*sample->iface)
		snprintf(why, WHY_MAX, "it passes %s", sample->iface);
	else
		snprintf(why, WHY_MAX,
			 "it is not known which interface it passes (iface "
			 "NAME says it)");
}

static void uid_why(const struct sample *sample, char *why)
{
	if (sample->has_uid)
		snprintf(why, WHY_MAX, "its user is %u", sample->uid);
	else
		snprintf(why, WHY_MAX, "its user is not known (uid N says it)");
}

void explain_why(const struct explanation *explanation,
		 const struct almost *almost, char ret_why[static WHY_MAX])
{
	const struct sample *sample = &explanation->sample;

	switch (almost->missed) {
	case LOOK_FAMILY:
		snprintf(ret_why, WHY_MAX, "it is IPv%d",
			 sample->family == FAMILY_IP4 ? 4 : 6);
		return;
	case LOOK_PROTOCOL:
		return protocol_why(sample, ret_why);
	case LOOK_SRC:
		return address_why(sample, &sample->src, true, ret_why);
	case LOOK_DST:
		return address_why(sample, &sample->dst, false, ret_why);
	case LOOK_SRC_PORT:
		return port_why(sample, sample->src.port, true, ret_why);
	case LOOK_DST_PORT:
		return port_why(sample, sample->dst.port, false, ret_why);
	case LOOK_STATE:
		snprintf(ret_why, WHY_MAX, "it is %s",
			 term_name(state_terms, sample->states));
		return;
	case LOOK_ICMP_TYPE:
		return type_why(sample, ret_why);
	case LOOK_TCP_FLAGS:
		return flags_why(sample, ret_why);
	case LOOK_MARK:
		snprintf(ret_why, WHY_MAX, "its mark is 0x%x", sample->mark);
		return;
	case LOOK_DSCP:
		snprintf(ret_why, WHY_MAX, "its dscp is %u", sample->dscp);
		return;
	case LOOK_IFINDEX:
	case LOOK_IFACES:
		return iface_why(sample, ret_why);
	case LOOK_UID:
		return uid_why(sample, ret_why);
	case LOOK_LENGTH:
		snprintf(ret_why, WHY_MAX, "it is %u bytes long",
			 sample->length);
		return;
	case LOOK_LIMIT:
		snprintf(ret_why, WHY_MAX, "its limit is used up now");
		return;
	default:
		snprintf(ret_why, WHY_MAX,
			 "it passes lo, where only rules with iface count");
	}
}
