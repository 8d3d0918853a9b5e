/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/set_tree.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES sizeof(union set_line)
#define LINE_WORDS (LINE_BYTES / sizeof(uint32_t))

/* ------------------------------------------------------------- lines */

void set_lines_clear(struct set_lines *lines)
{
	if (!lines->is_fixed)
		free(lines->lines);
	*lines = (struct set_lines){ 0 };
}

static int grow(struct set_lines *lines, uint64_t n)
{
	uint64_t room = lines->room ? lines->room : 16;
	union set_line *grown;

	while (room < n)
		room *= 2;
	if (lines->is_fixed || room > SET_LINES_MAX)
		return -ENOSPC;
	grown = realloc(lines->lines, room * LINE_BYTES);
	if (!grown)
		return -ENOMEM;
	lines->lines = grown;
	lines->room = room;
	return 0;
}

int set_lines_take(struct set_lines *lines, uint32_t n, uint32_t *ret_first)
{
	uint64_t end = (uint64_t)lines->n + n;
	int r;

	if (end > lines->room) {
		r = grow(lines, end);
		if (r < 0)
			return r;
	}
	if (n && lines->pages)
		lines->pages->map(lines->pages, lines, lines->n, n);
	if (n)
		memset(&lines->lines[lines->n], 0, n * LINE_BYTES);
	*ret_first = lines->n;
	lines->n = end;
	return 0;
}

int set_lines_take_words(struct set_lines *lines, size_t n, uint32_t *ret_first)
{
	if (n > UINT32_MAX)
		return -ENOSPC;
	return set_lines_take(lines, (n + LINE_WORDS - 1) / LINE_WORDS,
			      ret_first);
}

/* -------------------------------------------------------------- keys */

static uint32_t keys_per_block(uint32_t width)
{
	return LINE_BYTES / width;
}

/* Keys lie one after the other from a line on, also beyond it. */
static void key_write(union set_line *line, uint32_t width, uint32_t index,
		      span_end key)
{
	uint64_t halves[2];

	span_end_split(key, halves);
	if (width == 4)
		line->words[index] = key;
	else if (width == 8)
		line->longs[index] = halves[0];
	else
		memcpy(&line->longs[2 * index], halves, sizeof(halves));
}

static span_end key_read(const union set_line *line, uint32_t width,
			 uint32_t index)
{
	uint64_t halves[2];

	if (width == 4)
		return line->words[index];
	if (width == 8)
		return (span_end)line->longs[index] << 64 | UINT64_MAX;
	memcpy(halves, &line->longs[2 * index], sizeof(halves));
	return span_end_join(halves);
}

/* IPv6 networks up to /64 are told by half of the address. */
static uint32_t width_of(unsigned int family, const struct steps *steps)
{
	size_t i;

	if (family == SET_IP4)
		return 4;
	for (i = 0; i + 1 < steps->n_list; i++)
		if (~steps->list[i].last & UINT64_MAX)
			return 16;
	return 8;
}

/* ------------------------------------------------------------ making */

/* The key at the end of what lies below child `child` of layer `above`. */
static span_end greatest_below(const struct steps *steps, uint32_t keys,
			       uint64_t child, unsigned int layers_below)
{
	uint64_t end = child + 1;

	while (layers_below--)
		end *= keys + 1;
	return steps->list[end * keys - 1].last;
}

static void fill_layer(union set_line *first, uint32_t width, uint32_t blocks,
		       uint32_t children, const struct steps *steps,
		       unsigned int layers_below)
{
	uint32_t keys = keys_per_block(width), block, i;

	memset(first, 0xff, blocks * LINE_BYTES);
	for (block = 0; block < blocks; block++) {
		for (i = 0; i < keys; i++) {
			uint64_t child = (uint64_t)block * (keys + 1) + i;

			/* The last child of all has no key. */
			if (child + 1 >= children)
				break;
			key_write(&first[block], width, i,
				  greatest_below(steps, keys, child,
						 layers_below));
		}
	}
}

static void fill_leaves(union set_line *first, uint32_t width, uint32_t blocks,
			const struct steps *steps)
{
	uint32_t keys = keys_per_block(width);
	size_t i;

	memset(first, 0xff, blocks * LINE_BYTES);
	for (i = 0; i + 1 < steps->n_list; i++)
		key_write(&first[i / keys], width, i % keys,
			  steps->list[i].last);
}

/* Blocks of each layer, from the leaves up; how many layers. */
static unsigned int count_blocks(uint32_t width, size_t n_keys,
				 uint32_t blocks[static SET_LAYERS_MAX])
{
	uint32_t keys = keys_per_block(width);
	unsigned int n = 0;

	if (!n_keys)
		return 0;
	blocks[n++] = (n_keys + keys - 1) / keys;
	while (blocks[n - 1] > 1 && n < SET_LAYERS_MAX) {
		blocks[n] = (blocks[n - 1] + keys) / (keys + 1);
		n++;
	}
	return n;
}

static int make_layers(struct set_lines *lines, struct set_tree *tree,
		       const struct steps *steps)
{
	uint32_t blocks[SET_LAYERS_MAX], first = 0;
	unsigned int n, i;
	int r;

	n = count_blocks(tree->width, tree->n_keys, blocks);
	if (n && blocks[n - 1] > 1)
		return -ENOSPC;
	tree->n_layers = n;
	for (i = n; i-- > 0;) {
		r = set_lines_take(lines, blocks[i], &first);
		if (r < 0)
			return r;
		tree->layers[n - 1 - i] = first;
		if (i == 0)
			fill_leaves(&lines->lines[first], tree->width,
				    blocks[0], steps);
		else
			fill_layer(&lines->lines[first], tree->width, blocks[i],
				   blocks[i - 1], steps, i - 1);
	}
	return 0;
}

/* Whether values need not be kept. */
static bool is_alternating(const struct steps *steps)
{
	size_t i;

	for (i = 0; i < steps->n_list; i++)
		if (steps->list[i].value != SET_OUT &&
		    steps->list[i].value != SET_FOREVER)
			return false;
	return true;
}

static int make_values(struct set_lines *lines, struct set_tree *tree,
		       const struct steps *steps)
{
	size_t i;
	int r;

	if (is_alternating(steps)) {
		tree->first = steps->list[0].value == SET_FOREVER;
		return 0;
	}
	r = set_lines_take_words(lines, steps->n_list, &tree->values);
	if (r < 0)
		return r;
	for (i = 0; i < steps->n_list; i++)
		set_line_at(lines, tree->values + i / LINE_WORDS)
			->words[i % LINE_WORDS] = steps->list[i].value;
	return 0;
}

int tree_make(struct set_lines *lines, unsigned int family,
	      const struct steps *steps, uint32_t none, uint32_t *ret_tree)
{
	struct set_tree tree = { 0 };
	uint32_t line = 0;
	int r;

	if (steps->n_list == 1 && steps->list[0].value == none) {
		*ret_tree = 0;
		return 0;
	}
	if (steps->n_list > UINT32_MAX / 2)
		return -ENOSPC;
	tree.width = width_of(family, steps);
	tree.n_keys = steps->n_list - 1;
	r = set_lines_take(lines, 1, &line);
	if (r == 0)
		r = make_layers(lines, &tree, steps);
	if (r == 0)
		r = make_values(lines, &tree, steps);
	if (r < 0)
		return r;
	set_line_at(lines, line)->tree = tree;
	*ret_tree = line;
	return 0;
}

/* ----------------------------------------------------------- reading */

span_end tree_key(const struct set_lines *lines, const struct set_tree *tree,
		  uint32_t index)
{
	uint32_t keys = keys_per_block(tree->width);
	uint32_t leaves = tree->layers[tree->n_layers - 1];

	return key_read(set_line_at(lines, leaves + index / keys), tree->width,
			index % keys);
}

static uint32_t rank_in(const union set_line *block, uint32_t width,
			span_end address)
{
	uint32_t low = 0, high = keys_per_block(width), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (key_read(block, width, middle) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Layer by layer, as packets do: most lines of a tree are far apart. */
uint32_t tree_interval(const struct set_lines *lines,
		       const struct set_tree *tree, span_end address)
{
	uint32_t keys = keys_per_block(tree->width), block = 0, rank = 0, i;

	for (i = 0; i < tree->n_layers; i++) {
		uint64_t line = (uint64_t)tree->layers[i] + block;
		uint32_t inside;

		/* Of a damaged one. */
		if (line >= lines->n)
			return tree->n_keys;
		inside =
			rank_in(set_line_at(lines, line), tree->width, address);
		rank = block * keys + inside;
		block = block * (keys + 1) + inside;
	}
	return rank < tree->n_keys ? rank : tree->n_keys;
}

uint32_t tree_value(const struct set_lines *lines, const struct set_tree *tree,
		    uint32_t interval)
{
	if (!tree->values)
		return (interval ^ tree->first) & 1 ? SET_FOREVER : SET_OUT;
	return set_line_at(lines, tree->values + interval / LINE_WORDS)
		->words[interval % LINE_WORDS];
}
