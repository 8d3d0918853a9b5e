/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By which bits a node tells rules apart.  Those that it can tell apart must
 * have all of these bits given; the others go on to a node beside it, so that
 * a packet has to visit both.  More bits leave less in each bucket and more
 * for the node beside.  What both cost is estimated, and the best taken that
 * going up step by step finds.  Whole numbers throughout: every machine finds
 * the same.
 */
#include <string.h>

#include "base/array.h"
#include "rules/class_own.h"

#define SAMPLE	   768	/* items that an estimate looks at */
#define BINS	   2048 /* at least twice as many, for their hashes */
#define COVERS_MIN 12	/* items; a list of 8 costs no more than a node */
#define STEPS_MAX  6	/* choices for each dimension */
#define ROUNDS_MAX 5

static uint64_t prefix_mask(unsigned int length, unsigned int bits)
{
	uint64_t all = bits == 64 ? UINT64_MAX : (1ULL << bits) - 1;

	if (length == 0)
		return 0;
	return length >= bits ? all : all & ~((1ULL << (bits - length)) - 1);
}

static void address_mask(unsigned int length, __u64 *halves)
{
	halves[0] = prefix_mask(length, 64);
	halves[1] = length > 64 ? prefix_mask(length - 64, 64) : 0;
}

void split_mask(const struct split *split, int family, struct class_node *node)
{
	memset(node->mask, 0, sizeof(node->mask));
	if (family == 4) {
		node->mask[0] = prefix_mask(split->lens[DIM_SRC], 32) << 32 |
				prefix_mask(split->lens[DIM_DST], 32);
	} else {
		address_mask(split->lens[DIM_SRC], &node->mask[0]);
		address_mask(split->lens[DIM_DST], &node->mask[2]);
	}
	node->mask_rest = CLASS_REST(prefix_mask(split->lens[DIM_SPORT], 16),
				     prefix_mask(split->lens[DIM_DPORT], 16),
				     prefix_mask(split->lens[DIM_PROTOCOL], 8));
}

uint64_t item_hash(const struct item *item, const struct class_node *node,
		   int family)
{
	return family == 6
		       ? class_hash(item->key.address, item->key.rest, node, 1)
		       : class_hash(item->key.address, item->key.rest, node, 0);
}

bool split_covers(const struct split *split, const struct item *item)
{
	size_t d;

	for (d = 0; d < N_DIMS; d++)
		if (item->lens[d] < split->lens[d])
			return false;
	return true;
}

/* ---------------------------------------------------------- estimates */

struct sample {
	const struct item *items;
	size_t n, step; /* every step-th of n */
	size_t looked;	/* how many these are */
	unsigned int bin_bits;
	int family;
};

/* 16 times the logarithm to base 2. */
static unsigned int log_of(uint64_t x)
{
	unsigned int top;

	if (x < 2)
		return 0;
	top = 63 - __builtin_clzll(x);
	return top * 16 +
	       (top >= 4 ? (x >> (top - 4)) & 15 : (x << (4 - top)) & 15);
}

/* What `left` items beside a node cost every packet: 16 is a node. */
static unsigned int cost_beside(uint64_t left)
{
	if (left <= 2)
		return left * 2;
	if (left <= 2 * CLASS_LEAF)
		return 4 + left;
	return 20 + (log_of(left / CLASS_LEAF) - 16) * 3 / 4;
}

/* What `size` items in a bucket cost a packet that comes there. */
static unsigned int cost_within(uint64_t size)
{
	if (size <= 4)
		return size;
	return 10 + log_of(size / 4) / 4;
}

static unsigned int estimate(const struct sample *sample,
			     const struct split *split)
{
	uint64_t covered = 0, squares = 0, size, left;
	unsigned int shift = 64 - sample->bin_bits;
	struct class_node node;
	uint16_t bins[BINS];
	size_t i;

	memset(bins, 0, sizeof(*bins) << sample->bin_bits);
	split_mask(split, sample->family, &node);
	for (i = 0; i < sample->n; i += sample->step) {
		const struct item *item = &sample->items[i];
		uint16_t *bin;

		if (!split_covers(split, item))
			continue;
		bin = &bins[item_hash(item, &node, sample->family) >> shift];
		squares += 2 * *bin + 1;
		(*bin)++;
		covered++;
	}
	/* Told apart at all: most others are elsewhere. */
	if (covered < 2 || squares * 8 > covered * covered * 7)
		return UINT32_MAX;
	if (covered < COVERS_MIN && covered * 2 < sample->looked)
		return UINT32_MAX;
	left = (sample->looked - covered) * sample->n / sample->looked;
	size = 1 + (squares - covered) * sample->step / covered;
	return 16 + cost_beside(left) + cost_within(size);
}

/* ------------------------------------------------------------- choices */

struct steps {
	uint8_t lens[STEPS_MAX];
	size_t n;
};

/* Lengths that all, and fewer and fewer, of the items have at least. */
static void find_steps(const struct sample *sample, size_t dim,
		       struct steps *steps)
{
	unsigned int counts[129] = { 0 };
	size_t i, have = 0, wanted = 1, n = sample->looked > 64 ? STEPS_MAX : 3;
	int length;

	for (i = 0; i < sample->n; i += sample->step)
		counts[sample->items[i].lens[dim]]++;
	steps->n = 0;
	for (length = 128; length > 0 && steps->n < n; length--) {
		have += counts[length];
		if (!counts[length] || have * n < wanted * sample->looked)
			continue;
		steps->lens[steps->n++] = length;
		while (have * n >= wanted * sample->looked)
			wanted++;
	}
}

/* Takes the best step of all from *split on; false where none is better. */
static bool improve(const struct sample *sample, const struct steps *steps,
		    struct split *split, unsigned int *cost)
{
	struct split best = *split;
	bool found = false;
	size_t d, i;

	for (d = 0; d < N_DIMS; d++) {
		for (i = 0; i <= steps[d].n; i++) {
			struct split other = *split;
			unsigned int its;

			other.lens[d] = i < steps[d].n ? steps[d].lens[i] : 0;
			if (other.lens[d] == split->lens[d])
				continue;
			its = estimate(sample, &other);
			if (its >= *cost)
				continue;
			*cost = its;
			best = other;
			found = true;
		}
	}
	*split = best;
	return found;
}

bool split_choose(const struct item *items, size_t n, int family,
		  struct split *ret_split)
{
	struct sample sample = { .items = items, .n = n, .family = family };
	struct split split = { { 0 } };
	struct steps steps[N_DIMS];
	unsigned int cost = UINT32_MAX;
	size_t d, round;

	sample.step = n / SAMPLE + 1;
	sample.looked = (n + sample.step - 1) / sample.step;
	sample.bin_bits = 4;
	while (1U << sample.bin_bits < 2 * sample.looked)
		sample.bin_bits++;
	for (d = 0; d < N_DIMS; d++)
		find_steps(&sample, d, &steps[d]);
	for (round = 0; round < ROUNDS_MAX; round++)
		if (!improve(&sample, steps, &split, &cost))
			break;
	*ret_split = split;
	return cost != UINT32_MAX;
}
