/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/terms.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "rules/policy.h"

const struct term verdict_terms[] = {
	{ "allow", VERDICT_ALLOW },
	{ "deny", VERDICT_DENY },
	{ "reject", VERDICT_REJECT },
	{ NULL, 0 },
};

const struct term action_terms[] = {
	{ "allow", VERDICT_ALLOW },   { "deny", VERDICT_DENY },
	{ "reject", VERDICT_REJECT }, { "jump", VERDICT_JUMP },
	{ "return", VERDICT_RETURN }, { NULL, 0 },
};

const struct term state_terms[] = {
	{ "new", STATE_NEW },
	{ "established", STATE_ESTABLISHED },
	{ "related", STATE_RELATED },
	{ "invalid", STATE_INVALID },
	{ NULL, 0 },
};

const struct term protocol_terms[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmp6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },
	{ "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ NULL, 0 },
};

/* RFC 792, 950 and 1256, by the names that people know from nft. */
const struct term icmp_terms[] = {
	{ "echo-reply", 0 },	       { "destination-unreachable", 3 },
	{ "source-quench", 4 },	       { "redirect", 5 },
	{ "echo-request", 8 },	       { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 },
	{ "parameter-problem", 12 },   { "timestamp-request", 13 },
	{ "timestamp-reply", 14 },     { "info-request", 15 },
	{ "info-reply", 16 },	       { "address-mask-request", 17 },
	{ "address-mask-reply", 18 },  { NULL, 0 },
};

/* RFC 4443, 4861, 2710 and 3810; behind them what others call them. */
const struct term icmp6_terms[] = {
	{ "destination-unreachable", 1 },
	{ "packet-too-big", 2 },
	{ "time-exceeded", 3 },
	{ "parameter-problem", 4 },
	{ "echo-request", 128 },
	{ "echo-reply", 129 },
	{ "mld-query", 130 },
	{ "mld-report", 131 },
	{ "mld-done", 132 },
	{ "router-solicitation", 133 },
	{ "router-advertisement", 134 },
	{ "neighbour-solicitation", 135 },
	{ "neighbour-advertisement", 136 },
	{ "redirect", 137 },
	{ "router-renumbering", 138 },
	{ "mld2-report", 143 },
	{ "mld-listener-query", 130 },
	{ "mld-listener-report", 131 },
	{ "mld-listener-done", 132 },
	{ "mld-listener-reduction", 132 },
	{ "nd-router-solicit", 133 },
	{ "nd-router-advert", 134 },
	{ "neighbor-solicitation", 135 },
	{ "neighbor-advertisement", 136 },
	{ "nd-neighbor-solicit", 135 },
	{ "nd-neighbor-advert", 136 },
	{ "nd-redirect", 137 },
	{ "mld2-listener-report", 143 },
	{ NULL, 0 },
};

const struct term dscp_terms[] = {
	{ "cs0", 0 },	{ "le", 1 },	{ "cs1", 8 },  { "af11", 10 },
	{ "af12", 12 }, { "af13", 14 }, { "cs2", 16 }, { "af21", 18 },
	{ "af22", 20 }, { "af23", 22 }, { "cs3", 24 }, { "af31", 26 },
	{ "af32", 28 }, { "af33", 30 }, { "cs4", 32 }, { "af41", 34 },
	{ "af42", 36 }, { "af43", 38 }, { "cs5", 40 }, { "va", 44 },
	{ "ef", 46 },	{ "cs6", 48 },	{ "cs7", 56 }, { "be", 0 },
	{ "df", 0 },	{ NULL, 0 },
};

const struct term flag_terms[] = {
	{ "FIN", 0x01 }, { "SYN", 0x02 }, { "RST", 0x04 },
	{ "PSH", 0x08 }, { "ACK", 0x10 }, { "URG", 0x20 },
	{ "ECE", 0x40 }, { "CWR", 0x80 }, { NULL, 0 },
};

const struct term *term_find(const struct term *terms, const char *name)
{
	for (; terms->name; terms++)
		if (text_equal(terms->name, name))
			return terms;
	return NULL;
}

const char *term_name(const struct term *terms, unsigned int value)
{
	for (; terms->name; terms++)
		if (terms->value == value)
			return terms->name;
	return NULL;
}

void terms_suggest(const struct term *terms, struct suggestion *suggestion)
{
	for (; terms->name; terms++)
		suggestion_try(suggestion, terms->name);
}
