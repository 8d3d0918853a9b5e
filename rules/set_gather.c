/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a store lies at some addresses, with what has become of it. */
#include <stdlib.h>

#include "rules/set_reach.h"
#include "rules/set_store_own.h"

static int compare_changes(const void *va, const void *vb)
{
	const struct set_change *a = va, *b = vb;

	return element_order(&a->element, &b->element);
}

static bool is_below(const struct set_lines *lines, const struct set_head *head,
		     unsigned int family, uint32_t i,
		     const struct element *element)
{
	struct element there = base_element(lines, head, family, i);

	return element_order(&there, element) < 0;
}

/* Elements are most likely as evenly spread over the intervals as can be. */
static uint32_t likely_place(const struct set_lines *lines,
			     const struct set_head *head, unsigned int family,
			     span_end first)
{
	const struct set_tree *tree;
	uint64_t i;

	if (!head->trees[family])
		return 0;
	tree = &set_line_at(lines, head->trees[family])->tree;
	i = tree_interval(lines, tree, first);
	return i * head->counts[family] / ((uint64_t)tree->n_keys + 1);
}

/*
 * The first of the head's elements that is not below this one: from where it is
 * likely to be in longer and longer steps, as what lies near is mapped.
 */
uint32_t store_lower_bound(const struct set_lines *lines,
			   const struct set_head *head, unsigned int family,
			   const struct element *element)
{
	uint32_t n = head->counts[family], step, middle;
	uint32_t low = likely_place(lines, head, family, element->first);
	uint32_t high = low;

	for (step = 1; high < n && is_below(lines, head, family, high, element);
	     step *= 2) {
		low = high + 1;
		high = n - low < step ? n : low + step;
	}
	for (step = 1; low > 0 && low == high; step *= 2) {
		uint32_t before = low < step ? 0 : low - step;

		if (is_below(lines, head, family, before, element)) {
			low = before + 1;
			break;
		}
		low = high = before;
	}
	while (low < high) {
		middle = low + (high - low) / 2;
		if (is_below(lines, head, family, middle, element))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What has become of an element, or NULL. */
const struct set_change *change_list_find(const struct change_list *changes,
					  const struct element *element)
{
	struct set_change key = { .element = *element };

	if (!changes->n_list)
		return NULL;
	return bsearch(&key, changes->list, changes->n_list, sizeof(key),
		       compare_changes);
}

struct gathering {
	const struct set_lines *lines;
	const struct set_head *head;
	unsigned int family;
	const struct change_list *changes;
	span_end first; /* what ends before it is not wanted */
	struct elements found;
};

/* One of the head's, unless something has become of it. */
static int gather_one(void *data, uint32_t i)
{
	struct gathering *gathering = data;
	struct element there = base_element(gathering->lines, gathering->head,
					    gathering->family, i);

	if (there.last < gathering->first ||
	    change_list_find(gathering->changes, &there))
		return 0;
	return elements_add(&gathering->found, gathering->family, &there);
}

static int gather_changes(struct gathering *gathering, span_end last)
{
	const struct change_list *changes = gathering->changes;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < changes->n_list; i++) {
		const struct set_change *change = &changes->list[i];

		if (change->element.first > last)
			break;
		if (change->is_add && change->element.last >= gathering->first)
			r = elements_add(&gathering->found, gathering->family,
					 &change->element);
	}
	return r;
}

/* The elements that now reach into first … last, sorted. */
int store_gather(const struct set_lines *lines, const struct set_head *head,
		 unsigned int family, const struct change_list *changes,
		 span_end first, span_end last, struct element_list *out)
{
	struct gathering gathering = {
		.lines = lines,
		.head = head,
		.family = family,
		.changes = changes,
		.first = first,
	};
	struct element from = { .first = first };
	uint32_t i = store_lower_bound(lines, head, family, &from);
	int r;

	r = reach_each(lines, head, family, i, first, gather_one, &gathering);
	for (; r == 0 && i < head->counts[family]; i++) {
		if (base_element(lines, head, family, i).first > last)
			break;
		r = gather_one(&gathering, i);
	}
	if (r == 0)
		r = gather_changes(&gathering, last);
	*out = gathering.found.of[family];
	return r < 0 ? r : element_list_sort(out);
}
