/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decision tree of equal cuts (HiCuts, HyperCuts), as CutSplit and its kin
 * use it: rules are first divided by whether their source, their destination,
 * both or neither is a narrow prefix, with a tree for each, as a rule that is
 * wide in the field that is cut would be copied to every child.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tests/bench-rules/rival.h"

#define LEAF	  8  /* rules that are looked at one by one */
#define CUTS_BITS 6  /* at most so many bits of a field at once */
#define COPIES	  4  /* so many times as many rules after a cut */
#define NARROW	  12 /* bits of a prefix */
#define DEPTH_MAX 24

enum {
	N_FIELDS = 5,
	N_TREES = 4
};

struct cell {
	uint32_t first[N_FIELDS], last[N_FIELDS];
};

struct tree_node {
	uint32_t first;	 /* of its children, or of a leaf's rules */
	uint32_t lowest; /* rule */
	uint32_t start;	 /* of the field here */
	uint16_t n;	 /* rules of a leaf */
	uint8_t field;	 /* N_FIELDS: a leaf */
	uint8_t shift, bits;
};

struct tree {
	const struct ruleset *set;
	struct tree_node *nodes;
	size_t n_nodes;
	uint32_t *leaves;
	size_t n_leaves;
	uint32_t roots[N_TREES];
};

static void rule_cell(const struct ruleset_rule *rule, struct cell *cell)
{
	*cell = (struct cell){
		.first = { rule->src_first, rule->dst_first, rule->sport_first,
			   rule->dport_first, rule->protocol },
		.last = { rule->src_last, rule->dst_last, rule->sport_last,
			  rule->dport_last,
			  rule->protocol ? rule->protocol : 255 },
	};
}

static bool meets(const struct ruleset_rule *rule, size_t field, uint32_t first,
		  uint32_t last)
{
	struct cell cell;

	rule_cell(rule, &cell);
	return cell.first[field] <= last && cell.last[field] >= first;
}

static uint32_t span_bits(const struct cell *cell, size_t field)
{
	uint32_t span = cell->last[field] - cell->first[field];

	return span ? 32 - __builtin_clz(span) : 0;
}

/* Rules in all children together, and in the largest. */
static uint64_t count_cut(const struct tree *tree, const struct cell *cell,
			  const uint32_t *rules, size_t n, size_t field,
			  uint32_t bits, size_t *ret_largest)
{
	uint32_t shift = span_bits(cell, field) - bits;
	size_t counts[1 << CUTS_BITS] = { 0 }, i;
	uint64_t sum = 0;

	*ret_largest = 0;
	for (i = 0; i < n; i++) {
		struct cell its;
		uint32_t k, from, to;

		rule_cell(&tree->set->rules[rules[i]], &its);
		from = its.first[field] > cell->first[field]
			       ? its.first[field]
			       : cell->first[field];
		to = its.last[field] < cell->last[field] ? its.last[field]
							 : cell->last[field];
		from = (from - cell->first[field]) >> shift;
		to = (to - cell->first[field]) >> shift;
		sum += to - from + 1;
		for (k = from; k <= to; k++)
			if (++counts[k] > *ret_largest)
				*ret_largest = counts[k];
	}
	return sum;
}

/* The cut whose largest child is smallest; false where none is worth it. */
static bool choose_cut(const struct tree *tree, const struct cell *cell,
		       const uint32_t *rules, size_t n, size_t *ret_field,
		       uint32_t *ret_bits)
{
	size_t best = n - n / 8, field, largest;
	bool found = false;
	uint32_t bits;

	for (field = 0; field < N_FIELDS; field++) {
		for (bits = 2; bits <= CUTS_BITS; bits += 2) {
			if (bits > span_bits(cell, field))
				break;
			if (count_cut(tree, cell, rules, n, field, bits,
				      &largest) > COPIES * n)
				break;
			if (largest >= best)
				continue;
			best = largest;
			*ret_field = field;
			*ret_bits = bits;
			found = true;
		}
	}
	return found;
}

/* What encloses the rules there: HyperCuts cuts no more than that. */
static void shrink(const struct tree *tree, const uint32_t *rules, size_t n,
		   struct cell *cell)
{
	struct cell its,
		around = { .first = { UINT32_MAX, UINT32_MAX, UINT32_MAX,
				      UINT32_MAX, UINT32_MAX } };
	size_t i, f;

	for (i = 0; i < n; i++) {
		rule_cell(&tree->set->rules[rules[i]], &its);
		for (f = 0; f < N_FIELDS; f++) {
			if (its.first[f] < around.first[f])
				around.first[f] = its.first[f];
			if (its.last[f] > around.last[f])
				around.last[f] = its.last[f];
		}
	}
	for (f = 0; f < N_FIELDS; f++) {
		if (around.first[f] > cell->first[f])
			cell->first[f] = around.first[f];
		if (around.last[f] < cell->last[f])
			cell->last[f] = around.last[f];
	}
}

static bool make_leaf(struct tree *tree, uint32_t id, const uint32_t *rules,
		      size_t n)
{
	struct tree_node *node = &tree->nodes[id];

	if (n > UINT16_MAX)
		return false;
	node->field = N_FIELDS;
	node->n = n;
	node->first = tree->n_leaves;
	if (n && !array_extend(&tree->leaves, &tree->n_leaves,
			       sizeof(*tree->leaves), n))
		abort();
	if (n)
		memcpy(&tree->leaves[node->first], rules, n * sizeof(*rules));
	return (tree->n_leaves * 4 + tree->n_nodes * sizeof(*tree->nodes)) <
	       RIVAL_BYTES_MAX;
}

static bool build_node(struct tree *tree, uint32_t id, const struct cell *whole,
		       const uint32_t *rules, size_t n, int depth)
{
	struct cell cell_here = *whole, *cell = &cell_here;
	AUTO_FREE uint32_t *within = malloc((n + 1) * sizeof(*within));
	uint32_t bits, k, children = tree->n_nodes, shift;
	size_t field, i, m;

	if (!within)
		abort();
	tree->nodes[id].lowest = n ? rules[0] : RIVAL_NONE;
	if (n)
		shrink(tree, rules, n, cell);
	if (n <= LEAF || depth == DEPTH_MAX ||
	    !choose_cut(tree, cell, rules, n, &field, &bits))
		return make_leaf(tree, id, rules, n);
	shift = span_bits(cell, field) - bits;
	if (!array_extend(&tree->nodes, &tree->n_nodes, sizeof(*tree->nodes),
			  1U << bits))
		abort();
	tree->nodes[id].first = children;
	tree->nodes[id].start = cell->first[field];
	tree->nodes[id].field = field;
	tree->nodes[id].bits = bits;
	tree->nodes[id].shift = shift;
	for (k = 0; k < 1U << bits; k++) {
		struct cell child = *cell;

		child.first[field] = cell->first[field] + (k << shift);
		child.last[field] =
			child.first[field] + ((uint32_t)(1ULL << shift) - 1);
		/* Beyond the end of all: of the last there may be none. */
		if (child.first[field] < cell->first[field])
			child.first[field] = child.last[field] = UINT32_MAX;
		else if (child.last[field] < child.first[field])
			child.last[field] = UINT32_MAX;
		for (i = m = 0; i < n; i++)
			if (meets(&tree->set->rules[rules[i]], field,
				  child.first[field], child.last[field]))
				within[m++] = rules[i];
		if (!build_node(tree, children + k, &child, within, m,
				depth + 1))
			return false;
	}
	return true;
}

static void tree_free(void *built)
{
	struct tree *tree = built;

	free(tree->nodes);
	free(tree->leaves);
	free(tree);
}

static size_t tree_of(const struct ruleset_rule *rule)
{
	bool src = ruleset_prefix(rule->src_first, rule->src_last) >= NARROW;
	bool dst = ruleset_prefix(rule->dst_first, rule->dst_last) >= NARROW;

	return src * 2 + dst;
}

static void *tree_build(const struct ruleset *set, uint64_t *bytes)
{
	static const struct cell all = { .last = { UINT32_MAX, UINT32_MAX,
						   65535, 65535, 255 } };
	AUTO_FREE uint32_t *rules = calloc(set->n_rules + 1, sizeof(*rules));
	struct tree *tree = calloc(1, sizeof(*tree));
	bool is_built = true;
	size_t i, k, n;

	if (!tree || !rules)
		abort();
	tree->set = set;
	if (!array_extend(&tree->nodes, &tree->n_nodes, sizeof(*tree->nodes),
			  N_TREES))
		abort();
	for (k = 0; is_built && k < N_TREES; k++) {
		for (i = n = 0; i < set->n_rules; i++)
			if (tree_of(&set->rules[i]) == k)
				rules[n++] = i;
		is_built = build_node(tree, k, &all, rules, n, 0);
	}
	*bytes = tree->n_leaves * sizeof(*tree->leaves) +
		 tree->n_nodes * sizeof(*tree->nodes) +
		 set->n_rules * sizeof(*set->rules);
	if (is_built)
		return tree;
	tree_free(tree);
	return NULL;
}

/* The child for a value; NULL where no rule has it. */
static const struct tree_node *child_of(const struct tree *tree,
					const struct tree_node *node,
					uint32_t value)
{
	uint32_t child = (value - node->start) >> node->shift;

	return child >> node->bits ? NULL : &tree->nodes[node->first + child];
}

static uint32_t tree_find(const void *built,
			  const struct ruleset_packet *packet)
{
	const struct tree *tree = built;
	const uint32_t values[N_FIELDS] = { packet->src, packet->dst,
					    packet->sport, packet->dport,
					    packet->protocol };
	uint32_t best = RIVAL_NONE, i, k;

	for (k = 0; k < N_TREES; k++) {
		const struct tree_node *node = &tree->nodes[k];

		while (node && node->field < N_FIELDS && node->lowest < best)
			node = child_of(tree, node, values[node->field]);
		if (!node || node->lowest >= best)
			continue;
		for (i = 0; i < node->n; i++) {
			uint32_t rule = tree->leaves[node->first + i];

			if (rule >= best)
				break;
			if (ruleset_fits(&tree->set->rules[rule], packet))
				best = rule;
		}
	}
	return best;
}

const struct rival rival_tree = { "decision tree", tree_build, tree_find,
				  tree_free };
