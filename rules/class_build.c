/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/class_own.h"

#define ENTRIES_MAX ((1U << CLASS_FIRST_BITS) - CLASS_LIST_MAX * 2)

struct builder {
	const struct class_box *boxes;
	struct image *image;
	struct item *scratch; /* as many as there are items */
	uint32_t *places;     /* likewise: the bucket of each */
	int family;
	bool without_source;
};

/* Nodes one after the other, and what is left for a list. */
struct forest {
	uint32_t node; /* the first, or NONE */
	size_t left;   /* of the items, the first ones */
	struct class_worst worst;
};

/* A node to be: n items from first on. */
struct part {
	struct split split;
	size_t first, n;
};

struct parts {
	struct part *list;
	size_t n_list;
};

static int build_forest(struct builder *b, struct item *items, size_t n,
			bool may_split, uint32_t tail,
			struct forest *ret_forest);

/* ------------------------------------------------------------- entries */

/* As class_misses6 shifts. */
static void range_shifts(const struct class_range *range, uint32_t *first,
			 uint32_t *last)
{
	unsigned int bits = class_range_bits(range, 6);

	*first = bits < 64 ? 64 - bits : 0;
	*last = bits < 64 ? 64 : 128 - bits;
}

static int add_addresses(struct image *image, const struct class_range *src,
			 const struct class_range *dst)
{
	struct class_addresses addresses = {
		.src = { src->first >> 64, src->first },
		.dst = { dst->first >> 64, dst->first },
	};
	struct class_entry *place = ARRAY_ADD(image, class_entries);

	if (!place)
		return -ENOMEM;
	memcpy(place, &addresses, sizeof(*place));
	return 0;
}

static struct class_range anything(int family)
{
	struct class_range range = { 0, UINT32_MAX };

	if (family == 6)
		range.last = ~(class_address)0;
	return range;
}

/* Whether a rule looks at the source: without that it is left open. */
static bool is_about_source(const struct class_box *box)
{
	struct class_range all = anything(box->family);

	return box->src.first != all.first || box->src.last != all.last ||
	       box->sport_first != 0 || box->sport_last != 65535;
}

static int add_entry(struct builder *b, const struct class_box *box)
{
	struct class_range src = b->without_source ? anything(b->family)
						   : box->src;
	struct class_entry *entry = ARRAY_ADD(b->image, class_entries);
	uint32_t bits = box->bits;

	if (!entry)
		return -ENOMEM;
	if (b->without_source && is_about_source(box))
		bits |= ENTRY_CONFIRM;
	entry->sport_first = b->without_source ? 0 : box->sport_first;
	entry->sport_last = b->without_source ? 65535 : box->sport_last;
	entry->dport_first = box->dport_first;
	entry->dport_last = box->dport_last;
	entry->rule = box->index | (uint32_t)box->protocol << CLASS_BITS_SHIFT;
	entry->counter = box->counter | bits << CLASS_BITS_SHIFT;
	if (b->family == 4) {
		entry->src_first = src.first;
		entry->src_last = src.last;
		entry->dst_first = box->dst.first;
		entry->dst_last = box->dst.last;
		return 0;
	}
	range_shifts(&src, &entry->src_first, &entry->src_last);
	range_shifts(&box->dst, &entry->dst_first, &entry->dst_last);
	return add_addresses(b->image, &src, &box->dst);
}

/* What a bucket gets: a list of items, and perhaps a node. */
static int fill_bucket(struct builder *b, const struct item *items, size_t n,
		       uint32_t node, uint64_t hash_bits, uint32_t place)
{
	uint64_t first = b->image->n_class_entries;
	size_t i;
	int r;

	if (first > ENTRIES_MAX)
		return -E2BIG;
	for (i = 0; i < n; i++) {
		r = add_entry(b, &b->boxes[items[i].box]);
		if (r < 0)
			return r;
	}
	b->image->class_buckets[place] =
		hash_bits | first | (uint64_t)n << CLASS_COUNT_SHIFT |
		(uint64_t)(node == NONE ? CLASS_NO_NODE : node)
			<< CLASS_NODE_SHIFT;
	return 0;
}

static uint32_t confirms_of(const struct builder *b, const struct item *items,
			    size_t n)
{
	uint32_t confirms = 0;
	size_t i;

	for (i = 0; i < n; i++)
		confirms += (b->boxes[items[i].box].bits & ENTRY_CONFIRM) != 0;
	return confirms;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* ------------------------------------------------------------- buckets */

/* The items of one bucket: n of the node's. */
static int build_bucket(struct builder *b, const struct class_node *node,
			size_t n_of_node, struct item *items, size_t n,
			uint32_t place, struct class_worst *worst)
{
	struct forest forest = { .node = NONE, .left = n };
	/* Each node has fewer than the one above, or lists. */
	bool may_split = n < n_of_node;
	uint64_t hash_bits = 0;
	size_t i;
	int r;

	for (i = 0; i < n; i++)
		hash_bits |=
			class_hash_bit(item_hash(&items[i], node, b->family));
	if (n > CLASS_LEAF) {
		r = build_forest(b, items, n, may_split, node->next, &forest);
		if (r < 0)
			return r;
	}
	worst->nodes = larger(worst->nodes, forest.worst.nodes);
	worst->confirms = larger(worst->confirms,
				 forest.worst.confirms +
					 confirms_of(b, items, forest.left));
	return fill_bucket(b, items, forest.left, forest.node, hash_bits,
			   place);
}

/*
 * Brings the items into the order of their buckets, and within one leaves
 * them as they are.  *ret_ends: how many come up to the end of each; to be
 * freed.
 */
static int sort_items(struct builder *b, const struct class_node *node,
		      struct item *items, size_t n, size_t n_buckets,
		      uint32_t **ret_ends)
{
	uint32_t *ends = calloc(n_buckets + 1, sizeof(*ends));
	size_t i;

	if (!ends)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint64_t hash = item_hash(&items[i], node, b->family);

		b->places[i] = class_bucket(node, hash) - node->first;
		ends[b->places[i] + 1]++;
	}
	for (i = 0; i < n_buckets; i++)
		ends[i + 1] += ends[i];
	memcpy(b->scratch, items, n * sizeof(*items));
	for (i = 0; i < n; i++)
		items[ends[b->places[i]]++] = b->scratch[i];
	*ret_ends = ends;
	return 0;
}

static int build_buckets(struct builder *b, uint32_t id, struct item *items,
			 size_t n, size_t n_buckets, struct class_worst *worst)
{
	struct class_node node = b->image->class_nodes[id];
	AUTO_FREE uint32_t *ends = NULL;
	size_t i, at = 0;
	int r;

	r = sort_items(b, &node, items, n, n_buckets, &ends);
	for (i = 0; r == 0 && i < n_buckets; i++) {
		if (ends[i] > at)
			r = build_bucket(b, &node, n, &items[at], ends[i] - at,
					 node.first + i, worst);
		at = ends[i];
	}
	worst->nodes++;
	return r;
}

/* --------------------------------------------------------------- nodes */

/*
 * As many buckets as items, and more where these would all be in one of them:
 * what is told apart by hashes that are nearly the same.
 */
static unsigned int count_bits(const struct builder *b,
			       const struct class_node *node,
			       const struct item *items, size_t n)
{
	uint64_t first = item_hash(&items[0], node, b->family), differ = 0;
	unsigned int bits = 0, needed;
	size_t i;

	for (i = 1; i < n; i++)
		differ |= item_hash(&items[i], node, b->family) ^ first;
	if (!differ)
		return 0;
	while ((size_t)1 << bits < n)
		bits++;
	needed = __builtin_clzll(differ) + 1;
	return needed > bits && needed <= bits + 6 ? needed : bits;
}

static int build_node(struct builder *b, uint32_t id, struct item *items,
		      const struct part *part, uint32_t next,
		      struct class_worst *worst)
{
	struct class_node *node = &b->image->class_nodes[id];
	size_t n_buckets, first = b->image->n_class_buckets;
	unsigned int bits;

	split_mask(&part->split, b->family, node);
	node->next = next;
	node->lowest = b->boxes[items[part->first].box].index;
	node->first = first;
	bits = count_bits(b, node, &items[part->first], part->n);
	node->shift = 63 - bits;
	n_buckets = (size_t)1 << bits;
	if (!array_extend(&b->image->class_buckets, &b->image->n_class_buckets,
			  sizeof(*b->image->class_buckets), n_buckets))
		return -ENOMEM;
	return build_buckets(b, id, &items[part->first], part->n, n_buckets,
			     worst);
}

static int by_lowest(const void *va, const void *vb, void *data)
{
	const struct part *a = va, *b = vb;
	const struct item *items = data;
	uint32_t left = items[a->first].box, right = items[b->first].box;

	return (left > right) - (left < right);
}

static int build_nodes(struct builder *b, struct item *items,
		       struct parts *parts, uint32_t tail,
		       struct class_worst *worst)
{
	size_t first = b->image->n_class_nodes, i;
	int r;

	if (first + parts->n_list >= CLASS_NO_NODE)
		return -E2BIG;
	if (!array_extend(&b->image->class_nodes, &b->image->n_class_nodes,
			  sizeof(*b->image->class_nodes), parts->n_list))
		return -ENOMEM;
	qsort_r(parts->list, parts->n_list, sizeof(*parts->list), by_lowest,
		items);
	for (i = 0; i < parts->n_list; i++) {
		bool is_last = i + 1 == parts->n_list;
		struct class_worst one = { 0 };

		r = build_node(b, first + i, items, &parts->list[i],
			       is_last ? tail : first + i + 1, &one);
		if (r < 0)
			return r;
		worst->nodes += one.nodes;
		worst->confirms += one.confirms;
	}
	return 0;
}

/* Moves what a split covers behind what it does not; returns how many not. */
static size_t part_items(struct builder *b, const struct split *split,
			 struct item *items, size_t n)
{
	size_t i, left = 0, covered = 0;

	for (i = 0; i < n; i++) {
		if (split_covers(split, &items[i]))
			b->scratch[covered++] = items[i];
		else
			items[left++] = items[i];
	}
	memcpy(&items[left], b->scratch, covered * sizeof(*items));
	return left;
}

static int add_part(struct parts *parts, const struct split *split,
		    size_t first, size_t n)
{
	struct part *part = ARRAY_ADD(parts, list);

	if (!part)
		return -ENOMEM;
	*part = (struct part){ .split = *split, .first = first, .n = n };
	return 0;
}

/*
 * Splits items again and again, until few are left.  Many that nothing tells
 * apart are lists in nodes of one bucket.
 */
static int find_parts(struct builder *b, struct item *items, size_t n,
		      bool may_split, struct parts *parts, size_t *ret_left)
{
	static const struct split none;
	struct split split;
	size_t left = n, rest;
	int r = 0;

	while (r == 0 && may_split && left > CLASS_LEAF &&
	       split_choose(items, left, b->family, &split)) {
		rest = part_items(b, &split, items, left);
		r = add_part(parts, &split, rest, left - rest);
		left = rest;
	}
	while (r == 0 && left > CLASS_LIST_MAX) {
		left -= CLASS_LIST_MAX;
		r = add_part(parts, &none, left, CLASS_LIST_MAX);
	}
	*ret_left = left;
	return r;
}

static int build_forest(struct builder *b, struct item *items, size_t n,
			bool may_split, uint32_t tail,
			struct forest *ret_forest)
{
	struct forest forest = { .node = NONE };
	struct parts parts = { 0 };
	int r;

	r = find_parts(b, items, n, may_split, &parts, &forest.left);
	if (r == 0 && parts.n_list) {
		forest.node = b->image->n_class_nodes;
		r = build_nodes(b, items, &parts, tail, &forest.worst);
	}
	free(parts.list);
	if (r == 0)
		*ret_forest = forest;
	return r;
}

/* --------------------------------------------------------------- chain */

static void range_key(const struct class_range *range, int family,
		      uint64_t *halves)
{
	class_address first = range->first;
	unsigned int bits = class_range_bits(range, family);

	if (bits == 0)
		first = 0;
	if (family == 4) {
		halves[0] = (uint64_t)first;
		return;
	}
	halves[0] = first >> 64;
	halves[1] = (uint64_t)first;
}

static uint8_t port_bits(uint16_t first, uint16_t last)
{
	uint32_t differ = first ^ last;

	return differ ? __builtin_clz(differ) - 16 : 16;
}

static void make_item(const struct builder *b, const struct class_box *box,
		      struct item *item)
{
	uint64_t src[2] = { 0 }, dst[2] = { 0 };
	uint16_t sport = box->sport_first;

	item->lens[DIM_DST] = class_range_bits(&box->dst, b->family);
	item->lens[DIM_DPORT] = port_bits(box->dport_first, box->dport_last);
	item->lens[DIM_PROTOCOL] = box->bits & ENTRY_PROTOCOL ? 8 : 0;
	range_key(&box->dst, b->family, dst);
	if (b->without_source) {
		item->lens[DIM_SRC] = item->lens[DIM_SPORT] = 0;
		sport = 0;
	} else {
		item->lens[DIM_SRC] = class_range_bits(&box->src, b->family);
		item->lens[DIM_SPORT] =
			port_bits(box->sport_first, box->sport_last);
		range_key(&box->src, b->family, src);
	}
	item->key.rest = CLASS_REST(sport, box->dport_first, box->protocol);
	if (b->family == 4) {
		item->key.address[0] = src[0] << 32 | dst[0];
		return;
	}
	memcpy(&item->key.address[0], src, sizeof(src));
	memcpy(&item->key.address[2], dst, sizeof(dst));
}

static size_t count_boxes(const struct class_boxes *boxes, int family)
{
	size_t i, n = 0;

	for (i = 0; i < boxes->n_list; i++)
		n += boxes->list[i].family == family;
	return n;
}

static void make_items(const struct builder *b, size_t n, struct item *items)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (b->boxes[i].family != b->family)
			continue;
		*items = (struct item){ .box = i };
		make_item(b, &b->boxes[i], items++);
	}
}

/* What no split is about gets a node of its own: there is no bucket above. */
static int build_root(struct builder *b, struct item *items, size_t n,
		      uint32_t *ret_root, struct class_worst *ret_worst)
{
	static const struct split none;
	struct forest forest = { 0 };
	struct parts parts = { 0 };
	size_t left;
	int r;

	r = find_parts(b, items, n, true, &parts, &left);
	if (r == 0 && left)
		r = add_part(&parts, &none, 0, left);
	forest.node = b->image->n_class_nodes;
	if (r == 0)
		r = build_nodes(b, items, &parts, NONE, &forest.worst);
	free(parts.list);
	if (r < 0)
		return r;
	*ret_root = forest.node;
	*ret_worst = forest.worst;
	return 0;
}

int class_build(const struct class_boxes *boxes, int family,
		bool without_source, struct image *image, uint32_t *ret_root,
		struct class_worst *ret_worst)
{
	AUTO_FREE struct item *items = NULL, *scratch = NULL;
	AUTO_FREE uint32_t *places = NULL;
	struct builder b = { .boxes = boxes->list,
			     .image = image,
			     .family = family,
			     .without_source = without_source };
	size_t n;

	*ret_root = NONE;
	*ret_worst = (struct class_worst){ 0 };
	n = count_boxes(boxes, family);
	if (n == 0)
		return 0;
	items = array_resize(NULL, 0, n * sizeof(*items));
	scratch = array_resize(NULL, 0, n * sizeof(*scratch));
	places = array_resize(NULL, 0, n * sizeof(*places));
	if (!items || !scratch || !places)
		return -ENOMEM;
	b.scratch = scratch;
	b.places = places;
	make_items(&b, boxes->n_list, items);
	return build_root(&b, items, n, ret_root, ret_worst);
}

unsigned int class_range_bits(const struct class_range *range, int family)
{
	class_address differ = range->first ^ range->last;
	uint64_t high = differ >> 64, low = (uint64_t)differ;
	unsigned int bits = 128;

	if (high)
		bits = __builtin_clzll(high);
	else if (low)
		bits = 64 + __builtin_clzll(low);
	return family == 4 ? bits - 96 : bits;
}

void class_boxes_clear(struct class_boxes *boxes)
{
	free(boxes->list);
	*boxes = (struct class_boxes){ 0 };
}
