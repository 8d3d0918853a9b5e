/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/cover.h"

#include <string.h>

#include "base/array.h"
#include "rules/iface.h"
#include "rules/rule.h"

/* ------------------------------------------------------------- lists */

/* Lists are merged: what lies within many of them lies within one. */
bool networks_within(const struct network *a, size_t n_a,
		     const struct network *b, size_t n_b)
{
	size_t i, j = 0;

	for (i = 0; i < n_a; i++) {
		while (j < n_b && (b[j].family < a[i].family ||
				   (b[j].family == a[i].family &&
				    memcmp(&b[j].last, &a[i].last, 16) < 0)))
			j++;
		if (j == n_b || b[j].family != a[i].family ||
		    memcmp(&b[j].first, &a[i].first, 16) > 0)
			return false;
	}
	return true;
}

static bool networks_overlap(const struct network *a, size_t n_a,
			     const struct network *b, size_t n_b)
{
	size_t i, j = 0;

	for (i = 0; i < n_a; i++) {
		while (j < n_b && (b[j].family < a[i].family ||
				   (b[j].family == a[i].family &&
				    memcmp(&b[j].last, &a[i].first, 16) < 0)))
			j++;
		if (j < n_b && b[j].family == a[i].family &&
		    memcmp(&b[j].first, &a[i].last, 16) <= 0)
			return true;
	}
	return false;
}

bool ports_within(const struct port_range *a, size_t n_a,
		  const struct port_range *b, size_t n_b)
{
	size_t i, j = 0;

	for (i = 0; i < n_a; i++) {
		while (j < n_b && b[j].last < a[i].last)
			j++;
		if (j == n_b || b[j].first > a[i].first)
			return false;
	}
	return true;
}

/* Names are sorted, too. */
static bool names_within(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	size_t i, j = 0;

	for (i = 0; i < n_a; i++) {
		while (j < n_b && strcmp(b[j], a[i]) < 0)
			j++;
		if (j == n_b || strcmp(b[j], a[i]) != 0)
			return false;
	}
	return true;
}

/* -------------------------------------------------------- dimensions */

/* Each: whether all that has what b asks for has what a asks for, too. */
typedef bool (*dimension_fn)(const struct rule *a, const struct rule *b);

/* Whether all that a's list has is on b's. */
static bool list_within(const struct endpoint *a, const struct endpoint *b)
{
	return networks_within(a->networks, a->n_networks, b->networks,
			       b->n_networks) &&
	       names_within(a->sets, a->n_sets, b->sets, b->n_sets);
}

static bool addresses_cover(const struct endpoint *a, const struct endpoint *b)
{
	if (!a->n_networks && !a->n_sets)
		return true;
	if (!b->n_networks && !b->n_sets)
		return false;
	if (a->negated && b->negated)
		return list_within(a, b);
	if (a->negated)
		return !a->n_sets && !b->n_sets &&
		       !networks_overlap(a->networks, a->n_networks,
					 b->networks, b->n_networks);
	return !b->negated && list_within(b, a);
}

static bool ports_cover(const struct endpoint *a, const struct endpoint *b)
{
	if (!a->n_ports && !a->n_port_sets)
		return true;
	/* What has no ports, a later fragment, matches b then. */
	if (!b->n_ports && !b->n_port_sets)
		return false;
	return ports_within(b->ports, b->n_ports, a->ports, a->n_ports) &&
	       names_within(b->port_sets, b->n_port_sets, a->port_sets,
			    a->n_port_sets);
}

static bool sources_cover(const struct rule *a, const struct rule *b)
{
	return addresses_cover(&a->from, &b->from);
}

static bool source_ports_cover(const struct rule *a, const struct rule *b)
{
	return ports_cover(&a->from, &b->from);
}

static bool destinations_cover(const struct rule *a, const struct rule *b)
{
	return addresses_cover(&a->to, &b->to);
}

static bool destination_ports_cover(const struct rule *a, const struct rule *b)
{
	return ports_cover(&a->to, &b->to);
}

static bool types_cover(const struct rule *a, const struct rule *b)
{
	size_t i;

	if (!a->has_icmp_types)
		return true;
	for (i = 0; i < 4; i++)
		if (b->icmp_types[i] & ~a->icmp_types[i])
			return false;
	return b->has_icmp_types;
}

static bool families_cover(const struct rule *a, const struct rule *b)
{
	return a->family == FAMILY_ANY || a->family == b->family;
}

static bool protocols_cover(const struct rule *a, const struct rule *b)
{
	size_t i;

	if (!a->has_protocols)
		return a->protocol == PROTOCOL_ANY ||
		       a->protocol == b->protocol;
	if (!b->has_protocols)
		return b->protocol != PROTOCOL_ANY &&
		       rule_has_protocol(a, b->protocol);
	for (i = 0; i < 4; i++)
		if (b->protocols[i] & ~a->protocols[i])
			return false;
	return true;
}

static bool dscps_cover(const struct rule *a, const struct rule *b)
{
	return a->dscp == DSCP_ANY || a->dscp == b->dscp;
}

static bool lengths_cover(const struct rule *a, const struct rule *b)
{
	return !a->has_length ||
	       (b->has_length && b->length_first >= a->length_first &&
		b->length_last <= a->length_last);
}

/* Packets without a state match b where it names none. */
static bool states_cover(const struct rule *a, const struct rule *b)
{
	return !a->states || (b->states && !(b->states & ~a->states));
}

static bool uids_cover(const struct rule *a, const struct rule *b)
{
	return !a->has_uid || (b->has_uid && b->uid == a->uid);
}

/* value/mask: of bits, those that are set of those that are looked at. */
static bool bits_cover(uint32_t mask_a, uint32_t value_a, uint32_t mask_b,
		       uint32_t value_b)
{
	return !(mask_a & ~mask_b) && (value_b & mask_a) == value_a;
}

static bool flags_cover(const struct rule *a, const struct rule *b)
{
	return bits_cover(a->flags_mask, a->flags_value, b->flags_mask,
			  b->flags_value);
}

static bool marks_cover(const struct rule *a, const struct rule *b)
{
	return bits_cover(
		a->has_mark ? a->mark_mask : 0, a->has_mark ? a->mark : 0,
		b->has_mark ? b->mark_mask : 0, b->has_mark ? b->mark : 0);
}

static bool named_ifaces_cover(const struct rule *a, const struct rule *b)
{
	return !ifaces_are_named(&a->ifaces) ||
	       (ifaces_are_named(&b->ifaces) &&
		ifaces_within(&b->ifaces, &a->ifaces));
}

static const dimension_fn dimensions[] = {
	protocols_cover, destination_ports_cover,
	sources_cover,	 destinations_cover,
	families_cover,	 source_ports_cover,
	states_cover,	 types_cover,
	flags_cover,	 marks_cover,
	dscps_cover,	 uids_cover,
	lengths_cover,	 named_ifaces_cover,
};

/* ------------------------------------------------------------- facts */

/* In one dimension, some fact may say enough, and in another another. */
static bool some_covered(dimension_fn covers, const struct rule *a,
			 const struct facts *b)
{
	size_t i;

	for (i = 0; i < b->n_list; i++)
		if (covers(a, b->list[i]))
			return true;
	return false;
}

static bool has(const struct facts *facts, const struct rule *rule)
{
	size_t i;

	for (i = 0; i < facts->n_list; i++)
		if (facts->list[i] == rule)
			return true;
	return false;
}

static bool names_iface(const struct facts *facts)
{
	size_t i;

	for (i = 0; i < facts->n_list; i++)
		if (ifaces_are_named(&facts->list[i]->ifaces))
			return true;
	return false;
}

/* Facts of which none names an interface are none of what passes lo. */
static bool may_pass_lo(const struct facts *facts)
{
	size_t i;

	if (!names_iface(facts))
		return facts->leads_to_lo;
	for (i = 0; i < facts->n_list; i++)
		if (ifaces_are_named(&facts->list[i]->ifaces) &&
		    !ifaces_may_have(&facts->list[i]->ifaces, "lo"))
			return false;
	return true;
}

bool facts_cover(const struct facts *a, const struct facts *b)
{
	size_t i, j;

	for (i = 0; i < a->n_list; i++) {
		if (has(b, a->list[i]))
			continue;
		for (j = 0; j < ARRAY_SIZE(dimensions); j++)
			if (!some_covered(dimensions[j], a->list[i], b))
				return false;
	}
	return names_iface(a) || !may_pass_lo(b);
}

bool rule_covers(const struct rule *a, const struct rule *b)
{
	struct facts its = { .list = { a }, .n_list = 1 };
	struct facts others = { .list = { b }, .n_list = 1 };

	/* Beyond it, packets go on. */
	return !a->limit_count && facts_cover(&its, &others);
}
