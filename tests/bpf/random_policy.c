/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/random_policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/endpoint.h"
#include "rules/iface.h"
#include "rules/rule.h"

#define N_SETS	       3 /* of networks, named n0 … */
#define N_PORT_SETS    2 /* named p0 … */
#define N_SERVICE_SETS 2 /* named s0 … */
#define N_IFACE_SETS   2 /* of interfaces, named i0 … */

/* In longer chains few rules are wide, or the first ones would decide all. */
#define RULES_WIDE 60

/* Of one chain at most. */
#define CHAIN_JUMPS 3

/* xorshift64*: the same numbers on every machine. */
uint32_t random_below(struct random *random, uint32_t n)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (random->state * 0x2545f4914f6cdd1dULL >> 32) % n;
}

static bool one_in(struct random *random, uint32_t n)
{
	return random_below(random, n) == 0;
}

static uint8_t one_of(struct random *random, const uint8_t *list, size_t n)
{
	return list[random_below(random, n)];
}

/* 10.0.{0,1}.0-31 or 2001:db8:{0,1}::0-31, now and then far away. */
static void random_address(struct random *random, int family,
			   struct in6_addr *address)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (family == 4) {
		memset(bytes, 0, 10);
		memset(bytes + 10, 0xff, 2);
		bytes[12] = one_in(random, 20) ? random_below(random, 256) : 10;
		bytes[14] = random_below(random, 2);
	} else {
		bytes[5] = random_below(random, 2);
		if (one_in(random, 20))
			bytes[0] = 0x30;
	}
	bytes[15] = random_below(random, 32);
	memcpy(address, bytes, 16);
}

static void random_network(struct random *random, int family, bool narrow,
			   struct network *network)
{
	struct in6_addr other;
	unsigned int bits, i;

	network->family = family == 4 ? FAMILY_IP4 : FAMILY_IP6;
	random_address(random, family, &network->first);
	network->last = network->first;
	if (one_in(random, 3)) {
		random_address(random, family, &other);
		if (memcmp(&other, &network->first, 16) < 0)
			network->first = other;
		else
			network->last = other;
		return;
	}
	bits = family == 4 ? random_below(random, 33)
			   : random_below(random, 129);
	if (narrow || one_in(random, 2))
		bits = random_below(random,
				    narrow && one_in(random, 2) ? 3 : 8);
	for (i = 128 - bits; i < 128; i++) {
		network->first.s6_addr[i / 8] &= ~(0x80 >> i % 8);
		network->last.s6_addr[i / 8] |= 0x80 >> i % 8;
	}
}

static void random_range(struct random *random, struct port_range *range)
{
	range->first = random_below(random, 24);
	range->last = range->first;
	if (one_in(random, 3))
		range->last += random_below(random, 10);
	if (one_in(random, 10))
		range->last = 65535;
}

static char *set_name(char kind, uint32_t index)
{
	char name[] = { kind, '0' + index, '\0' };

	return strdup(name);
}

static char **add_name(char ***names, size_t *n, char *name)
{
	char **place = array_grow(names, n, sizeof(**names));

	assert(place && name);
	*place = name;
	return place;
}

static void random_addresses(struct random *random, bool narrow,
			     struct endpoint *end)
{
	uint32_t n = one_in(random, narrow ? 20 : 3)
			     ? 0
			     : 1 + random_below(random, 3),
		 i;

	if (!one_in(random, 2) && !narrow)
		return;
	for (i = 0; i < n; i++)
		random_network(random, one_in(random, 2) ? 4 : 6, narrow,
			       ARRAY_ADD(end, networks));
	for (i = 0; i < N_SETS; i++)
		if (one_in(random, narrow ? 60 : 5))
			add_name(&end->sets, &end->n_sets, set_name('n', i));
	end->negated = (end->n_networks || end->n_sets) &&
		       one_in(random, narrow ? 30 : 4);
}

static void random_ports(struct random *random, bool narrow,
			 struct endpoint *end)
{
	uint32_t n = random_below(random, 4), i;

	if (!one_in(random, narrow ? 2 : 3))
		return;
	for (i = 0; i < n; i++)
		random_range(random, ARRAY_ADD(end, ports));
	for (i = 0; i < N_PORT_SETS; i++)
		if (one_in(random, narrow ? 40 : 4))
			add_name(&end->port_sets, &end->n_port_sets,
				 set_name('p', i));
}

/* Packets pass t0. */
static const char *random_iface(struct random *random)
{
	static const char *const names[] = { "t0", "t1", "t*", "t0*",
					     "lo", "u*", "t",  "t00" };

	return names[random_below(random, one_in(random, 2) ? 2 : 8)];
}

static void random_ifaces(struct random *random, struct ifaces *ifaces)
{
	uint32_t n = 1 + (one_in(random, 2) ? 0 : random_below(random, 3));
	struct err why;

	while (n-- > 0)
		assert(ifaces_add(ifaces, random_iface(random), &why) == 0);
	assert(ifaces_sort(ifaces) == 0);
}

static const uint8_t protocols[] = {
	IPPROTO_TCP,	IPPROTO_TCP,  IPPROTO_UDP, IPPROTO_UDP, IPPROTO_ICMP,
	IPPROTO_ICMPV6, IPPROTO_SCTP, 47,	   50,		51
};
static const uint8_t icmp_types[] = { 0, 3, 8, 11, 128, 129, 1, 2 };
static const uint8_t dscps[] = { 0, 1, 10, 46 };
static const uint8_t tcp_flags[] = { 0x02, 0x12, 0x10, 0x18, 0x11,
				     0x04, 0x03, 0x00, 0xc2 };

/* What only some rules look at; most at little of it. */
static void random_matches(struct random *random, struct rule *rule)
{
	uint8_t type = one_of(random, icmp_types, ARRAY_SIZE(icmp_types));

	if (one_in(random, 4))
		rule->states = 1 + random_below(random, 15);
	if ((rule->protocol == IPPROTO_ICMP ||
	     rule->protocol == IPPROTO_ICMPV6) &&
	    one_in(random, 2)) {
		rule->has_icmp_types = true;
		rule->icmp_types[type / 64] |= 1ULL << type % 64;
	}
	if (rule->protocol == IPPROTO_TCP && one_in(random, 3)) {
		rule->flags_mask = 1 + random_below(random, 255);
		rule->flags_value =
			rule->flags_mask &
			one_of(random, tcp_flags, ARRAY_SIZE(tcp_flags));
	}
	if (one_in(random, 8)) {
		rule->has_mark = true;
		rule->mark_mask = one_in(random, 2) ? 0xffffffff : 3;
		rule->mark = random_below(random, 4) & rule->mark_mask;
	}
	if (one_in(random, 8))
		rule->dscp = one_of(random, dscps, ARRAY_SIZE(dscps));
	if (one_in(random, 12)) {
		rule->has_uid = true;
		rule->uid = random_below(random, 2);
	}
	if (one_in(random, 12))
		random_ifaces(random, &rule->ifaces);
	if (one_in(random, 8)) {
		rule->has_length = true;
		rule->length_first = random_below(random, 100);
		rule->length_last =
			rule->length_first + random_below(random, 60);
	}
}

static void random_rule(struct random *random, bool narrow, struct rule *rule)
{
	rule->verdict = random_below(random, 3);
	rule->family = one_in(random, 3) ? random_below(random, 3) : FAMILY_ANY;
	rule->protocol = PROTOCOL_ANY;
	rule->dscp = DSCP_ANY;
	if (narrow || one_in(random, 2))
		rule->protocol =
			one_of(random, protocols, ARRAY_SIZE(protocols));
	random_addresses(random, narrow, &rule->from);
	random_addresses(random, narrow, &rule->to);
	random_ports(random, narrow, &rule->from);
	random_ports(random, narrow, &rule->to);
	if (!narrow || one_in(random, 8))
		random_matches(random, rule);
	/* As reading one leaves them. */
	endpoint_sort(&rule->from);
	endpoint_sort(&rule->to);
	/* No other's, so that no counter goes on. */
	assert(asprintf(&rule->text, "%llx",
			(unsigned long long)random->state) > 0);
}

/* In place of one protocol: those that leave the rest as it was. */
static void random_protocols(struct random *random, struct rule *rule)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP,
					      IPPROTO_SCTP };
	static const uint8_t others[] = { IPPROTO_TCP, IPPROTO_UDP, 47, 50,
					  51 };
	bool ports = rule_has_ports(rule);
	uint32_t n = 2 + random_below(random, 2);
	uint8_t protocol;

	if (rule->has_icmp_types || rule->flags_mask || !one_in(random, 6))
		return;
	rule->protocol = PROTOCOL_ANY;
	rule->has_protocols = true;
	while (n-- > 0) {
		protocol = ports ? one_of(random, with_ports, 3)
				 : one_of(random, others, 5);
		rule->protocols[protocol / 64] |= 1ULL << protocol % 64;
	}
}

/* In place of what one side of a rule had. */
static void random_services(struct random *random, struct rule *rule,
			    struct endpoint *end)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP,
					      IPPROTO_SCTP };
	uint32_t i, n = 1 + random_below(random, N_SERVICE_SETS);

	endpoint_clear(end);
	*end = (struct endpoint){ .negated = one_in(random, 4) };
	for (i = 0; i < n; i++)
		add_name(&end->sets, &end->n_sets, set_name('s', i));
	if (!rule_has_ports(rule)) {
		rule->has_protocols = false;
		rule->protocol = one_of(random, with_ports, 3);
		rule->has_icmp_types = false;
	}
}

static void random_side_of_services(struct random *random, struct rule *rule)
{
	if (one_in(random, 6))
		random_services(random, rule, &rule->from);
	if (one_in(random, 6))
		random_services(random, rule, &rule->to);
}

/* In place of the interfaces that it named, or beside them. */
static void random_sets_of_ifaces(struct random *random, struct rule *rule)
{
	uint32_t i;

	if (!one_in(random, 8))
		return;
	if (one_in(random, 2))
		ifaces_clear(&rule->ifaces);
	for (i = 0; i < N_IFACE_SETS; i++)
		if (one_in(random, 2))
			add_name(&rule->ifaces.sets, &rule->ifaces.n_sets,
				 set_name('i', i));
}

static span_end end_of(const struct in6_addr *address, unsigned int family)
{
	span_end end = 0;
	size_t i;

	for (i = family == SET_IP4 ? 12 : 0; i < 16; i++)
		end = end << 8 | address->s6_addr[i];
	return end;
}

static void random_port_element(struct random *random, struct set *set)
{
	struct port_range range;
	struct element element = { 0 };

	random_range(random, &range);
	element.first = range.first;
	element.last = range.last;
	assert(elements_add(&set->elements, SET_IP4, &element) == 0);
}

static void random_network_element(struct random *random, bool narrow,
				   unsigned int kind, struct set *set)
{
	struct port_range range = { 0 };
	bool is_ip4 = one_in(random, 2);
	unsigned int family = is_ip4 ? SET_IP4 : SET_IP6;
	struct network network = { 0 };
	struct element element = { 0 };

	random_network(random, is_ip4 ? 4 : 6, narrow, &network);
	element.first = end_of(&network.first, family);
	element.last = end_of(&network.last, family);
	if (kind == SET_OF_SERVICES) {
		random_range(random, &range);
		element.ports = (uint32_t)range.first << 16 | range.last;
	}
	assert(elements_add(&set->elements, family, &element) == 0);
}

static void random_iface_element(struct random *random, struct set *set)
{
	struct element element;
	struct err why;

	assert(iface_parse(random_iface(random), &element, &why) == 0);
	assert(elements_add(&set->elements, IFACE_FAMILY, &element) == 0);
}

/* Most are small; some are empty, some have thousands of elements. */
static void random_set(struct random *random, struct set *set, char *name,
		       unsigned int kind)
{
	uint32_t n = random_below(random, 12);

	if (one_in(random, 8))
		n = 0;
	else if (one_in(random, 60))
		n = 3000;
	set->name = name;
	set->is_given = true;
	set->stands_for = 1U << (kind == SET_OF_PORTS ? STANDS_FOR_PORTS
						      : STANDS_FOR_ADDRESSES);
	set->holds = kind == SET_OF_SERVICES || kind == SET_OF_INTERFACES;
	set->elements.kind = n || set->holds ? kind : SET_OF_NETWORKS;
	while (n-- > 0) {
		if (kind == SET_OF_PORTS)
			random_port_element(random, set);
		else if (kind == SET_OF_INTERFACES)
			random_iface_element(random, set);
		else
			random_network_element(random, n > 12, kind, set);
	}
	assert(elements_sort(&set->elements) == 0);
}

/* "c", and those that are jumped to: behind it also by name. */
static struct chain *add_chain(struct random *random, struct policy *policy)
{
	size_t index = policy->n_chains;
	struct chain *chain = ARRAY_ADD(policy, chains);

	chain->name = index ? set_name('j', index - 1) : strdup("c");
	chain->strict = true;
	chain->policy = random_below(random, 3);
	chain->where.file = policy->files[0];
	if (index && one_in(random, 2))
		chain->policy = VERDICT_NONE;
	return chain;
}

static void random_rules(struct random *random, struct chain *chain,
			 size_t n_rules, bool more)
{
	size_t i;

	for (i = 0; i < n_rules; i++) {
		struct rule *rule = ARRAY_ADD(chain, rules);

		random_rule(random, n_rules > RULES_WIDE, rule);
		if (more)
			random_protocols(random, rule);
		if (more)
			random_side_of_services(random, rule);
		if (more)
			random_sets_of_ifaces(random, rule);
		rule->number = i + 1;
		rule->where = chain->where;
	}
}

/* The rule becomes another, that decides nothing. */
static void lead_on(struct random *random, struct rule *rule,
		    enum verdict verdict)
{
	struct rule other = { .number = rule->number, .where = rule->where };

	random_rule(random, one_in(random, 2), &other);
	if (one_in(random, 2)) {
		endpoint_clear(&other.from);
		other.from = (struct endpoint){ 0 };
		other.states = 0;
	}
	if (one_in(random, 2)) {
		endpoint_clear(&other.to);
		other.to = (struct endpoint){ 0 };
	}
	other.verdict = verdict;
	rule_clear(rule);
	*rule = other;
}

/* Most packets get to the first ones only. */
static struct rule *some_rule(struct random *random, struct chain *chain)
{
	uint32_t n = chain->n_rules;

	if (n > 6 && !one_in(random, 3))
		n = 6;
	return &chain->rules[random_below(random, n)];
}

/* Jumps go to chains behind their own, so they end. */
static void random_leads(struct random *random, struct policy *policy,
			 size_t index)
{
	struct chain *chain = &policy->chains[index];
	uint32_t n = random_below(random, 1 + CHAIN_JUMPS);
	uint32_t behind = policy->n_chains - index - 1;

	while (chain->n_rules && behind && n-- > 0) {
		struct rule *rule = some_rule(random, chain);

		lead_on(random, rule, VERDICT_JUMP);
		rule->chain =
			set_name('j', index + random_below(random, behind));
	}
	n = index ? random_below(random, 3) : one_in(random, 4);
	while (chain->n_rules && n-- > 0)
		lead_on(random, some_rule(random, chain), VERDICT_RETURN);
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct set *)a)->name,
		      ((const struct set *)b)->name);
}

/* By name, as they are when a policy has been read. */
static void sort_sets(struct policy *policy)
{
	qsort(policy->sets, policy->n_sets, sizeof(*policy->sets),
	      compare_sets);
}

struct policy *random_policy(struct random *random, size_t n_rules, bool more)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	uint32_t n_chains = one_in(random, 3) ? 0 : random_below(random, 6);
	size_t i;

	assert(policy);
	add_name(&policy->files, &policy->n_files, strdup("random"));
	for (i = 0; i < N_SETS; i++)
		random_set(random, ARRAY_ADD(policy, sets), set_name('n', i),
			   SET_OF_NETWORKS);
	for (i = 0; i < N_PORT_SETS; i++)
		random_set(random, ARRAY_ADD(policy, sets), set_name('p', i),
			   SET_OF_PORTS);
	for (i = 0; more && i < N_SERVICE_SETS; i++)
		random_set(random, ARRAY_ADD(policy, sets), set_name('s', i),
			   SET_OF_SERVICES);
	for (i = 0; more && i < N_IFACE_SETS; i++)
		random_set(random, ARRAY_ADD(policy, sets), set_name('i', i),
			   SET_OF_INTERFACES);
	sort_sets(policy);
	for (i = 0; i < policy->n_sets; i++)
		policy->sets[i].where.file = policy->files[0];
	random_rules(random, add_chain(random, policy), n_rules, more);
	for (i = 0; i < n_chains; i++)
		random_rules(random, add_chain(random, policy),
			     random_below(random, one_in(random, 4) ? 100 : 8),
			     more);
	for (i = 0; n_chains && i < policy->n_chains; i++)
		random_leads(random, policy, i);
	return policy;
}

void random_packet(struct random *random, struct frame_spec *packet)
{
	/* The last is one of a fragment that is whole. */
	static const uint8_t extensions[] = { 0, 43, 60, 44 };
	bool is_fragment = one_in(random, 10);

	*packet = (struct frame_spec){ .scale = -1,
				       .cut = WHOLE,
				       .claims = WHOLE };
	packet->family = one_in(random, 2) ? 4 : 6;
	packet->protocol = one_of(random, protocols, ARRAY_SIZE(protocols));
	random_address(random, packet->family, &packet->src);
	random_address(random, packet->family, &packet->dst);
	packet->sport = random_below(random, 36);
	packet->dport = random_below(random, 36);
	packet->type = one_of(random, icmp_types, ARRAY_SIZE(icmp_types));
	packet->id = random_below(random, 3);
	packet->flags = one_of(random, tcp_flags, ARRAY_SIZE(tcp_flags));
	packet->dscp = one_of(random, dscps, ARRAY_SIZE(dscps));
	packet->ttl = 64;
	packet->mark = random_below(random, 6);
	packet->payload = 8 + random_below(random, 90);
	if (is_fragment) {
		packet->offset = random_below(random, 2) * 5;
		packet->more = packet->offset == 0 || one_in(random, 2);
		packet->fragment = random->state;
	}
	if (packet->family == 4 && one_in(random, 5))
		packet->options = 1 + random_below(random, 10);
	while (packet->family == 6 && packet->n_extensions < 6 &&
	       one_in(random, 4))
		packet->extensions[packet->n_extensions++] =
			one_of(random, extensions,
			       ARRAY_SIZE(extensions) - is_fragment);
}
