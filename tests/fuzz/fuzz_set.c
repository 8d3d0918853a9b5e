/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of sets.  What is read makes a store that has the same elements, and
 * in which the ends of each are.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "rules/set_read.h"
#include "rules/set_store.h"

static bool has(const struct set_lines *lines, uint32_t line, span_end key,
		uint32_t port)
{
	const struct set_tree *tree = &lines->lines[line].tree;
	uint32_t value =
		tree_value(lines, tree, tree_interval(lines, tree, key));

	if (value & SET_PORTS && value != SET_FOREVER)
		return has(lines, value & ~SET_PORTS, port, 0);
	return value != SET_OUT;
}

static void check_list(const struct set_lines *lines, uint32_t head,
		       unsigned int family, const struct element_list *made,
		       const struct element_list *read)
{
	uint32_t tree = lines->lines[head].head.trees[family];
	size_t i;

	CHECK(made->n_list == read->n_list);
	for (i = 0; i < made->n_list; i++) {
		CHECK(made->list[i].first == read->list[i].first);
		CHECK(made->list[i].last == read->list[i].last);
		CHECK(made->list[i].seconds == read->list[i].seconds);
		CHECK(made->list[i].ports == read->list[i].ports);
		CHECK(has(lines, tree, made->list[i].first,
			  ELEMENT_PORT_FIRST(&made->list[i])));
		CHECK(has(lines, tree, made->list[i].last,
			  ELEMENT_PORT_LAST(&made->list[i])));
	}
}

static void check_store(const struct elements *elements)
{
	struct set_lines lines = { 0 };
	struct elements read = { 0 };
	unsigned int family;
	uint32_t head;

	CHECK(store_make(elements, 0, &lines, &head) == 0);
	CHECK(store_check(&lines, head) == 0);
	CHECK(store_read(&lines, head, 0, NULL, &read) == 0);
	for (family = 0; family < SET_FAMILIES; family++)
		check_list(&lines, head, family, &elements->of[family],
			   &read.of[family]);
	elements_clear(&read);
	set_lines_clear(&lines);
}

/* A file says for how long, a store until when. */
static void begin_timeouts(struct element_list *elements)
{
	size_t i;

	for (i = 0; i < elements->n_list; i++)
		if (elements->list[i].seconds)
			elements->list[i].seconds =
				store_until(0, elements->list[i].seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct set set = { .name = (char *)"s" };
	struct problems problems = { 0 };
	char *text = malloc(size + 1);
	unsigned int family;

	CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (set_add_lines(&set, "f", text, size, &problems) == 0) {
		for (family = 0; family < SET_FAMILIES; family++)
			begin_timeouts(&set.elements.of[family]);
		CHECK(elements_sort(&set.elements) == 0);
		check_store(&set.elements);
	}
	problems_clear(&problems);
	elements_clear(&set.elements);
	free(text);
	return 0;
}
