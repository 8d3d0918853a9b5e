/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/cover.h"

#include <string.h>

#include "rules/iface.h"

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

/* -------------------------------------------------------------- ends */

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

static bool end_covers(const struct endpoint *a, const struct endpoint *b)
{
	if (!addresses_cover(a, b))
		return false;
	if (!a->n_ports && !a->n_port_sets)
		return true;
	/* What has no ports, a later fragment, matches b then. */
	if (!b->n_ports && !b->n_port_sets)
		return false;
	return ports_within(b->ports, b->n_ports, a->ports, a->n_ports) &&
	       names_within(b->port_sets, b->n_port_sets, a->port_sets,
			    a->n_port_sets);
}

/* ------------------------------------------------------------- others */

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

/* value/mask: of bits, those that are set of those that are looked at. */
static bool bits_cover(uint32_t mask_a, uint32_t value_a, uint32_t mask_b,
		       uint32_t value_b)
{
	return !(mask_a & ~mask_b) && (value_b & mask_a) == value_a;
}

/* A rule without an interface is not for what passes lo. */
static bool iface_covers(const struct rule *a, const struct rule *b)
{
	if (ifaces_are_named(&a->ifaces))
		return ifaces_are_named(&b->ifaces) &&
		       ifaces_within(&b->ifaces, &a->ifaces);
	return !ifaces_may_have(&b->ifaces, "lo");
}

static bool header_covers(const struct rule *a, const struct rule *b)
{
	if (a->family != FAMILY_ANY && a->family != b->family)
		return false;
	if (a->protocol != PROTOCOL_ANY && a->protocol != b->protocol)
		return false;
	if (a->dscp != DSCP_ANY && a->dscp != b->dscp)
		return false;
	return !a->has_length ||
	       (b->has_length && b->length_first >= a->length_first &&
		b->length_last <= a->length_last);
}

static bool rest_covers(const struct rule *a, const struct rule *b)
{
	/* Packets without a state match b where it names none. */
	if (a->states && (!b->states || b->states & ~a->states))
		return false;
	if (a->has_uid && (!b->has_uid || b->uid != a->uid))
		return false;
	return bits_cover(a->flags_mask, a->flags_value, b->flags_mask,
			  b->flags_value) &&
	       bits_cover(a->has_mark ? a->mark_mask : 0,
			  a->has_mark ? a->mark : 0,
			  b->has_mark ? b->mark_mask : 0,
			  b->has_mark ? b->mark : 0);
}

bool rule_covers(const struct rule *a, const struct rule *b)
{
	if (a->limit_count) /* beyond it, packets go on */
		return false;
	return header_covers(a, b) && rest_covers(a, b) && iface_covers(a, b) &&
	       types_cover(a, b) && end_covers(&a->from, &b->from) &&
	       end_covers(&a->to, &b->to);
}
