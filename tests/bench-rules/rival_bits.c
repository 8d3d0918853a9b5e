/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bit vectors (Lakshman and Stiliadis; with an aggregate, Baboescu and
 * Varghese): each field is cut where a rule begins or ends, and what is
 * between two cuts has a bit for each rule that has it.  The first bit that
 * is set in the vectors of all fields is the rule.  A second vector has a bit
 * for each 64 of the first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tests/bench-rules/rival.h"

enum {
	N_FIELDS = 5
};

struct field {
	uint32_t *starts; /* of the elementary intervals, ascending */
	size_t n_starts;
	uint64_t *vectors; /* one behind the other: first aggregates */
};

struct bits {
	struct field fields[N_FIELDS];
	size_t words, aggregates; /* of a vector */
};

static void field_range(const struct ruleset_rule *rule, size_t field,
			uint32_t *first, uint32_t *last)
{
	const uint32_t ranges[N_FIELDS][2] = {
		{ rule->src_first, rule->src_last },
		{ rule->dst_first, rule->dst_last },
		{ rule->sport_first, rule->sport_last },
		{ rule->dport_first, rule->dport_last },
		{ rule->protocol, rule->protocol ? rule->protocol : 255 },
	};

	*first = ranges[field][0];
	*last = ranges[field][1];
}

static int by_number(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static void find_starts(const struct ruleset *set, size_t index,
			struct field *field)
{
	uint32_t first, last;
	size_t i, n = 0;

	field->starts = calloc(2 * set->n_rules + 1, sizeof(*field->starts));
	if (!field->starts)
		abort();
	field->starts[n++] = 0;
	for (i = 0; i < set->n_rules; i++) {
		field_range(&set->rules[i], index, &first, &last);
		field->starts[n++] = first;
		if (last != UINT32_MAX)
			field->starts[n++] = last + 1;
	}
	qsort(field->starts, n, sizeof(*field->starts), by_number);
	for (i = 0; i < n; i++)
		if (i == 0 || field->starts[i] != field->starts[i - 1])
			field->starts[field->n_starts++] = field->starts[i];
}

static size_t find_interval(const struct field *field, uint32_t value)
{
	size_t low = 0, high = field->n_starts;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (field->starts[middle] <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void fill_vectors(const struct bits *bits, const struct ruleset *set,
			 size_t index, struct field *field)
{
	size_t stride = bits->words + bits->aggregates, i, k;
	uint32_t first, last;

	for (i = 0; i < set->n_rules; i++) {
		field_range(&set->rules[i], index, &first, &last);
		for (k = find_interval(field, first);
		     k < field->n_starts && field->starts[k] <= last; k++) {
			uint64_t *vector = &field->vectors[k * stride];

			vector[i / 4096] |= 1ULL << (i / 64 % 64);
			vector[bits->aggregates + i / 64] |= 1ULL << (i % 64);
		}
	}
}

static void bits_free(void *built)
{
	struct bits *bits = built;
	size_t i;

	for (i = 0; i < N_FIELDS; i++) {
		free(bits->fields[i].starts);
		free(bits->fields[i].vectors);
	}
	free(bits);
}

static void *bits_build(const struct ruleset *set, uint64_t *bytes)
{
	struct bits *bits = calloc(1, sizeof(*bits));
	size_t i;

	if (!bits)
		abort();
	bits->words = (set->n_rules + 63) / 64;
	bits->aggregates = (bits->words + 63) / 64;
	*bytes = 0;
	for (i = 0; i < N_FIELDS; i++) {
		find_starts(set, i, &bits->fields[i]);
		*bytes += bits->fields[i].n_starts *
			  ((bits->words + bits->aggregates) * 8 + 4);
	}
	if (*bytes > RIVAL_BYTES_MAX) {
		bits_free(bits);
		return NULL;
	}
	for (i = 0; i < N_FIELDS; i++) {
		struct field *field = &bits->fields[i];

		field->vectors = calloc(field->n_starts,
					(bits->words + bits->aggregates) * 8);
		if (!field->vectors)
			abort();
		fill_vectors(bits, set, i, field);
	}
	return bits;
}

static uint64_t all_of(const uint64_t *const *vectors, size_t word)
{
	return vectors[0][word] & vectors[1][word] & vectors[2][word] &
	       vectors[3][word] & vectors[4][word];
}

static uint32_t bits_find(const void *built,
			  const struct ruleset_packet *packet)
{
	const struct bits *bits = built;
	const uint32_t values[N_FIELDS] = { packet->src, packet->dst,
					    packet->sport, packet->dport,
					    packet->protocol };
	const uint64_t *vectors[N_FIELDS];
	uint64_t some, rules;
	size_t i, k;

	for (i = 0; i < N_FIELDS; i++)
		vectors[i] =
			&bits->fields[i]
				 .vectors[find_interval(&bits->fields[i],
							values[i]) *
					  (bits->words + bits->aggregates)];
	for (i = 0; i < bits->aggregates; i++) {
		for (some = all_of(vectors, i); some; some &= some - 1) {
			k = i * 64 + __builtin_ctzll(some);
			rules = all_of(vectors, bits->aggregates + k);
			if (rules)
				return k * 64 + __builtin_ctzll(rules);
		}
	}
	return RIVAL_NONE;
}

const struct rival rival_bits = { "bit vectors", bits_build, bits_find,
				  bits_free };
