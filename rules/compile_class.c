/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list and the classifier of a chain. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"

/* As many rules are sooner tried than looked up. */
#define LINEAR_MAX 8

/* Whether connect() and sendmsg() ask the chain. */
static bool is_asked_at_calls(const struct policy *policy,
			      const struct chain *chain)
{
	size_t i;

	for (i = 0; i < policy->n_groups; i++) {
		const char *name = policy->groups[i].filter_out;

		if (name && strcmp(name, chain->name) == 0)
			return true;
	}
	return false;
}

/* What the boxes from first on leave open, if it is to be listed. */
static bool is_left_open(const struct class_boxes *boxes, size_t first)
{
	size_t i;

	for (i = first; i < boxes->n_list; i++)
		if (boxes->list[i].bits & ENTRY_CONFIRM)
			return true;
	return false;
}

/*
 * Puts rules into the list, and what the others fit into boxes.  lists_open:
 * rules that the classifier would leave open are listed, too.
 */
static int sort_rules(struct compiler *c, const struct chain *chain,
		      struct chain_row *row, struct class_boxes *boxes,
		      bool lists_open)
{
	size_t i, n;
	int r;

	row->list = c->image->n_class_buckets;
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule_row *rule = &c->image->rules[row->first + i];
		bool is_listed;
		__u64 *word;

		n = boxes->n_list;
		r = compile_boxes(&chain->rules[i], rule, i, boxes, &is_listed);
		if (r < 0)
			return r;
		if (lists_open && is_left_open(boxes, n)) {
			boxes->n_list = n;
			is_listed = true;
		}
		if (!is_listed) {
			if (rule->verdict != ROW_ALLOW && row->refuses == NONE)
				row->refuses = i;
			continue;
		}
		word = ARRAY_ADD(c->image, class_buckets);
		if (!word)
			return -ENOMEM;
		*word = i;
		row->list_count++;
	}
	if (boxes->n_list)
		row->lowest = boxes->list[0].index;
	if (row->lowest == 0)
		row->flags &= ~CHAIN_LISTED;
	return 0;
}

/* Takes everything back that was added since. */
static void shrink(struct image *image, const struct image *before)
{
	image->n_class_nodes = before->n_class_nodes;
	image->n_class_buckets = before->n_class_buckets;
	image->n_class_entries = before->n_class_entries;
}

/* Two roots, for both families; *worst becomes that of the harder one. */
static int build_pair(struct compiler *c, const struct class_boxes *boxes,
		      bool is_call, uint32_t *roots, struct class_worst *worst)
{
	struct class_worst one;
	int family, r;

	for (family = 4; family <= 6; family += 2) {
		r = class_build(boxes, family, is_call, c->image, roots++,
				&one);
		if (r < 0)
			return r;
		if (one.nodes > worst->nodes)
			worst->nodes = one.nodes;
		if (one.confirms > worst->confirms)
			worst->confirms = one.confirms;
	}
	return 0;
}

/*
 * For calls a chain can be too hard, as they do not know the source: then they
 * are decided by their packets.
 */
static int build_calls(struct compiler *c, const struct class_boxes *boxes,
		       struct chain_row *row)
{
	const struct image before = *c->image;
	struct class_worst worst = { 0 };
	int r = build_pair(c, boxes, true, &row->roots[CLASS_CALL4], &worst);

	if (r < 0 && r != -E2BIG)
		return r;
	if (r == 0 && worst.nodes <= CLASS_NODES_WORST) {
		row->flags |= CHAIN_CALLS;
		return 0;
	}
	shrink(c->image, &before);
	row->roots[CLASS_CALL4] = row->roots[CLASS_CALL6] = NONE;
	return 0;
}

static int build_roots(struct compiler *c, const struct chain *chain,
		       struct chain_row *row, const struct class_boxes *boxes,
		       struct class_worst *ret_worst)
{
	int r = build_pair(c, boxes, false, row->roots, ret_worst);

	if (r == 0 && is_asked_at_calls(c->policy, chain))
		r = build_calls(c, boxes, row);
	return r;
}

static void become_linear(struct image *image, const struct image *before,
			  struct chain_row *row)
{
	size_t i;

	shrink(image, before);
	row->flags &= ~CHAIN_CALLS;
	row->flags |= CHAIN_LINEAR | CHAIN_LISTED;
	row->list = 0;
	row->list_count = row->count;
	row->lowest = row->refuses = NONE;
	for (i = 0; i < N_CLASS_ROOTS; i++)
		row->roots[i] = NONE;
}

/* One batch more finds that the list is at its end. */
static bool is_within(const struct chain_row *row,
		      const struct class_worst *worst)
{
	return row->list_count < WALK_BATCH * CHAIN_BATCHES_MAX &&
	       worst->confirms <= CHAIN_ASKS_MAX &&
	       worst->nodes <= CLASS_NODES_WORST;
}

static int refuse(struct compiler *c, const struct chain *chain,
		  const struct chain_row *row, const struct class_worst *worst)
{
	return compiler_problem(
		c, &chain->where,
		"chain '%s': for some packets %u of its %zu rules would have "
		"to be tried one after the other and %u tables looked up, at "
		"most %d and %d are possible: put addresses or ports into sets",
		chain->name, row->list_count, chain->n_rules, worst->nodes,
		WALK_BATCH * CHAIN_BATCHES_MAX - 1, CLASS_NODES_WORST);
}

static int build(struct compiler *c, const struct chain *chain,
		 struct chain_row *row, bool lists_open,
		 struct class_worst *ret_worst)
{
	CLEANUP(class_boxes_clear) struct class_boxes boxes = { 0 };
	int r;

	*ret_worst = (struct class_worst){ 0 };
	row->flags &= ~CHAIN_LINEAR;
	row->list_count = 0;
	r = sort_rules(c, chain, row, &boxes, lists_open);
	return r < 0 ? r : build_roots(c, chain, row, &boxes, ret_worst);
}

int compile_class(struct compiler *c, const struct chain *chain,
		  struct chain_row *row)
{
	const struct image before = *c->image;
	struct class_worst worst;
	int r;

	become_linear(c->image, &before, row);
	if (chain->n_rules <= LINEAR_MAX)
		return 0;
	r = build(c, chain, row, false, &worst);
	if (r == 0 && worst.confirms > CHAIN_ASKS_MAX) {
		become_linear(c->image, &before, row);
		r = build(c, chain, row, true, &worst);
	}
	if (r < 0 && r != -E2BIG)
		return r;
	if (r == 0 && is_within(row, &worst))
		return 0;
	if (chain->n_rules >= WALK_BATCH * CHAIN_BATCHES_MAX)
		return refuse(c, chain, row, &worst);
	become_linear(c->image, &before, row);
	return 0;
}
