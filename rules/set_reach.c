/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/set_reach.h"

/* Elements that one entry of the lowest layer is about. */
#define REACH_BLOCK 16

/* 16 ^ 7 lines are more than there can be; of IPv6, 8 ^ 9. */
#define LAYERS_MAX 10

struct layers {
	uint32_t per;		    /* entries in a line */
	uint32_t first[LAYERS_MAX]; /* lines, the lowest layer's first */
	uint32_t n_entries[LAYERS_MAX];
	uint32_t n;
	uint32_t n_lines; /* of all */
};

static uint32_t divide_up(uint32_t n, uint32_t by)
{
	return n / by + (n % by != 0);
}

/* Each entry of a layer is about a line of the one below. */
static struct layers layers_of(unsigned int family, uint32_t n)
{
	struct layers layers = { .per = family == SET_IP4 ? 16 : 8 };
	uint32_t n_entries = divide_up(n, REACH_BLOCK);

	while (n_entries && layers.n < LAYERS_MAX) {
		layers.first[layers.n] = layers.n_lines;
		layers.n_entries[layers.n++] = n_entries;
		n_entries = divide_up(n_entries, layers.per);
		layers.n_lines += n_entries;
		if (n_entries == 1)
			break;
	}
	return layers;
}

uint32_t reach_lines(unsigned int family, uint32_t n)
{
	return layers_of(family, n).n_lines;
}

/* Of IPv6 by half: what is in it lies below what comes behind it. */
static uint64_t key_of(unsigned int family, span_end address)
{
	return family == SET_IP4 ? address : address >> 64;
}

static uint64_t entry_at(const struct set_lines *lines, unsigned int family,
			 uint32_t first, uint32_t index)
{
	if (family == SET_IP4)
		return set_line_at(lines, first + index / 16)
			->words[index % 16];
	return set_line_at(lines, first + index / 8)->longs[index % 8];
}

static void entry_raise(struct set_lines *lines, unsigned int family,
			uint32_t first, uint32_t index, uint64_t key)
{
	if (entry_at(lines, family, first, index) >= key)
		return;
	if (family == SET_IP4)
		set_line_at(lines, first + index / 16)->words[index % 16] = key;
	else
		set_line_at(lines, first + index / 8)->longs[index % 8] = key;
}

int reach_make(struct set_lines *lines, unsigned int family,
	       const struct element_list *elements, uint32_t *ret_first)
{
	struct layers layers = layers_of(family, elements->n_list);
	uint32_t first = 0, layer, i;
	int r;

	r = set_lines_take(lines, layers.n_lines, &first);
	if (r < 0)
		return r;
	for (i = 0; i < elements->n_list; i++)
		entry_raise(lines, family, first, i / REACH_BLOCK,
			    key_of(family, elements->list[i].last));
	for (layer = 1; layer < layers.n; layer++)
		for (i = 0; i < layers.n_entries[layer - 1]; i++)
			entry_raise(lines, family, first + layers.first[layer],
				    i / layers.per,
				    entry_at(lines, family,
					     first + layers.first[layer - 1],
					     i));
	*ret_first = first;
	return 0;
}

/* --------------------------------------------------------- looking up */

struct search {
	const struct set_lines *lines;
	struct layers layers;
	unsigned int family;
	uint32_t first; /* line */
	uint32_t index; /* of elements: they are below it */
	uint64_t key;
	int (*add)(void *data, uint32_t i);
	void *data;
};

static int each_in_block(const struct search *search, uint32_t block)
{
	uint32_t i = block * REACH_BLOCK, end = i + REACH_BLOCK;
	int r = 0;

	for (; r >= 0 && i < end && i < search->index; i++)
		r = search->add(search->data, i);
	return r;
}

/* The first element that an entry is about. */
static uint64_t entry_begin(const struct layers *layers, uint32_t layer,
			    uint32_t i)
{
	uint64_t begin = (uint64_t)i * REACH_BLOCK;

	while (layer--)
		begin *= layers->per;
	return begin;
}

/* The entries of a line of a layer. */
static int each_in_line(const struct search *search, uint32_t layer,
			uint32_t line)
{
	const struct layers *layers = &search->layers;
	uint32_t i = line * layers->per, end = i + layers->per;
	int r = 0;

	for (; r >= 0 && i < end && i < layers->n_entries[layer]; i++) {
		if (entry_begin(layers, layer, i) >= search->index)
			break;
		if (entry_at(search->lines, search->family,
			     search->first + layers->first[layer],
			     i) < search->key)
			continue;
		r = layer ? each_in_line(search, layer - 1, i)
			  : each_in_block(search, i);
	}
	return r;
}

int reach_each(const struct set_lines *lines, const struct set_head *head,
	       unsigned int family, uint32_t index, span_end address,
	       int (*add)(void *data, uint32_t i), void *data)
{
	struct search search = {
		.lines = lines,
		.layers = layers_of(family, head->counts[family]),
		.family = family,
		.first = head->reaches[family],
		.index = index,
		.key = key_of(family, address),
		.add = add,
		.data = data,
	};
	uint32_t i;
	int r = 0;

	if (search.first && search.layers.n)
		return each_in_line(&search, search.layers.n - 1, 0);
	for (i = 0; r >= 0 && i < index; i++)
		r = add(data, i);
	return r;
}
