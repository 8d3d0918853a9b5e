/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a store, and reading it back: changing it is in set_change.c. */
#include "rules/set_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/set_reach.h"
#include "rules/set_store_own.h"

#define LINE_WORDS (sizeof(union set_line) / sizeof(uint32_t))

uint32_t store_now(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* Not before it is over, and a number that means nothing else. */
uint32_t store_until(uint32_t now, uint32_t seconds)
{
	uint64_t until = (uint64_t)now + seconds + 1;

	if (until <= SET_OUT)
		return SET_OUT + 1;
	return until < SET_PORTS ? until : SET_PORTS - 1;
}

uint32_t store_spare(uint32_t n_lines, bool has_changed)
{
	uint32_t few = has_changed ? SPARE_LINES_SOME : SPARE_LINES_FEW;

	if (n_lines / 8 > SPARE_LINES_MAX)
		return SPARE_LINES_MAX;
	return n_lines / 8 > few ? n_lines / 8 : few;
}

/* ------------------------------------------------------------ making */

static void write_element(union set_line *lines, unsigned int family, size_t i,
			  const struct element *element)
{
	union set_line *line = &lines[i / SET_PER_LINE(family)];
	size_t at = i % SET_PER_LINE(family);

	if (family == SET_IP4) {
		line->words[2 * at] = element->first;
		line->words[2 * at + 1] = element->last;
		return;
	}
	span_end_split(element->first, (uint64_t *)&line->longs[4 * at]);
	span_end_split(element->last, (uint64_t *)&line->longs[4 * at + 2]);
}

static int make_ports(struct set_lines *lines,
		      const struct element_list *elements, uint32_t *ret_first)
{
	size_t i;
	int r;

	r = set_lines_take_words(lines, elements->n_list, ret_first);
	for (i = 0; r == 0 && i < elements->n_list; i++)
		set_line_at(lines, *ret_first + i / LINE_WORDS)
			->words[i % LINE_WORDS] = elements->list[i].ports;
	return r;
}

static int make_list(struct set_lines *lines, unsigned int family,
		     const struct element_list *elements, struct set_head *head)
{
	size_t n = elements->n_list, i;
	uint32_t per = SET_PER_LINE(family), first = 0;
	bool ends = false;
	int r;

	r = set_lines_take(lines, (n + per - 1) / per, &first);
	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		write_element(&lines->lines[first], family, i,
			      &elements->list[i]);
		ends |= elements->list[i].seconds != 0;
	}
	head->lists[family] = first;
	head->counts[family] = n;
	r = reach_make(lines, family, elements, &head->reaches[family]);
	if (r == 0 && head->kind == SET_OF_SERVICES)
		r = make_ports(lines, elements, &head->ports[family]);
	if (r < 0 || !ends)
		return r;
	r = set_lines_take_words(lines, n, &first);
	for (i = 0; r == 0 && i < n; i++)
		set_line_at(lines, first + i / LINE_WORDS)
			->words[i % LINE_WORDS] =
			elements->list[i].seconds ? elements->list[i].seconds
						  : SET_FOREVER;
	head->untils[family] = first;
	return r;
}

static int make_tree(struct set_lines *lines, unsigned int kind,
		     unsigned int family, const struct element_list *elements,
		     uint32_t now, uint32_t *ret_tree)
{
	CLEANUP(port_trees_clear) struct port_trees trees = { 0 };
	CLEANUP(steps_clear) struct steps steps = { 0 };
	span_end top = element_top(family);
	int r;

	if (kind == SET_OF_SERVICES)
		r = services_add_steps(lines, &trees, &steps, elements, 0, top,
				       now);
	else
		r = steps_add_elements(&steps, elements, 0, top, now);
	return r < 0 ? r : tree_make(lines, family, &steps, SET_OUT, ret_tree);
}

int store_make(const struct elements *elements, uint32_t now,
	       struct set_lines *lines, uint32_t *ret_head)
{
	struct set_head head = { .kind = elements->kind };
	uint32_t line = 0;
	unsigned int family;
	int r;

	r = set_lines_take(lines, 1, &line);
	for (family = 0; r == 0 && family < SET_FAMILIES; family++) {
		const struct element_list *list = &elements->of[family];

		if (!list->n_list)
			continue;
		r = make_tree(lines, head.kind, family, list, now,
			      &head.trees[family]);
		if (r == 0)
			r = make_list(lines, family, list, &head);
	}
	if (r < 0)
		return r;
	head.free = lines->n;
	set_line_at(lines, line)->head = head;
	*ret_head = line;
	return 0;
}

/* ---------------------------------------------------------- checking */

static bool fits(const struct set_lines *lines, uint64_t first, uint64_t n)
{
	return first + n <= lines->n;
}

static bool tree_fits(const struct set_lines *lines, uint32_t line)
{
	const struct set_tree *tree;
	uint64_t keys;

	if (!line)
		return true;
	if (!fits(lines, line, 1))
		return false;
	tree = &set_line_at(lines, line)->tree;
	if ((tree->width != 4 && tree->width != 8 && tree->width != 16) ||
	    tree->n_layers > SET_LAYERS_MAX || !tree->n_keys != !tree->n_layers)
		return false;
	keys = sizeof(union set_line) / tree->width;
	if (tree->n_keys && !fits(lines, tree->layers[tree->n_layers - 1],
				  (tree->n_keys + keys - 1) / keys))
		return false;
	return !tree->values ||
	       fits(lines, tree->values, tree->n_keys / LINE_WORDS + 1);
}

int store_check(const struct set_lines *lines, uint32_t line)
{
	const struct set_head *head;
	unsigned int family;
	uint32_t n, per;

	if (!fits(lines, line, 1))
		return -EPROTO;
	head = &set_line_at(lines, line)->head;
	if (head->free > lines->n || !fits(lines, head->root, 1))
		return -EPROTO;
	for (family = 0; family < SET_FAMILIES; family++) {
		n = head->counts[family];
		per = SET_PER_LINE(family);
		if (!tree_fits(lines, head->trees[family]) ||
		    !fits(lines, head->lists[family],
			  n / per + (n % per != 0)) ||
		    !fits(lines, head->reaches[family],
			  head->reaches[family] ? reach_lines(family, n) : 0) ||
		    !fits(lines, head->untils[family], n / LINE_WORDS) ||
		    !fits(lines, head->ports[family], n / LINE_WORDS))
			return -EPROTO;
	}
	return 0;
}

/* ----------------------------------------------------------- reading */

struct element base_element(const struct set_lines *lines,
			    const struct set_head *head, unsigned int family,
			    uint32_t i)
{
	uint32_t per = SET_PER_LINE(family), at = i % per;
	const union set_line *line =
		set_line_at(lines, head->lists[family] + i / per);
	struct element element = { 0 };

	if (family == SET_IP4) {
		element.first = line->words[2 * at];
		element.last = line->words[2 * at + 1];
	} else {
		element.first =
			span_end_join((const uint64_t *)&line->longs[4 * at]);
		element.last = span_end_join(
			(const uint64_t *)&line->longs[4 * at + 2]);
	}
	if (head->untils[family]) {
		line = set_line_at(lines,
				   head->untils[family] + i / LINE_WORDS);
		element.seconds = line->words[i % LINE_WORDS];
		if (element.seconds == SET_FOREVER)
			element.seconds = 0;
	}
	if (head->ports[family]) {
		line = set_line_at(lines, head->ports[family] + i / LINE_WORDS);
		element.ports = line->words[i % LINE_WORDS];
	}
	return element;
}

/* Both lists are sorted, and so is what comes of them. */
static int merge(const struct set_lines *lines, const struct set_head *head,
		 unsigned int family, const struct change_list *changes,
		 uint32_t now, struct elements *out)
{
	size_t i = 0, j = 0, n = head->counts[family];
	int r = 0;

	while (r == 0 && (i < n || j < changes->n_list)) {
		const struct set_change *change = NULL;
		struct element element = { 0 };
		bool is_in = true;
		int order = -1;

		if (i < n)
			element = base_element(lines, head, family, i);
		if (j < changes->n_list) {
			change = &changes->list[j];
			order = i == n ? 1
				       : element_order(&element,
						       &change->element);
		}
		if (change && order >= 0) {
			element = change->element;
			is_in = change->is_add;
		}
		i += order <= 0;
		j += order >= 0;
		if (is_in && !element_ended(&element, now))
			r = elements_add(out, family, &element);
	}
	return r;
}

int store_read(const struct set_lines *lines, uint32_t line, uint32_t now,
	       const struct set_changes *changes, struct elements *ret_elements)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	const struct set_head *head;
	unsigned int family;
	int r;

	r = store_check(lines, line);
	if (r < 0)
		return r;
	head = &set_line_at(lines, line)->head;
	elements.kind = head->kind;
	for (family = 0; r == 0 && family < SET_FAMILIES; family++) {
		CLEANUP(change_list_clear) struct change_list list = { 0 };

		r = change_list_make(lines, head, family, changes, &list);
		if (r == 0)
			r = merge(lines, head, family, &list, now, &elements);
	}
	if (r < 0)
		return r;
	*ret_elements = elements;
	elements = (struct elements){ 0 };
	return 0;
}

int store_count(const struct set_lines *lines, uint32_t line, uint32_t now,
		size_t *ret_n)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	const struct set_head *head;
	int r;

	r = store_check(lines, line);
	if (r < 0)
		return r;
	head = &set_line_at(lines, line)->head;
	if (!head->root && !head->untils[SET_IP4] && !head->untils[SET_IP6]) {
		*ret_n = (size_t)head->counts[SET_IP4] + head->counts[SET_IP6];
		return 0;
	}
	r = store_read(lines, line, now, NULL, &elements);
	if (r == 0)
		*ret_n = elements_count(&elements);
	return r;
}
