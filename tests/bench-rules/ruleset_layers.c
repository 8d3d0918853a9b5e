/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that may share a set of nft: in a set of intervals no two elements
 * overlap.  Each rule goes to the first layer that has none that it overlaps.
 * It is asked of those alone that could: by the first 16 bits of the side that
 * both have a longer prefix for.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench-rules/ruleset.h"

#define NONE UINT32_MAX
#define KEYS 65536

/* Rules of a layer, each in up to three lists. */
enum {
	BY_DST,	 /* dst is narrow */
	BY_SRC,	 /* src is narrow, dst is wide */
	BY_BOTH, /* both are narrow: by src */
	N_KEYED,
	SRC_WIDE = N_KEYED, /* dst is narrow, src is wide */
	DST_WIDE,	    /* src is narrow */
	BOTH_WIDE,
	N_LISTS
};

struct layer {
	uint32_t *heads[N_KEYED]; /* KEYS each: rules, or NONE */
	uint32_t whole[N_LISTS];  /* of SRC_WIDE and the next */
};

struct layers {
	const struct ruleset *set;
	struct layer list[RULESET_LAYERS_MAX];
	size_t n_list;
	uint32_t *next[N_LISTS]; /* by rule */
};

static bool is_narrow(uint32_t first, uint32_t last)
{
	return (first ^ last) < 1 << 16;
}

static bool overlaps(const struct ruleset_rule *a, const struct ruleset_rule *b)
{
	return a->src_first <= b->src_last && b->src_first <= a->src_last &&
	       a->dst_first <= b->dst_last && b->dst_first <= a->dst_last &&
	       a->sport_first <= b->sport_last &&
	       b->sport_first <= a->sport_last &&
	       a->dport_first <= b->dport_last &&
	       b->dport_first <= a->dport_last &&
	       (!a->protocol || !b->protocol || a->protocol == b->protocol);
}

static bool meets(const struct layers *layers, int list, uint32_t head,
		  const struct ruleset_rule *rule)
{
	for (; head != NONE; head = layers->next[list][head])
		if (overlaps(rule, &layers->set->rules[head]))
			return true;
	return false;
}

static bool fits(const struct layers *layers, const struct layer *layer,
		 const struct ruleset_rule *rule)
{
	bool src = is_narrow(rule->src_first, rule->src_last);
	bool dst = is_narrow(rule->dst_first, rule->dst_last);
	uint32_t s = rule->src_first >> 16, d = rule->dst_first >> 16, i;

	if (meets(layers, BOTH_WIDE, layer->whole[BOTH_WIDE], rule))
		return false;
	if (dst && meets(layers, BY_DST, layer->heads[BY_DST][d], rule))
		return false;
	if (src && meets(layers, BY_SRC, layer->heads[BY_SRC][s], rule))
		return false;
	if (!src && meets(layers, DST_WIDE, layer->whole[DST_WIDE], rule))
		return false;
	if (dst)
		return true;
	if (meets(layers, SRC_WIDE, layer->whole[SRC_WIDE], rule))
		return false;
	if (src)
		return !meets(layers, BY_BOTH, layer->heads[BY_BOTH][s], rule);
	for (i = 0; i < KEYS; i++)
		if (meets(layers, BY_DST, layer->heads[BY_DST][i], rule))
			return false;
	return true;
}

static void add_to(struct layers *layers, int list, uint32_t *head,
		   uint32_t index)
{
	layers->next[list][index] = *head;
	*head = index;
}

static void add(struct layers *layers, struct layer *layer, uint32_t index)
{
	const struct ruleset_rule *rule = &layers->set->rules[index];
	bool src = is_narrow(rule->src_first, rule->src_last);
	bool dst = is_narrow(rule->dst_first, rule->dst_last);
	uint32_t s = rule->src_first >> 16, d = rule->dst_first >> 16;

	if (dst)
		add_to(layers, BY_DST, &layer->heads[BY_DST][d], index);
	if (dst && src)
		add_to(layers, BY_BOTH, &layer->heads[BY_BOTH][s], index);
	if (dst && !src)
		add_to(layers, SRC_WIDE, &layer->whole[SRC_WIDE], index);
	if (!dst && src) {
		add_to(layers, BY_SRC, &layer->heads[BY_SRC][s], index);
		add_to(layers, DST_WIDE, &layer->whole[DST_WIDE], index);
	}
	if (!dst && !src)
		add_to(layers, BOTH_WIDE, &layer->whole[BOTH_WIDE], index);
}

static struct layer *layer_new(struct layers *layers)
{
	struct layer *layer = &layers->list[layers->n_list];
	size_t i;

	if (layers->n_list == RULESET_LAYERS_MAX)
		return NULL;
	memset(layer->whole, 0xff, sizeof(layer->whole));
	for (i = 0; i < N_KEYED; i++) {
		layer->heads[i] = malloc(KEYS * sizeof(uint32_t));
		if (!layer->heads[i])
			abort();
		memset(layer->heads[i], 0xff, KEYS * sizeof(uint32_t));
	}
	layers->n_list++;
	return layer;
}

static int place(struct layers *layers, uint32_t index)
{
	const struct ruleset_rule *rule = &layers->set->rules[index];
	struct layer *layer;
	size_t i;

	for (i = 0; i < layers->n_list; i++)
		if (fits(layers, &layers->list[i], rule))
			break;
	layer = i < layers->n_list ? &layers->list[i] : layer_new(layers);
	if (!layer)
		return -1;
	add(layers, layer, index);
	return i;
}

size_t ruleset_layers(const struct ruleset *set, const uint32_t *order,
		      uint8_t *ret_layers)
{
	struct layers layers = { .set = set };
	size_t i, j, n = 0;
	int layer = 0;

	for (i = 0; i < N_LISTS; i++) {
		layers.next[i] = calloc(set->n_rules + 1, sizeof(uint32_t));
		if (!layers.next[i])
			abort();
	}
	for (i = 0; i < set->n_rules && layer >= 0; i++) {
		layer = place(&layers, order[i]);
		ret_layers[order[i]] = layer;
	}
	n = layer < 0 ? 0 : layers.n_list;
	for (i = 0; i < N_LISTS; i++)
		free(layers.next[i]);
	for (i = 0; i < layers.n_list; i++)
		for (j = 0; j < N_KEYED; j++)
			free(layers.list[i].heads[j]);
	return n;
}
