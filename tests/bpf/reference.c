/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/reference.h"

#include <assert.h>
#include <string.h>

#include "rules/iface.h"
#include "rules/rule.h"

static bool has_ports(const struct frame_spec *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return packet->offset == 0;
	default:
		return false;
	}
}

static bool is_icmp(const struct frame_spec *packet)
{
	return packet->offset == 0 &&
	       packet->protocol ==
		       (packet->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool in_networks(const struct network *networks, size_t n,
			const struct frame_spec *packet,
			const struct in6_addr *address)
{
	enum family family = packet->family == 4 ? FAMILY_IP4 : FAMILY_IP6;
	size_t i;

	for (i = 0; i < n; i++)
		if (networks[i].family == family &&
		    memcmp(address, &networks[i].first, 16) >= 0 &&
		    memcmp(address, &networks[i].last, 16) <= 0)
			return true;
	return false;
}

static bool in_ports(const struct port_range *ports, size_t n, uint16_t port)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (port >= ports[i].first && port <= ports[i].last)
			return true;
	return false;
}

static bool port_is_of(const struct element *element,
		       const struct frame_spec *packet, uint16_t port)
{
	return has_ports(packet) && port >= ELEMENT_PORT_FIRST(element) &&
	       port <= ELEMENT_PORT_LAST(element);
}

/* packet: where the set may be of services. */
static bool in_set(const struct set *set, unsigned int family, span_end key,
		   const struct frame_spec *packet, uint16_t port)
{
	const struct element_list *list = &set->elements.of[family];
	size_t i;

	for (i = 0; i < list->n_list; i++)
		if (key >= list->list[i].first && key <= list->list[i].last &&
		    (set->elements.kind != SET_OF_SERVICES ||
		     port_is_of(&list->list[i], packet, port)))
			return true;
	return false;
}

static bool address_in_set(const struct set *set,
			   const struct frame_spec *packet,
			   const struct in6_addr *address, uint16_t port)
{
	unsigned int family = packet->family == 4 ? SET_IP4 : SET_IP6;
	span_end key = 0;
	size_t i;

	for (i = family == SET_IP4 ? 12 : 0; i < 16; i++)
		key = key << 8 | address->s6_addr[i];
	return in_set(set, family, key, packet, port);
}

static bool address_holds(const struct reference *reference,
			  const struct endpoint *end,
			  const struct frame_spec *packet,
			  const struct in6_addr *address, uint16_t port)
{
	bool found =
		in_networks(end->networks, end->n_networks, packet, address);
	size_t i;

	if (end->n_networks + end->n_sets == 0)
		return true;
	for (i = 0; i < end->n_sets; i++) {
		const struct set *set =
			policy_set(reference->policy, end->sets[i]);

		if (set_is_of(set, SET_OF_SERVICES) && !has_ports(packet))
			return false;
		found |= address_in_set(set, packet, address, port);
	}
	return found != end->negated;
}

static bool port_holds(const struct reference *reference,
		       const struct endpoint *end,
		       const struct frame_spec *packet, uint16_t port)
{
	bool found = in_ports(end->ports, end->n_ports, port);
	size_t i;

	if (end->n_ports + end->n_port_sets == 0)
		return true;
	for (i = 0; i < end->n_port_sets; i++) {
		const struct set *set =
			policy_set(reference->policy, end->port_sets[i]);

		found |= in_set(set, SET_IP4, port, packet, port);
	}
	return found && has_ports(packet);
}

/* By the bytes from the IP header on. */
static bool length_holds(const struct rule *rule,
			 const struct frame_spec *packet)
{
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;

	if (!rule->has_length)
		return true;
	frame_build(packet, bytes, &ip);
	return ip >= rule->length_first && ip <= rule->length_last;
}

static bool iface_holds(const struct reference *reference,
			const struct rule *rule,
			const struct frame_spec *packet)
{
	const struct ifaces *ifaces = &rule->ifaces;
	struct set named = { .elements.of[IFACE_FAMILY] = ifaces->names };
	span_end number = iface_number(reference->iface);
	bool found = in_set(&named, IFACE_FAMILY, number, packet, 0);
	size_t i;

	for (i = 0; i < ifaces->n_sets; i++)
		found |= in_set(policy_set(reference->policy, ifaces->sets[i]),
				IFACE_FAMILY, number, packet, 0);
	return found || !ifaces_are_named(ifaces);
}

static bool rule_holds(const struct reference *reference,
		       const struct rule *rule, const struct frame_spec *packet)
{
	enum family family = packet->family == 4 ? FAMILY_IP4 : FAMILY_IP6;

	if (rule->family != FAMILY_ANY && rule->family != family)
		return false;
	if ((rule->protocol != PROTOCOL_ANY || rule->has_protocols) &&
	    !rule_has_protocol(rule, packet->protocol))
		return false;
	if (rule->states && !(rule->states & reference->states))
		return false;
	if (rule->has_icmp_types &&
	    (!is_icmp(packet) ||
	     !(rule->icmp_types[packet->type / 64] >> (packet->type % 64) & 1)))
		return false;
	if (rule->flags_mask &&
	    (packet->protocol != IPPROTO_TCP || packet->offset ||
	     (packet->flags & rule->flags_mask) != rule->flags_value))
		return false;
	if (rule->has_mark && (packet->mark & rule->mark_mask) != rule->mark)
		return false;
	if (rule->dscp != DSCP_ANY && rule->dscp != packet->dscp)
		return false;
	if (rule->has_uid && rule->uid != reference->uid)
		return false;
	if (!iface_holds(reference, rule, packet))
		return false;
	return address_holds(reference, &rule->from, packet, &packet->src,
			     packet->sport) &&
	       address_holds(reference, &rule->to, packet, &packet->dst,
			     packet->dport) &&
	       port_holds(reference, &rule->from, packet, packet->sport) &&
	       port_holds(reference, &rule->to, packet, packet->dport) &&
	       length_holds(rule, packet);
}

/* NULL where the chain is at its end, or returns. */
static const struct rule *decide(struct reference *reference,
				 const struct chain *chain,
				 const struct frame_spec *packet)
{
	size_t i;

	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i], *inner;

		if (!rule_holds(reference, rule, packet))
			continue;
		if (rule->verdict < VERDICT_JUMP)
			return rule;
		assert(reference->n_led < REFERENCE_LED_MAX);
		reference->led[reference->n_led++] = rule;
		if (rule->verdict == VERDICT_RETURN)
			return NULL;
		inner = decide(reference,
			       policy_chain(reference->policy, rule->chain),
			       packet);
		if (inner)
			return inner;
	}
	return NULL;
}

const struct rule *reference_decide(struct reference *reference,
				    const struct chain *chain,
				    const struct frame_spec *packet)
{
	reference->n_led = 0;
	return decide(reference, chain, packet);
}
