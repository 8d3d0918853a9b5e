/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list and the classifier of a chain. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"

void compile_calls(struct compiler *c)
{
	const struct policy *policy = c->policy;
	const struct chain *chain;
	size_t i;

	for (i = 0; i < policy->n_groups; i++) {
		const char *name = policy->groups[i].filter_out;

		chain = name ? policy_chain(policy, name) : NULL;
		if (chain)
			c->called[chain - policy->chains] = 1;
	}
}

/* A jump whose rules are being sorted, and those around it. */
struct around {
	uint32_t end;	/* index behind its rules */
	uint32_t looks; /* with those around it */
	bool is_listed;
	struct class_boxes boxes; /* that it fits */
};

struct sorting {
	struct compiler *c;
	const struct walk_rules *rules;
	struct chain_row *row;
	struct class_boxes *boxes;
	bool lists_open, lists_returns;
	uint32_t returned; /* behind all that unlisted returns skip */
	bool escapes;	   /* the list has a rule before it that allows */
	struct around around[JUMPS_MAX];
	size_t depth;
};

/* What the boxes from first on leave open, if it is to be listed. */
static bool is_left_open(const struct class_boxes *boxes, size_t first)
{
	size_t i;

	for (i = first; i < boxes->n_list; i++)
		if (boxes->list[i].bits & ENTRY_CONFIRM)
			return true;
	return false;
}

static const struct rule_row *row_of(const struct sorting *sorting, size_t i)
{
	return &sorting->c->image->rules[sorting->row->walk + i];
}

/* Leaves the jumps whose rules end before one; returns the one that it is in.
 */
static struct around *around_of(struct sorting *sorting, size_t index)
{
	while (sorting->depth &&
	       sorting->around[sorting->depth - 1].end <= index)
		class_boxes_clear(&sorting->around[--sorting->depth].boxes);
	return sorting->depth ? &sorting->around[sorting->depth - 1] : NULL;
}

static int enter(struct sorting *sorting, const struct rule_row *row,
		 uint32_t looks, size_t first, bool is_listed)
{
	struct around *around = &sorting->around[sorting->depth++];
	size_t n = sorting->boxes->n_list - first;

	*around = (struct around){ .end = row->skip,
				   .looks = looks,
				   .is_listed = is_listed };
	if (!n)
		return 0;
	if (!array_extend(&around->boxes.list, &around->boxes.n_list,
			  sizeof(*around->boxes.list), n))
		return -ENOMEM;
	memcpy(around->boxes.list, &sorting->boxes->list[first],
	       n * sizeof(*around->boxes.list));
	return 0;
}

/*
 * Whether a rule with boxes from first on is listed.  Those behind a jump that
 * is not are not either, so that they are found only where that is.
 */
static bool is_listed(const struct sorting *sorting,
		      const struct around *around, const struct rule_row *rule,
		      size_t first, uint32_t looks)
{
	if (around && !around->is_listed)
		return false;
	if (rule->verdict == ROW_RETURN && sorting->lists_returns)
		return true;
	return compile_boxes_list(sorting->boxes, first, looks) ||
	       (sorting->lists_open && is_left_open(sorting->boxes, first));
}

static int sort_rule(struct sorting *sorting, size_t i)
{
	const struct rule_row *rule = row_of(sorting, i);
	struct around *around = around_of(sorting, i);
	uint32_t looks = rule->looks | (around ? around->looks : 0);
	struct class_boxes *boxes = sorting->boxes;
	struct chain_row *row = sorting->row;
	size_t first = boxes->n_list;
	bool listed;
	__u64 *word;
	int r;

	r = compile_boxes(sorting->rules->list[i], rule, i, boxes);
	if (r == 0 && around)
		r = compile_within(boxes, first, &around->boxes);
	if (r < 0)
		return r;
	listed = is_listed(sorting, around, rule, first, looks);
	if (rule->verdict == ROW_JUMP)
		r = enter(sorting, rule, looks, first, listed);
	if (r < 0)
		return r;
	if (listed && rule->verdict == ROW_ALLOW && i < sorting->returned)
		sorting->escapes = true;
	if (!listed) {
		if (rule->verdict == ROW_RETURN &&
		    sorting->returned < rule->skip)
			sorting->returned = rule->skip;
		if ((rule->verdict == ROW_DENY ||
		     rule->verdict == ROW_REJECT) &&
		    boxes->n_list > first && row->refuses == NONE)
			row->refuses = i;
		return 0;
	}
	boxes->n_list = first;
	word = ARRAY_ADD(sorting->c->image, class_buckets);
	if (!word)
		return -ENOMEM;
	*word = i;
	row->list_count++;
	return 0;
}

/* From the beginning, each time. */
static int sort_all(struct sorting *sorting)
{
	struct chain_row *row = sorting->row;
	size_t i;
	int r = 0;

	sorting->c->image->n_class_buckets = row->list;
	sorting->boxes->n_list = 0;
	row->list_count = 0;
	row->refuses = NONE;
	for (i = 0; r == 0 && i < sorting->rules->n_list; i++)
		r = sort_rule(sorting, i);
	around_of(sorting, SIZE_MAX);
	return r;
}

/*
 * Puts rules into the list, and what the others fit into boxes.  lists_open:
 * rules that the classifier would leave open are listed, too.
 *
 * The classifier tells a malformed packet of rules that refuse it only.  If it
 * might have returned nothing that is met then allows it, so where that is in
 * the list, returns are.
 */
static int sort_rules(struct compiler *c, const struct walk_rules *rules,
		      struct chain_row *row, struct class_boxes *boxes,
		      bool lists_open)
{
	struct sorting sorting = { .c = c,
				   .rules = rules,
				   .row = row,
				   .boxes = boxes,
				   .lists_open = lists_open };
	int r;

	row->list = c->image->n_class_buckets;
	r = sort_all(&sorting);
	if (r == 0 && sorting.escapes) {
		sorting.lists_returns = true;
		r = sort_all(&sorting);
	}
	if (boxes->n_list)
		row->lowest = boxes->list[0].index;
	if (row->lowest == 0)
		row->flags &= ~CHAIN_LISTED;
	return r;
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

	if (r == 0 && c->called[chain - c->policy->chains])
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
	row->list_count = row->walk_count;
	row->lowest = row->refuses = NONE;
	for (i = 0; i < N_CLASS_ROOTS; i++)
		row->roots[i] = NONE;
}

/* What the walks through a chain's list may take beside the rules in it. */
struct leads {
	uint32_t listed; /* jumps and returns: when one fits, a batch ends */
	uint32_t asks;	 /* of these, as many may pass what was found */
};

/* The place in the list of the first rule from index on. */
static uint32_t place_of(const struct compiler *c, const struct chain_row *row,
			 uint32_t index)
{
	const __u64 *list = c->image->class_buckets + row->list;
	uint32_t low = 0, high = row->list_count;

	if (row->flags & CHAIN_LINEAR)
		return index;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list[middle] < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool place_has(const struct compiler *c, const struct chain_row *row,
		      uint32_t place, uint32_t index)
{
	return row->flags & CHAIN_LINEAR ||
	       (place < row->list_count &&
		c->image->class_buckets[row->list + place] == index);
}

/* Tells jumps and returns where in the list they lead. */
static struct leads place_leads(struct compiler *c, const struct chain_row *row)
{
	struct leads leads = { 0 };
	uint32_t i, place;

	for (i = 0; i < row->walk_count; i++) {
		struct rule_row *rule = &c->image->rules[row->walk + i];

		if (rule->verdict != ROW_JUMP && rule->verdict != ROW_RETURN)
			continue;
		place = place_of(c, row, i);
		rule->skip_listed = place_of(c, row, rule->skip);
		if (!place_has(c, row, place, i))
			continue;
		leads.listed++;
		/* Something in between is not listed. */
		if (rule->skip_listed - place < rule->skip - i)
			leads.asks++;
	}
	return leads;
}

static uint32_t batches_of(const struct chain_row *row,
			   const struct leads *leads)
{
	return row->list_count / WALK_BATCH + 1 + leads->listed;
}

/* One batch more finds that the list is at its end. */
static bool is_within(const struct chain_row *row, const struct leads *leads,
		      const struct class_worst *worst)
{
	return batches_of(row, leads) <= CHAIN_BATCHES_MAX &&
	       worst->confirms + leads->asks <= CHAIN_ASKS_MAX &&
	       worst->nodes <= CLASS_NODES_WORST;
}

static int refuse(struct compiler *c, const struct chain *chain,
		  const struct chain_row *row, uint32_t n_listed,
		  const struct leads *leads, const struct class_worst *worst)
{
	if (leads->listed)
		return compiler_problem(
			c, &chain->where,
			"chain '%s': some packets would have to be tried on "
			"all %u rules of it and of what it jumps to, which "
			"with %u jumps and returns takes as much as %u, at "
			"most %d are possible: put addresses or ports into "
			"sets, or make jumps by address or port",
			chain->name, row->walk_count, leads->listed,
			row->walk_count + leads->listed * WALK_BATCH,
			WALK_BATCH * CHAIN_BATCHES_MAX - 1);
	return compiler_problem(
		c, &chain->where,
		"chain '%s': for some packets %u of its %u rules would have "
		"to be tried one after the other and %u tables looked up, at "
		"most %d and %d are possible: put addresses or ports into sets",
		chain->name, n_listed, row->walk_count, worst->nodes,
		WALK_BATCH * CHAIN_BATCHES_MAX - 1, CLASS_NODES_WORST);
}

static int build(struct compiler *c, const struct chain *chain,
		 const struct walk_rules *rules, struct chain_row *row,
		 bool lists_open, struct class_worst *ret_worst,
		 struct leads *ret_leads)
{
	CLEANUP(class_boxes_clear) struct class_boxes boxes = { 0 };
	int r;

	*ret_worst = (struct class_worst){ 0 };
	row->flags &= ~CHAIN_LINEAR;
	r = sort_rules(c, rules, row, &boxes, lists_open);
	if (r < 0)
		return r;
	*ret_leads = place_leads(c, row);
	return build_roots(c, chain, row, &boxes, ret_worst);
}

int compile_class(struct compiler *c, const struct chain *chain,
		  const struct walk_rules *rules, struct chain_row *row)
{
	const struct image before = *c->image;
	const struct class_worst none = { 0 };
	struct class_worst worst = { 0 };
	struct leads leads;
	uint32_t n_listed;
	int r;

	become_linear(c->image, &before, row);
	r = build(c, chain, rules, row, false, &worst, &leads);
	if (r == 0 && worst.confirms + leads.asks > CHAIN_ASKS_MAX) {
		become_linear(c->image, &before, row);
		r = build(c, chain, rules, row, true, &worst, &leads);
	}
	if (r < 0 && r != -E2BIG)
		return r;
	if (r == 0 && row->list_count < row->walk_count &&
	    is_within(row, &leads, &worst))
		return 0;
	n_listed = row->list_count;
	become_linear(c->image, &before, row);
	leads = place_leads(c, row);
	if (is_within(row, &leads, &none))
		return 0;
	return refuse(c, chain, row, n_listed, &leads, &worst);
}
