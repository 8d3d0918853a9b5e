/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rule sets as those read them who are compared. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench-rules/ruleset.h"

#define ADDRESS_MAX 20 /* a.b.c.d/nn */
#define PORTS_MAX   12 /* p-q */

static const char *protocol_name(uint8_t protocol)
{
	if (protocol == IPPROTO_TCP)
		return "tcp";
	return protocol == IPPROTO_UDP ? "udp" : "icmp";
}

static bool is_any_address(uint32_t first, uint32_t last)
{
	return first == 0 && last == UINT32_MAX;
}

static bool is_any_port(uint16_t first, uint16_t last)
{
	return first == 0 && last == 65535;
}

static const char *address(uint32_t first, uint32_t last,
			   char text[static ADDRESS_MAX])
{
	unsigned int length = ruleset_prefix(first, last), n;

	n = snprintf(text, ADDRESS_MAX, "%u.%u.%u.%u", first >> 24,
		     first >> 16 & 255, first >> 8 & 255, first & 255);
	if (length < 32)
		snprintf(text + n, ADDRESS_MAX - n, "/%u", length);
	return text;
}

static const char *ports(uint16_t first, uint16_t last, char between,
			 char text[static PORTS_MAX])
{
	unsigned int n = snprintf(text, PORTS_MAX, "%u", first);

	if (first != last)
		snprintf(text + n, PORTS_MAX - n, "%c%u", between, last);
	return text;
}

/* ---------------------------------------------------------------- weir */

static void write_weir_end(const char *word, uint32_t first, uint32_t last,
			   uint16_t port_first, uint16_t port_last, FILE *out)
{
	bool any = is_any_address(first, last);
	bool any_port = is_any_port(port_first, port_last);
	char text[ADDRESS_MAX], port_text[PORTS_MAX];

	if (any && any_port)
		return;
	fprintf(out, " %s", word);
	if (!any)
		fprintf(out, " %s", address(first, last, text));
	if (!any_port)
		fprintf(out, " port %s",
			ports(port_first, port_last, '-', port_text));
}

void ruleset_write_weir(const struct ruleset *set, FILE *out)
{
	size_t i;

	for (i = 0; i < set->n_rules; i++) {
		const struct ruleset_rule *rule = &set->rules[i];

		fprintf(out, "%zu = %s%s%s", i + 1,
			rule->allow ? "allow" : "deny",
			rule->protocol ? " " : "",
			rule->protocol ? protocol_name(rule->protocol) : "");
		write_weir_end("from", rule->src_first, rule->src_last,
			       rule->sport_first, rule->sport_last, out);
		write_weir_end("to", rule->dst_first, rule->dst_last,
			       rule->dport_first, rule->dport_last, out);
		fputc('\n', out);
	}
}

/* ----------------------------------------------------------------- nft */

static void write_nft_begin(const struct ruleset_nft *nft, FILE *out)
{
	fprintf(out,
		"\tchain rules {\n"
		"\t\ttype filter hook %s priority filter; policy drop;\n",
		nft->hook);
	if (nft->first[0])
		fprintf(out, "\t\t%s\n", nft->first);
}

static void write_nft_rule(const struct ruleset_rule *rule, FILE *out)
{
	const char *name = protocol_name(rule->protocol);
	char text[ADDRESS_MAX];
	bool had = false;

	if (!is_any_address(rule->src_first, rule->src_last))
		fprintf(out, "ip saddr %s ",
			address(rule->src_first, rule->src_last, text));
	if (!is_any_address(rule->dst_first, rule->dst_last))
		fprintf(out, "ip daddr %s ",
			address(rule->dst_first, rule->dst_last, text));
	if (!is_any_port(rule->sport_first, rule->sport_last)) {
		fprintf(out, "%s sport %s ", name,
			ports(rule->sport_first, rule->sport_last, '-', text));
		had = true;
	}
	if (!is_any_port(rule->dport_first, rule->dport_last)) {
		fprintf(out, "%s dport %s ", name,
			ports(rule->dport_first, rule->dport_last, '-', text));
		had = true;
	}
	if (rule->protocol && !had)
		fprintf(out, "meta l4proto %s ", name);
	fprintf(out, "%s\n", rule->allow ? "accept" : "drop");
}

void ruleset_write_nft(const struct ruleset *set, const struct ruleset_nft *nft,
		       FILE *out)
{
	size_t i;

	fprintf(out, "table inet weir_bench {\n");
	write_nft_begin(nft, out);
	for (i = 0; i < set->n_rules; i++) {
		fprintf(out, "\t\t%s", nft->guard);
		write_nft_rule(&set->rules[i], out);
	}
	fprintf(out, "\t}\n}\n");
}

/* What rules of one set have in common; a range is part of it. */
struct shape {
	uint8_t src, dst;	       /* bits of prefixes */
	uint8_t has_protocol;	       /* it is part of the key */
	uint8_t protocol;	       /* else: of all of them, or 0 */
	uint8_t sport, dport;	       /* there is one port, of no range */
	uint16_t sports[2], dports[2]; /* else */
};

static void shape_of(const struct ruleset *set, const struct ruleset_rule *rule,
		     struct shape *shape)
{
	bool is_exact = set->kind == RULESET_EXACT || set->kind == RULESET_TCP;

	memset(shape, 0, sizeof(*shape));
	shape->src = is_any_address(rule->src_first, rule->src_last)
			     ? 0
			     : ruleset_prefix(rule->src_first, rule->src_last);
	shape->dst = is_any_address(rule->dst_first, rule->dst_last)
			     ? 0
			     : ruleset_prefix(rule->dst_first, rule->dst_last);
	shape->has_protocol = rule->protocol && !is_exact;
	shape->protocol = is_exact ? rule->protocol : 0;
	shape->sport = rule->sport_first == rule->sport_last;
	shape->dport = rule->dport_first == rule->dport_last;
	if (!shape->sport) {
		shape->sports[0] = rule->sport_first;
		shape->sports[1] = rule->sport_last;
	}
	if (!shape->dport) {
		shape->dports[0] = rule->dport_first;
		shape->dports[1] = rule->dport_last;
	}
}

struct shaped {
	struct shape shape;
	const struct ruleset_rule *rule;
};

static int shaped_compare(const void *a, const void *b)
{
	const struct shaped *one = a, *other = b;
	int order = memcmp(&one->shape, &other->shape, sizeof(one->shape));

	if (order)
		return order;
	return one->rule < other->rule ? -1 : 1;
}

/* All rules, those of a shape together. */
static struct shaped *shaped_make(const struct ruleset *set)
{
	struct shaped *list = calloc(set->n_rules + 1, sizeof(*list));
	size_t i;

	if (!list)
		return NULL;
	for (i = 0; i < set->n_rules; i++) {
		list[i].rule = &set->rules[i];
		shape_of(set, list[i].rule, &list[i].shape);
	}
	qsort(list, set->n_rules, sizeof(*list), shaped_compare);
	return list;
}

static bool has_range(const uint16_t range[2])
{
	return range[1] && !is_any_port(range[0], range[1]);
}

/* One field of a key: before the first there is no dot. */
static const char *dot(bool *had)
{
	const char *text = *had ? " . " : "";

	*had = true;
	return text;
}

static void write_type(const struct shape *shape, FILE *out)
{
	bool had = false;

	if (shape->src)
		fprintf(out, "%sipv4_addr", dot(&had));
	if (shape->dst)
		fprintf(out, "%sipv4_addr", dot(&had));
	if (shape->has_protocol)
		fprintf(out, "%sinet_proto", dot(&had));
	if (shape->sport)
		fprintf(out, "%sinet_service", dot(&had));
	if (shape->dport)
		fprintf(out, "%sinet_service", dot(&had));
}

static void write_key(const struct shape *shape, FILE *out)
{
	const char *name = shape->protocol ? protocol_name(shape->protocol)
					   : "th";
	bool had = false;

	if (shape->src)
		fprintf(out, "%sip saddr", dot(&had));
	if (shape->dst)
		fprintf(out, "%sip daddr", dot(&had));
	if (shape->has_protocol)
		fprintf(out, "%smeta l4proto", dot(&had));
	if (shape->sport)
		fprintf(out, "%s%s sport", dot(&had), name);
	if (shape->dport)
		fprintf(out, "%s%s dport", dot(&had), name);
}

static void write_element(const struct shape *shape,
			  const struct ruleset_rule *rule, FILE *out)
{
	char text[ADDRESS_MAX];
	bool had = false;

	fputs("\t\t\t", out);
	if (shape->src)
		fprintf(out, "%s%s", dot(&had),
			address(rule->src_first, rule->src_last, text));
	if (shape->dst)
		fprintf(out, "%s%s", dot(&had),
			address(rule->dst_first, rule->dst_last, text));
	if (shape->has_protocol)
		fprintf(out, "%s%s", dot(&had), protocol_name(rule->protocol));
	if (shape->sport)
		fprintf(out, "%s%u", dot(&had), rule->sport_first);
	if (shape->dport)
		fprintf(out, "%s%u", dot(&had), rule->dport_first);
	fputs(",\n", out);
}

static void write_look_up(const struct shape *shape, size_t index,
			  const char *guard, FILE *out)
{
	char text[PORTS_MAX];

	fprintf(out, "\t\t%s", guard);
	if (has_range(shape->sports))
		fprintf(out, "th sport %s ",
			ports(shape->sports[0], shape->sports[1], '-', text));
	if (has_range(shape->dports))
		fprintf(out, "th dport %s ",
			ports(shape->dports[0], shape->dports[1], '-', text));
	write_key(shape, out);
	fprintf(out, " @s%zu accept\n", index);
}

static bool needs_intervals(const struct shape *shape)
{
	return (shape->src && shape->src < 32) ||
	       (shape->dst && shape->dst < 32);
}

/* The end of those that have the shape of the first. */
static size_t shape_end(const struct shaped *list, size_t first, size_t n)
{
	size_t end = first;

	while (end < n && memcmp(&list[end].shape, &list[first].shape,
				 sizeof(list->shape)) == 0)
		end++;
	return end;
}

/* What is of every address and protocol is no set, but a rule. */
static bool has_key(const struct shape *shape)
{
	return shape->src || shape->dst || shape->has_protocol ||
	       shape->sport || shape->dport;
}

static void write_sets(const struct shaped *list, size_t n, const char *flags,
		       FILE *out)
{
	size_t i, end, index = 0;

	for (i = 0; i < n; i = end) {
		end = shape_end(list, i, n);
		if (!has_key(&list[i].shape))
			continue;
		fprintf(out, "\tset s%zu {\n\t\ttype ", index++);
		write_type(&list[i].shape, out);
		fprintf(out, "; %s\n\t\telements = {\n",
			needs_intervals(&list[i].shape) ? "flags interval;"
							: flags);
		for (; i < end; i++)
			write_element(&list[i].shape, list[i].rule, out);
		fprintf(out, "\t\t}\n\t}\n");
	}
}

size_t ruleset_write_nft_sets(const struct ruleset *set,
			      const struct ruleset_nft *nft, const char *flags,
			      FILE *out)
{
	AUTO_FREE struct shaped *list = shaped_make(set);
	size_t i, index = 0;

	if (!list)
		return 0;
	fprintf(out, "table inet weir_bench {\n");
	write_sets(list, set->n_rules, flags, out);
	write_nft_begin(nft, out);
	for (i = 0; i < set->n_rules; i = shape_end(list, i, set->n_rules)) {
		if (has_key(&list[i].shape)) {
			write_look_up(&list[i].shape, index++, nft->guard, out);
			continue;
		}
		fprintf(out, "\t\t%s", nft->guard);
		write_nft_rule(list[i].rule, out);
	}
	fprintf(out, "\t}\n}\n");
	return index;
}

/* Each field a range, also of all there are. */
static void write_box(const struct ruleset_rule *rule, FILE *out)
{
	static const char all[] = "0.0.0.0-255.255.255.255";
	char src[ADDRESS_MAX], dst[ADDRESS_MAX], sport[PORTS_MAX],
		dport[PORTS_MAX];

	fprintf(out, "\t\t\t%s . %s . %s . %s . %s,\n",
		is_any_address(rule->src_first, rule->src_last)
			? all
			: address(rule->src_first, rule->src_last, src),
		is_any_address(rule->dst_first, rule->dst_last)
			? all
			: address(rule->dst_first, rule->dst_last, dst),
		rule->protocol ? protocol_name(rule->protocol) : "0-255",
		ports(rule->sport_first, rule->sport_last, '-', sport),
		ports(rule->dport_first, rule->dport_last, '-', dport));
}

static void write_layer(const struct ruleset *set, const uint8_t *layers,
			size_t layer, FILE *out)
{
	size_t i;

	fprintf(out,
		"\tset s%zu {\n\t\ttype ipv4_addr . ipv4_addr . inet_proto . "
		"inet_service . inet_service; flags interval;\n"
		"\t\telements = {\n",
		layer);
	for (i = 0; i < set->n_rules; i++)
		if (layers[i] == layer)
			write_box(&set->rules[i], out);
	fprintf(out, "\t\t}\n\t}\n");
}

size_t ruleset_write_nft_layers(const struct ruleset *set,
				const struct ruleset_nft *nft, FILE *out)
{
	AUTO_FREE struct shaped *list = shaped_make(set);
	AUTO_FREE uint32_t *order = calloc(set->n_rules + 1, sizeof(*order));
	AUTO_FREE uint8_t *layers = calloc(set->n_rules + 1, 1);
	size_t i, n;

	if (!list || !order || !layers)
		return 0;
	/* Rules of one shape do not overlap. */
	for (i = 0; i < set->n_rules; i++)
		order[i] = list[i].rule - set->rules;
	n = ruleset_layers(set, order, layers);
	fprintf(out, "table inet weir_bench {\n");
	for (i = 0; i < n; i++)
		write_layer(set, layers, i, out);
	write_nft_begin(nft, out);
	for (i = 0; i < n; i++)
		fprintf(out,
			"\t\t%sip saddr . ip daddr . meta l4proto . th sport . "
			"th dport @s%zu accept\n",
			nft->guard, i);
	fprintf(out, "\t}\n}\n");
	return n;
}

/* ------------------------------------------------------ iptables, ipset */

static void write_iptables_ports(const char *option, uint16_t first,
				 uint16_t last, FILE *out)
{
	char text[PORTS_MAX];

	if (!is_any_port(first, last))
		fprintf(out, " --%s %s", option, ports(first, last, ':', text));
}

void ruleset_write_iptables(const struct ruleset *set, const char *chain,
			    FILE *out)
{
	char text[ADDRESS_MAX];
	size_t i;

	fprintf(out, "*filter\n:%s DROP [0:0]\n", chain);
	for (i = 0; i < set->n_rules; i++) {
		const struct ruleset_rule *rule = &set->rules[i];

		fprintf(out, "-A %s", chain);
		if (!is_any_address(rule->src_first, rule->src_last))
			fprintf(out, " -s %s",
				address(rule->src_first, rule->src_last, text));
		if (!is_any_address(rule->dst_first, rule->dst_last))
			fprintf(out, " -d %s",
				address(rule->dst_first, rule->dst_last, text));
		if (rule->protocol)
			fprintf(out, " -p %s", protocol_name(rule->protocol));
		write_iptables_ports("sport", rule->sport_first,
				     rule->sport_last, out);
		write_iptables_ports("dport", rule->dport_first,
				     rule->dport_last, out);
		fprintf(out, " -j %s\n", rule->allow ? "ACCEPT" : "DROP");
	}
	fprintf(out, "COMMIT\n");
}

void ruleset_write_ipset(const struct ruleset *set, FILE *out)
{
	char text[ADDRESS_MAX];
	size_t i, size = 1024;

	while (size < set->n_rules)
		size *= 2;
	fprintf(out,
		"create weir_bench hash:ip,port family inet hashsize %zu "
		"maxelem 2000000\n",
		size);
	for (i = 0; i < set->n_rules; i++)
		fprintf(out, "add weir_bench %s,%s:%u\n",
			address(set->rules[i].src_first, set->rules[i].src_last,
				text),
			protocol_name(set->rules[i].protocol),
			set->rules[i].dport_first);
}
