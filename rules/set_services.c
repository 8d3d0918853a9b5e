/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What services that overlap come to: intervals of addresses, each with a tree
 * of the ports that are in beside them.  Most have the same few ports, so trees
 * are made once.
 */
#include "rules/set_services.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/set_store.h"

/* ------------------------------------------------------- trees of ports */

void port_trees_clear(struct port_trees *trees)
{
	steps_clear(&trees->steps);
	free(trees->list);
	free(trees->slots);
	*trees = (struct port_trees){ 0 };
}

static uint64_t hash_of(const struct steps *steps)
{
	uint64_t hash = steps->n_list;
	size_t i;

	for (i = 0; i < steps->n_list; i++) {
		hash ^= (uint64_t)steps->list[i].last << 32 |
			steps->list[i].value;
		hash *= 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return hash;
}

static bool is_of(const struct port_trees *trees, const struct port_tree *tree,
		  const struct steps *steps)
{
	size_t i;

	if (tree->n != steps->n_list)
		return false;
	for (i = 0; i < tree->n; i++) {
		const struct step *step = &trees->steps.list[tree->first + i];

		if (step->last != steps->list[i].last ||
		    step->value != steps->list[i].value)
			return false;
	}
	return true;
}

/* Where the tree of these steps is, or is to be. */
static uint32_t *find_slot(const struct port_trees *trees, uint64_t hash,
			   const struct steps *steps)
{
	size_t i = hash % trees->n_slots;

	for (; trees->slots[i]; i = (i + 1) % trees->n_slots) {
		const struct port_tree *tree =
			&trees->list[trees->slots[i] - 1];

		if (tree->hash == hash && is_of(trees, tree, steps))
			break;
	}
	return &trees->slots[i];
}

/* At most half of them are taken. */
static int grow_slots(struct port_trees *trees)
{
	size_t n = trees->n_slots ? 2 * trees->n_slots : 64, i, at;
	uint32_t *slots;

	if (2 * (trees->n_list + 1) <= trees->n_slots)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < trees->n_list; i++) {
		for (at = trees->list[i].hash % n; slots[at]; at = (at + 1) % n)
			;
		slots[at] = i + 1;
	}
	free(trees->slots);
	trees->slots = slots;
	trees->n_slots = n;
	return 0;
}

static int add_tree(struct port_trees *trees, uint64_t hash,
		    const struct steps *steps, uint32_t line)
{
	struct port_tree tree = { .hash = hash,
				  .first = trees->steps.n_list,
				  .n = steps->n_list,
				  .line = line };
	struct port_tree *added;
	struct step *step;
	size_t i;

	for (i = 0; i < steps->n_list; i++) {
		step = ARRAY_ADD(&trees->steps, list);
		if (!step)
			return -ENOMEM;
		*step = steps->list[i];
	}
	added = ARRAY_ADD(trees, list);
	if (!added)
		return -ENOMEM;
	*added = tree;
	return 0;
}

/* The value of an interval with these ports. */
static int value_of_ports(struct set_lines *lines, struct port_trees *trees,
			  const struct steps *steps, uint32_t *ret_value)
{
	uint64_t hash = hash_of(steps);
	uint32_t line = 0, *slot;
	int r;

	if (steps->n_list == 1 && steps->list[0].value == SET_OUT) {
		*ret_value = SET_OUT;
		return 0;
	}
	r = grow_slots(trees);
	if (r < 0)
		return r;
	slot = find_slot(trees, hash, steps);
	if (!*slot) {
		r = tree_make(lines, SET_IP4, steps, SET_OUT, &line);
		if (r == 0)
			r = add_tree(trees, hash, steps, line);
		if (r < 0)
			return r;
		*slot = trees->n_list;
	}
	*ret_value = SET_PORTS | trees->list[*slot - 1].line;
	return 0;
}

/* ---------------------------------------------------------- addresses */

/* Those that an interval lies in. */
struct reaching {
	const struct element **list;
	size_t n_list;
};

static void drop_ended(struct reaching *reaching, span_end place)
{
	size_t i, n = 0;

	for (i = 0; i < reaching->n_list; i++)
		if (reaching->list[i]->last >= place)
			reaching->list[n++] = reaching->list[i];
	reaching->n_list = n;
}

/* Those that begin at or before a place; *next is the first that does not. */
static int add_begun(struct reaching *reaching,
		     const struct element_list *elements, size_t *next,
		     span_end place, uint32_t now)
{
	for (; *next < elements->n_list; (*next)++) {
		const struct element *element = &elements->list[*next];
		const struct element **added;

		if (element->first > place)
			break;
		if ((element->seconds && element->seconds <= now) ||
		    element->last < place)
			continue;
		added = ARRAY_ADD(reaching, list);
		if (!added)
			return -ENOMEM;
		*added = element;
	}
	return 0;
}

static int steps_of_ports(const struct reaching *reaching, uint32_t now,
			  struct steps *steps)
{
	struct elements ports = { 0 };
	struct element_list *list = &ports.of[SET_IP4];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < reaching->n_list; i++) {
		const struct element *service = reaching->list[i];
		struct element port = {
			.first = ELEMENT_PORT_FIRST(service),
			.last = ELEMENT_PORT_LAST(service),
			.seconds = service->seconds,
		};

		r = elements_add(&ports, SET_IP4, &port);
	}
	if (r == 0)
		r = element_list_sort(list);
	if (r == 0)
		r = steps_add_elements(steps, list, 0, element_top(SET_IP4),
				       now);
	elements_clear(&ports);
	return r;
}

static int value_of(struct set_lines *lines, struct port_trees *trees,
		    const struct reaching *reaching, uint32_t now,
		    uint32_t *ret_value)
{
	CLEANUP(steps_clear) struct steps steps = { 0 };
	int r;

	*ret_value = SET_OUT;
	if (!reaching->n_list)
		return 0;
	r = steps_of_ports(reaching, now, &steps);
	return r < 0 ? r : value_of_ports(lines, trees, &steps, ret_value);
}

static int sweep(struct set_lines *lines, struct port_trees *trees,
		 struct steps *steps, struct reaching *reaching,
		 const struct element_list *elements, span_end first,
		 span_end last, uint32_t now)
{
	uint64_t left = store_overlaps_max(elements->n_list);
	size_t next = 0, i;
	int r;

	for (;;) {
		uint32_t value = SET_OUT;
		span_end end = last;

		drop_ended(reaching, first);
		r = add_begun(reaching, elements, &next, first, now);
		for (i = 0; i < reaching->n_list; i++)
			if (reaching->list[i]->last < end)
				end = reaching->list[i]->last;
		if (next < elements->n_list &&
		    elements->list[next].first <= end)
			end = elements->list[next].first - 1;
		if (r == 0 && reaching->n_list > left)
			return -E2BIG;
		left -= reaching->n_list;
		if (r == 0)
			r = value_of(lines, trees, reaching, now, &value);
		if (r == 0)
			r = steps_add(steps, end, value);
		if (r < 0 || end == last)
			return r;
		first = end + 1;
	}
}

int services_add_steps(struct set_lines *lines, struct port_trees *trees,
		       struct steps *steps, const struct element_list *elements,
		       span_end first, span_end last, uint32_t now)
{
	struct reaching reaching = { 0 };
	int r;

	r = sweep(lines, trees, steps, &reaching, elements, first, last, now);
	free(reaching.list);
	return r;
}
