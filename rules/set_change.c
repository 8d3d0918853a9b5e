/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to a store that packets meet.  What was changed is noted in free
 * lines; beside the trees of the head come small ones, for the addresses of
 * all that has changed since it was made; and the one store of head.root is
 * what makes both true.  Who is killed before it has done nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "rules/set_store_own.h"

/* ------------------------------------------------------- the changes */

/* Of the same element, the later one comes behind. */
static int compare_places(const void *va, const void *vb)
{
	const struct set_change *const *a = va, *const *b = vb;
	int order = element_order(&(*a)->element, &(*b)->element);

	return order ? order : (*a > *b) - (*a < *b);
}

static int keep_last_of_each(struct change_list *list)
{
	AUTO_FREE const struct set_change **order = NULL;
	AUTO_FREE struct set_change *sorted = NULL;
	size_t i, n = 0, room = 1;

	if (list->n_list < 2)
		return 0;
	while (room < list->n_list)
		room *= 2; /* base/array.h */
	order = calloc(list->n_list, sizeof(*order));
	sorted = calloc(room, sizeof(*sorted));
	if (!order || !sorted)
		return -ENOMEM;
	for (i = 0; i < list->n_list; i++)
		order[i] = &list->list[i];
	qsort(order, list->n_list, sizeof(*order), compare_places);
	for (i = 0; i < list->n_list; i++)
		if (i + 1 == list->n_list ||
		    element_order(&order[i]->element, &order[i + 1]->element))
			sorted[n++] = *order[i];
	free(list->list);
	list->list = TAKE_PTR(sorted);
	list->n_list = n;
	return 0;
}

static int add_change(struct change_list *list, const struct set_change *change)
{
	struct set_change *added = ARRAY_ADD(list, list);

	if (!added)
		return -ENOMEM;
	*added = *change;
	return 0;
}

static struct set_change noted_change(const struct set_log *log)
{
	return (struct set_change){
		.family = log->family,
		.is_add = log->is_add,
		.element = {
			.first = span_end_join((const uint64_t *)log->first),
			.last = span_end_join((const uint64_t *)log->last),
			.seconds = log->until == SET_FOREVER ? 0 : log->until,
			.ports = log->ports,
		},
	};
}

/* Notes lead from the last one to the first: read from behind. */
static int add_noted(const struct set_lines *lines, const struct set_root *root,
		     unsigned int family, struct change_list *list)
{
	AUTO_FREE uint32_t *order = NULL;
	uint32_t i, line = root->log;
	int r = 0;

	if (root->n_log > lines->n)
		return -EPROTO;
	order = calloc(root->n_log + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	for (i = root->n_log; i-- > 0;
	     line = set_line_at(lines, line)->log.before) {
		if (line >= lines->n)
			return -EPROTO;
		order[i] = line;
	}
	for (i = 0; r == 0 && i < root->n_log; i++) {
		struct set_change change =
			noted_change(&set_line_at(lines, order[i])->log);

		if (change.family == family)
			r = add_change(list, &change);
	}
	return r;
}

int change_list_make(const struct set_lines *lines, const struct set_head *head,
		     unsigned int family, const struct set_changes *changes,
		     struct change_list *ret_list)
{
	CLEANUP(change_list_clear) struct change_list list = { 0 };
	size_t i;
	int r = 0;

	if (head->root)
		r = add_noted(lines, &set_line_at(lines, head->root)->root,
			      family, &list);
	for (i = 0; r == 0 && changes && i < changes->n_list; i++)
		if (changes->list[i].family == family)
			r = add_change(&list, &changes->list[i]);
	if (r == 0)
		r = keep_last_of_each(&list);
	if (r < 0)
		return r;
	*ret_list = list;
	list = (struct change_list){ 0 };
	return 0;
}

/* ------------------------------------------------ what has changed */

static int steps_of_range(struct set_lines *lines, const struct set_head *head,
			  unsigned int family,
			  const struct change_list *changes, span_end first,
			  span_end last, uint32_t now, struct port_trees *trees,
			  struct steps *steps)
{
	struct element_list found = { 0 };
	int r;

	r = store_gather(lines, head, family, changes, first, last, &found);
	if (r == 0 && head->kind == SET_OF_SERVICES)
		r = services_add_steps(lines, trees, steps, &found, first, last,
				       now);
	else if (r == 0)
		r = steps_add_elements(steps, &found, first, last, now);
	free(found.list);
	return r;
}

/* What all that has changed comes to, and the rest is unchanged. */
static int steps_of_changes(struct set_lines *lines,
			    const struct set_head *head, unsigned int family,
			    const struct change_list *changes, uint32_t now,
			    struct steps *steps)
{
	CLEANUP(port_trees_clear) struct port_trees trees = { 0 };
	span_end top = element_top(family), last = 0;
	size_t i = 0;
	int r = 0;

	while (r == 0 && i < changes->n_list) {
		span_end first = changes->list[i].element.first;

		if (first > (steps->n_list ? last + 1 : 0))
			r = steps_add(steps, first - 1, SET_UNCHANGED);
		last = changes->list[i].element.last;
		while (++i < changes->n_list &&
		       changes->list[i].element.first <= last)
			if (changes->list[i].element.last > last)
				last = changes->list[i].element.last;
		if (r == 0)
			r = steps_of_range(lines, head, family, changes, first,
					   last, now, &trees, steps);
	}
	if (r == 0 && (!steps->n_list || last < top))
		r = steps_add(steps, top, SET_UNCHANGED);
	return r;
}

static int make_root_tree(struct set_lines *lines, const struct set_head *head,
			  unsigned int family,
			  const struct set_changes *changes, uint32_t now,
			  uint32_t *ret_tree)
{
	CLEANUP(change_list_clear) struct change_list list = { 0 };
	CLEANUP(steps_clear) struct steps steps = { 0 };
	int r;

	r = change_list_make(lines, head, family, changes, &list);
	if (r == 0)
		r = steps_of_changes(lines, head, family, &list, now, &steps);
	return r < 0 ? r
		     : tree_make(lines, family, &steps, SET_UNCHANGED,
				 ret_tree);
}

/* --------------------------------------------------------- one change */

static int find(const struct set_lines *lines, const struct set_head *head,
		unsigned int family, const struct change_list *changes,
		const struct element *wanted, struct element *ret_found)
{
	const struct set_change *change = change_list_find(changes, wanted);
	struct element there;
	uint32_t i;

	if (change) {
		*ret_found = change->element;
		return change->is_add;
	}
	i = store_lower_bound(lines, head, family, wanted);
	if (i == head->counts[family])
		return 0;
	there = base_element(lines, head, family, i);
	*ret_found = there;
	return element_order(&there, wanted) == 0;
}

/* Of no services they are all the same. */
static bool ports_meet(const struct element *a, const struct element *b)
{
	return ELEMENT_PORT_FIRST(a) <= ELEMENT_PORT_LAST(b) &&
	       ELEMENT_PORT_FIRST(b) <= ELEMENT_PORT_LAST(a);
}

int store_look(const struct set_lines *lines, uint32_t line, uint32_t now,
	       unsigned int family, const struct element *element,
	       struct set_look *ret_look)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct element_list found = { 0 };
	struct set_look look = { 0 };
	size_t i;
	int r;

	r = store_check(lines, line);
	if (r == 0)
		r = change_list_make(lines, &set_line_at(lines, line)->head,
				     family, NULL, &changes);
	if (r == 0)
		r = store_gather(lines, &set_line_at(lines, line)->head, family,
				 &changes, element->first, element->last,
				 &found);
	for (i = 0; r == 0 && i < found.n_list; i++) {
		if (element_ended(&found.list[i], now) ||
		    !ports_meet(&found.list[i], element))
			continue;
		if (element_order(&found.list[i], element) == 0) {
			look.is_in = true;
		} else if (!look.is_reached) {
			look.is_reached = true;
			look.other = found.list[i];
		}
	}
	free(found.list);
	if (r == 0)
		*ret_look = look;
	return r;
}

/* Whether it makes a difference, after those before it. */
static int does_change(const struct set_lines *lines,
		       const struct set_head *head, uint32_t now,
		       const struct set_changes *before,
		       const struct set_change *change, bool *ret_does)
{
	CLEANUP(change_list_clear) struct change_list list = { 0 };
	struct element found = { 0 };
	bool is_in;
	int r;

	r = change_list_make(lines, head, change->family, before, &list);
	if (r < 0)
		return r;
	is_in = find(lines, head, change->family, &list, &change->element,
		     &found) &&
		!element_ended(&found, now);
	*ret_does = is_in != change->is_add ||
		    (is_in && found.seconds != change->element.seconds);
	return 0;
}

/* Those of changes that make a difference. */
static int choose(const struct set_lines *lines, const struct set_head *head,
		  uint32_t now, const struct set_changes *changes,
		  struct set_changes *chosen)
{
	struct set_change *added;
	size_t i;
	int r;

	for (i = 0; i < changes->n_list; i++) {
		bool does = false;

		r = does_change(lines, head, now, chosen, &changes->list[i],
				&does);
		if (r < 0)
			return r;
		if (!does)
			continue;
		added = ARRAY_ADD(chosen, list);
		if (!added)
			return -ENOMEM;
		*added = changes->list[i];
	}
	return 0;
}

static int note(struct set_lines *lines, const struct set_changes *changes,
		struct set_root *root)
{
	uint32_t line = 0;
	size_t i;
	int r;

	for (i = 0; i < changes->n_list; i++) {
		const struct set_change *change = &changes->list[i];
		const struct element *element = &change->element;
		struct set_log log = {
			.before = root->log,
			.family = change->family,
			.is_add = change->is_add,
			.until = element->seconds ? element->seconds
						  : SET_FOREVER,
			.ports = element->ports,
		};

		r = set_lines_take(lines, 1, &line);
		if (r < 0)
			return r;
		span_end_split(element->first, (uint64_t *)log.first);
		span_end_split(element->last, (uint64_t *)log.last);
		set_line_at(lines, line)->log = log;
		root->log = line;
		root->n_log++;
	}
	return 0;
}

static int make_root(struct set_lines *lines, const struct set_head *head,
		     const struct set_changes *changes, uint32_t now,
		     uint32_t *ret_root)
{
	struct set_root root = { 0 };
	uint32_t line = 0;
	unsigned int family;
	int r;

	if (head->root) {
		root.log = set_line_at(lines, head->root)->root.log;
		root.n_log = set_line_at(lines, head->root)->root.n_log;
	}
	r = set_lines_take(lines, 1, &line);
	for (family = 0; r == 0 && family < SET_FAMILIES; family++)
		r = make_root_tree(lines, head, family, changes, now,
				   &root.trees[family]);
	if (r == 0)
		r = note(lines, changes, &root);
	if (r < 0)
		return r;
	root.free = lines->n;
	set_line_at(lines, line)->root = root;
	*ret_root = line;
	return 0;
}

/* More than so many at once are no change, but another set. */
#define CHANGES_MAX 64

int store_change(struct set_lines *lines, uint32_t line, uint32_t now,
		 const struct set_changes *changes, size_t *ret_n)
{
	/* Taken from where free lines begin; its end is that of the store. */
	struct set_lines free_lines = *lines;
	struct set_changes chosen = { 0 };
	struct set_head *head;
	uint32_t root = 0;
	int r;

	r = store_check(lines, line);
	if (r < 0)
		return r;
	if (changes->n_list > CHANGES_MAX)
		return -ENOSPC;
	head = &set_line_at(lines, line)->head;
	free_lines.n = head->root ? set_line_at(lines, head->root)->root.free
				  : head->free;
	free_lines.room = lines->n;
	free_lines.is_fixed = true;
	r = choose(lines, head, now, changes, &chosen);
	if (r == 0 && chosen.n_list)
		r = make_root(&free_lines, head, &chosen, now, &root);
	if (r == 0 && lines->pages)
		r = lines->pages->r;
	crash_point();
	if (r == 0 && chosen.n_list)
		__atomic_store_n(&head->root, root, __ATOMIC_RELEASE);
	crash_point();
	if (r == 0)
		*ret_n = chosen.n_list;
	free(chosen.list);
	return r;
}
