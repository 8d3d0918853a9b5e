/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two rules say the same, field by field. */
#ifndef WEIR_TESTS_FUZZ_RULE_SAME_H
#define WEIR_TESTS_FUZZ_RULE_SAME_H

#include <stdbool.h>
#include <string.h>

#include "rules/policy.h"

static inline bool text_same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static inline bool names_same(char **a, size_t n_a, char **b, size_t n_b)
{
	size_t i;

	if (n_a != n_b)
		return false;
	for (i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* The arrays have no padding, and NULL only where they are empty. */
static inline bool array_same(const void *a, const void *b, size_t bytes)
{
	return bytes == 0 || memcmp(a, b, bytes) == 0;
}

static inline bool endpoint_same(const struct endpoint *a,
				 const struct endpoint *b)
{
	return a->negated == b->negated && a->n_networks == b->n_networks &&
	       a->n_ports == b->n_ports &&
	       array_same(a->networks, b->networks,
			  a->n_networks * sizeof(*a->networks)) &&
	       array_same(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) &&
	       names_same(a->sets, a->n_sets, b->sets, b->n_sets) &&
	       names_same(a->port_sets, a->n_port_sets, b->port_sets,
			  b->n_port_sets);
}

static inline bool ifaces_same(const struct ifaces *a, const struct ifaces *b)
{
	size_t i;

	if (a->names.n_list != b->names.n_list)
		return false;
	for (i = 0; i < a->names.n_list; i++)
		if (a->names.list[i].first != b->names.list[i].first ||
		    a->names.list[i].last != b->names.list[i].last)
			return false;
	return names_same(a->sets, a->n_sets, b->sets, b->n_sets);
}

static inline bool rule_same(const struct rule *a, const struct rule *b)
{
	return a->verdict == b->verdict && text_same(a->chain, b->chain) &&
	       a->family == b->family && a->protocol == b->protocol &&
	       a->has_protocols == b->has_protocols &&
	       memcmp(a->protocols, b->protocols, sizeof(a->protocols)) == 0 &&
	       endpoint_same(&a->from, &b->from) &&
	       endpoint_same(&a->to, &b->to) && a->states == b->states &&
	       a->has_icmp_types == b->has_icmp_types &&
	       memcmp(a->icmp_types, b->icmp_types, sizeof(a->icmp_types)) ==
		       0 &&
	       a->flags_mask == b->flags_mask &&
	       a->flags_value == b->flags_value && a->has_mark == b->has_mark &&
	       a->mark == b->mark && a->mark_mask == b->mark_mask &&
	       a->dscp == b->dscp && ifaces_same(&a->ifaces, &b->ifaces) &&
	       a->has_uid == b->has_uid && a->uid == b->uid &&
	       a->has_length == b->has_length &&
	       a->length_first == b->length_first &&
	       a->length_last == b->length_last && a->log == b->log &&
	       text_same(a->log_prefix, b->log_prefix) &&
	       a->log_count == b->log_count &&
	       a->log_seconds == b->log_seconds &&
	       a->log_burst == b->log_burst &&
	       a->limit_count == b->limit_count &&
	       a->limit_seconds == b->limit_seconds &&
	       a->limit_burst == b->limit_burst &&
	       a->limit_per_source == b->limit_per_source &&
	       text_same(a->comment, b->comment) && text_same(a->text, b->text);
}

#endif
