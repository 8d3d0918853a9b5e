/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tuple-space search (Srinivasan, Suri and Varghese; Open vSwitch): rules of
 * the same prefix lengths, and with the same fields exact, are in one hash
 * table; a packet is looked up in each, those with early rules first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tests/bench-rules/rival.h"

struct tuple {
	uint32_t lengths; /* of src, dst; whether ports and protocol count */
	uint64_t mask_addresses, mask_rest;
	uint32_t lowest, n_rules;
	uint32_t *heads; /* of lists of rules; a power of two of them */
	uint32_t n_heads;
};

struct tuples {
	const struct ruleset *set;
	struct tuple *list;
	size_t n_list;
	uint32_t *next; /* of each rule, in its list */
};

static uint64_t rest_of(uint16_t sport, uint16_t dport, uint8_t protocol)
{
	return (uint64_t)protocol << 32 | (uint32_t)sport << 16 | dport;
}

static uint32_t hash_of(const struct tuple *tuple, uint64_t addresses,
			uint64_t rest)
{
	uint64_t h =
		(addresses & tuple->mask_addresses) * 0x9e3779b97f4a7c15ULL ^
		(rest & tuple->mask_rest) * 0xc2b2ae3d27d4eb4fULL;

	return ((h ^ h >> 32) * 0x8ebc6af09c88c6e3ULL >> 32) &
	       (tuple->n_heads - 1);
}

static uint32_t hash_of_rule(const struct tuple *tuple,
			     const struct ruleset_rule *rule)
{
	return hash_of(
		tuple, (uint64_t)rule->src_first << 32 | rule->dst_first,
		rest_of(rule->sport_first, rule->dport_first, rule->protocol));
}

static uint32_t lengths_of(const struct ruleset_rule *rule)
{
	uint32_t src = ruleset_prefix(rule->src_first, rule->src_last);
	uint32_t dst = ruleset_prefix(rule->dst_first, rule->dst_last);

	return src << 16 | dst << 8 |
	       (rule->sport_first == rule->sport_last) << 2 |
	       (rule->dport_first == rule->dport_last) << 1 |
	       (rule->protocol != 0);
}

static uint64_t mask_of(unsigned int length)
{
	return length == 0 ? 0 : UINT32_MAX << (32 - length);
}

static struct tuple *find_tuple(struct tuples *tuples, uint32_t lengths)
{
	struct tuple *tuple;
	size_t i;

	for (i = 0; i < tuples->n_list; i++)
		if (tuples->list[i].lengths == lengths)
			return &tuples->list[i];
	tuple = ARRAY_ADD(tuples, list);
	if (!tuple)
		abort();
	tuple->lengths = lengths;
	tuple->mask_addresses = mask_of(lengths >> 16) << 32 |
				mask_of(lengths >> 8 & 0xff);
	tuple->mask_rest = rest_of(lengths & 4 ? 65535 : 0,
				   lengths & 2 ? 65535 : 0,
				   lengths & 1 ? 255 : 0);
	tuple->lowest = RIVAL_NONE;
	return tuple;
}

static void tuples_free(void *built)
{
	struct tuples *tuples = built;
	size_t i;

	for (i = 0; i < tuples->n_list; i++)
		free(tuples->list[i].heads);
	free(tuples->list);
	free(tuples->next);
	free(tuples);
}

static int by_lowest(const void *va, const void *vb)
{
	const struct tuple *a = va, *b = vb;

	return (a->lowest > b->lowest) - (a->lowest < b->lowest);
}

static void make_heads(struct tuple *tuple, uint64_t *bytes)
{
	tuple->n_heads = 1;
	while (tuple->n_heads < tuple->n_rules)
		tuple->n_heads *= 2;
	tuple->heads = malloc(tuple->n_heads * sizeof(*tuple->heads));
	if (!tuple->heads)
		abort();
	memset(tuple->heads, 0xff, tuple->n_heads * sizeof(*tuple->heads));
	*bytes += tuple->n_heads * sizeof(*tuple->heads);
}

static void *tuples_build(const struct ruleset *set, uint64_t *bytes)
{
	struct tuples *tuples = calloc(1, sizeof(*tuples));
	size_t i;

	if (!tuples)
		abort();
	tuples->set = set;
	tuples->next = calloc(set->n_rules + 1, sizeof(*tuples->next));
	if (!tuples->next)
		abort();
	*bytes = set->n_rules * (sizeof(*tuples->next) + sizeof(*set->rules));
	for (i = 0; i < set->n_rules; i++) {
		struct tuple *tuple =
			find_tuple(tuples, lengths_of(&set->rules[i]));

		if (tuple->lowest == RIVAL_NONE)
			tuple->lowest = i;
		tuple->n_rules++;
	}
	for (i = 0; i < tuples->n_list; i++)
		make_heads(&tuples->list[i], bytes);
	for (i = set->n_rules; i-- > 0;) {
		struct tuple *tuple =
			find_tuple(tuples, lengths_of(&set->rules[i]));
		uint32_t *head =
			&tuple->heads[hash_of_rule(tuple, &set->rules[i])];

		tuples->next[i] = *head;
		*head = i;
	}
	qsort(tuples->list, tuples->n_list, sizeof(*tuples->list), by_lowest);
	return tuples;
}

static uint32_t tuples_find(const void *built,
			    const struct ruleset_packet *packet)
{
	const struct tuples *tuples = built;
	uint64_t addresses = (uint64_t)packet->src << 32 | packet->dst;
	uint64_t rest = rest_of(packet->sport, packet->dport, packet->protocol);
	uint32_t best = RIVAL_NONE, at;
	size_t i;

	for (i = 0; i < tuples->n_list; i++) {
		const struct tuple *tuple = &tuples->list[i];

		if (tuple->lowest >= best)
			break;
		at = tuple->heads[hash_of(tuple, addresses, rest)];
		while (at < best &&
		       !ruleset_fits(&tuples->set->rules[at], packet))
			at = tuples->next[at];
		if (at < best)
			best = at;
	}
	return best;
}

const struct rival rival_tuples = { "tuple space", tuples_build, tuples_find,
				    tuples_free };
