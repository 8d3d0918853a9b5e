/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/netns/nft_text.h"

#include <assert.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/address.h"

/* A rule of one family, as it becomes a line. */
struct line {
	const struct policy *policy;
	const struct rule *rule;
	enum family family;
	bool never; /* no packet fits */
	FILE *out;
};

static const char *ip_of(const struct line *line)
{
	return line->family == FAMILY_IP4 ? "ip" : "ip6";
}

/* ------------------------------------------------------------ addresses */

struct networks {
	struct network *list;
	size_t n_list;
};

static void networks_add(struct networks *networks, const struct network *list,
			 size_t n, enum family family)
{
	struct network *place;
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].family != family)
			continue;
		place = ARRAY_ADD(networks, list);
		assert(place);
		*place = list[i];
	}
}

static struct in6_addr address_of(span_end end, enum family family)
{
	struct in6_addr address = { 0 };
	size_t i;

	if (family == FAMILY_IP4)
		end |= (span_end)0xffff << 32;
	for (i = sizeof(address.s6_addr); i-- > 0; end >>= 8)
		address.s6_addr[i] = end;
	return address;
}

static void elements_to_networks(struct networks *networks,
				 const struct elements *elements,
				 enum family family)
{
	const struct element_list *of =
		&elements->of[family == FAMILY_IP4 ? SET_IP4 : SET_IP6];
	size_t i;

	for (i = 0; i < of->n_list; i++) {
		struct network network = {
			.first = address_of(of->list[i].first, family),
			.last = address_of(of->list[i].last, family),
			.family = family,
		};

		networks_add(networks, &network, 1, family);
	}
}

static void write_address(const struct in6_addr *address, FILE *out)
{
	char text[INET6_ADDRSTRLEN];
	bool is_mapped = IN6_IS_ADDR_V4MAPPED(address);

	fputs(inet_ntop(is_mapped ? AF_INET : AF_INET6,
			is_mapped ? (const void *)&address->s6_addr[12]
				  : (const void *)address,
			text, sizeof(text)),
	      out);
}

static void write_networks(const struct networks *networks, FILE *out)
{
	size_t i;

	for (i = 0; i < networks->n_list; i++) {
		const struct network *network = &networks->list[i];

		fputs(i ? ", " : "{ ", out);
		write_address(&network->first, out);
		if (memcmp(&network->first, &network->last, 16) == 0)
			continue;
		fputc('-', out);
		write_address(&network->last, out);
	}
	fputs(" } ", out);
}

static void write_addresses(struct line *line, const struct endpoint *end,
			    const char *field)
{
	struct networks networks = { 0 };
	size_t i;

	if (end->n_networks + end->n_sets == 0)
		return;
	networks_add(&networks, end->networks, end->n_networks, line->family);
	for (i = 0; i < end->n_sets; i++) {
		const struct set *set = policy_set(line->policy, end->sets[i]);

		elements_to_networks(&networks, &set->elements, line->family);
	}
	networks_merge(networks.list, &networks.n_list);
	line->never |= !networks.n_list && !end->negated;
	if (networks.n_list) {
		fprintf(line->out, "%s %s %s", ip_of(line), field,
			end->negated ? "!= " : "");
		write_networks(&networks, line->out);
	}
	free(networks.list);
}

/* ---------------------------------------------------------------- ports */

static void ports_add(uint8_t *ports, const struct port_range *list, size_t n)
{
	unsigned int port;
	size_t i;

	for (i = 0; i < n; i++)
		for (port = list[i].first; port <= list[i].last; port++)
			ports[port] = 1;
}

static void elements_to_ports(uint8_t *ports, const struct elements *elements)
{
	const struct element_list *of = &elements->of[SET_IP4];
	size_t i;

	for (i = 0; i < of->n_list; i++)
		ports_add(ports,
			  &(struct port_range){ of->list[i].first,
						of->list[i].last },
			  1);
}

/* Ranges of those that are in; returns whether there is one. */
static bool write_ranges(const uint8_t *in, unsigned int n, FILE *out)
{
	unsigned int first = 0, last;
	bool had = false;

	for (; first < n; first = last + 1) {
		last = first;
		if (!in[first])
			continue;
		while (last + 1 < n && in[last + 1])
			last++;
		fprintf(out, "%s%u", had ? ", " : "{ ", first);
		if (last > first)
			fprintf(out, "-%u", last);
		had = true;
	}
	if (had)
		fputs(" } ", out);
	return had;
}

static void write_ports(struct line *line, const struct endpoint *end,
			const char *field)
{
	AUTO_FREE uint8_t *ports = calloc(65536, 1);
	size_t i;

	assert(ports);
	if (end->n_ports + end->n_port_sets == 0)
		return;
	ports_add(ports, end->ports, end->n_ports);
	for (i = 0; i < end->n_port_sets; i++) {
		const struct set *set =
			policy_set(line->policy, end->port_sets[i]);

		elements_to_ports(ports, &set->elements);
	}
	fprintf(line->out, "th %s ", field);
	if (!write_ranges(ports, 65536, line->out))
		line->never = true;
}

/* -------------------------------------------------------------- matches */

static void write_icmp(struct line *line)
{
	const struct rule *rule = line->rule;
	uint8_t types[256];
	unsigned int i;

	if (!rule->has_icmp_types)
		return;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		types[i] = rule->icmp_types[i / 64] >> i % 64 & 1;
	fprintf(line->out, "%s type ",
		line->family == FAMILY_IP4 ? "icmp" : "icmpv6");
	if (!write_ranges(types, ARRAY_SIZE(types), line->out))
		line->never = true;
}

/* IPv6 says how long what is behind its header is. */
static void write_length(struct line *line)
{
	const struct rule *rule = line->rule;
	int header = line->family == FAMILY_IP4 ? 0 : 40;
	int first = rule->length_first - header;
	int last = rule->length_last - header;

	if (!rule->has_length)
		return;
	line->never |= last < 0;
	fprintf(line->out, "%s length %d-%d ", ip_of(line),
		first < 0 ? 0 : first, last < 0 ? 0 : last);
}

static void write_matches(struct line *line)
{
	const struct rule *rule = line->rule;

	write_icmp(line);
	if (rule->flags_mask)
		fprintf(line->out, "tcp flags & %#x == %#x ", rule->flags_mask,
			rule->flags_value);
	if (rule->has_mark)
		fprintf(line->out, "meta mark & %#x == %#x ", rule->mark_mask,
			rule->mark);
	if (rule->dscp != DSCP_ANY)
		fprintf(line->out, "%s dscp %d ", ip_of(line), rule->dscp);
	write_length(line);
}

static void write_verdict(const struct chain *chain, uint32_t number,
			  enum verdict verdict, const char *jump, FILE *out)
{
	static const char *const words[] = {
		[VERDICT_DENY] = "drop",     [VERDICT_ALLOW] = "accept",
		[VERDICT_REJECT] = "drop",   [VERDICT_JUMP] = "jump ",
		[VERDICT_RETURN] = "return",
	};

	fprintf(out, "counter %s%s comment \"%s:%u\"\n", words[verdict],
		jump ? jump : "", chain->name, number);
}

/*
 * At a device nft takes what it finds in a later fragment for ports, flags and
 * types: so it has to be told which packets those are.
 */
#define LATER_FRAGMENT "1:1"

static void write_fragments(FILE *out)
{
	fputs("\t\tip frag-off & 0x1fff != 0 meta priority set " LATER_FRAGMENT
	      "\n"
	      "\t\tfrag frag-off != 0 meta priority set " LATER_FRAGMENT "\n",
	      out);
}

static bool looks_behind_ip(const struct rule *rule)
{
	return rule->from.n_ports || rule->from.n_port_sets ||
	       rule->to.n_ports || rule->to.n_port_sets ||
	       rule->has_icmp_types || rule->flags_mask;
}

/* A line of a rule for a family; nothing where no packet would fit. */
static void write_line(const struct policy *policy, const struct chain *chain,
		       const struct rule *rule, enum family family, FILE *out)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	struct line line = { .policy = policy,
			     .rule = rule,
			     .family = family,
			     .out = open_memstream(&text, &size) };

	assert(line.out);
	fprintf(line.out, "meta protocol %s ", ip_of(&line));
	if (looks_behind_ip(rule))
		fputs("meta priority != " LATER_FRAGMENT " ", line.out);
	if (rule->protocol != PROTOCOL_ANY)
		fprintf(line.out, "meta l4proto %d ", rule->protocol);
	write_addresses(&line, &rule->from, "saddr");
	write_addresses(&line, &rule->to, "daddr");
	write_ports(&line, &rule->from, "sport");
	write_ports(&line, &rule->to, "dport");
	write_matches(&line);
	fclose(line.out);
	if (line.never)
		return;
	fprintf(out, "\t\t%s", text);
	write_verdict(chain, rule->number, rule->verdict, rule->chain, out);
}

static void write_chain(const struct policy *policy, const struct chain *chain,
			FILE *out)
{
	size_t i;

	fprintf(out, "\tchain %s {\n", chain->name);
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];

		if (rule->family != FAMILY_IP6)
			write_line(policy, chain, rule, FAMILY_IP4, out);
		if (rule->family != FAMILY_IP4)
			write_line(policy, chain, rule, FAMILY_IP6, out);
	}
	fputs("\t}\n", out);
}

/* The first is jumped to, too: where it returns its policy is next. */
void nft_write(const struct policy *policy, const char *device, FILE *out)
{
	const struct chain *first = &policy->chains[0];
	size_t i;

	fputs("table netdev same {\n", out);
	for (i = policy->n_chains; i-- > 0;)
		write_chain(policy, &policy->chains[i], out);
	fprintf(out,
		"\tchain arrives {\n"
		"\t\ttype filter hook ingress device \"%s\" priority 0; "
		"policy accept;\n"
		"\t\tcounter continue comment \"all\"\n",
		device);
	write_fragments(out);
	fprintf(out, "\t\tjump %s\n\t\t", first->name);
	write_verdict(first, 0, first->policy, NULL, out);
	fputs("\t}\n}\n", out);
}
