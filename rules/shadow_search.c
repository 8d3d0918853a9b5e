/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts that cover others are at least as wide in each dimension.  So what was
 * met is kept by its shape, which is how many bits of addresses and ports it
 * pins down and whether it names a protocol and so on, and by the hash of just
 * these.  For a rule, each shape that is wider is asked once, with the bits
 * that such rules pin down: there are few shapes, whatever the number of
 * rules, as in the tuple space search of packet classifiers.  What is found is
 * then compared exactly.
 */
#include "rules/shadow_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/iface.h"

/* Looks at shapes and comparisons, for a chain: less than a second. */
#define STEPS_MAX 50000000

/* Shapes beyond the first are made coarser; beyond the second all are one. */
#define SHAPES_FINE 256
#define SHAPES_MAX  512

enum {
	PIN_FAMILY = 1 << 0,
	PIN_PROTOCOL = 1 << 1,
	PIN_UID = 1 << 2,
	PIN_DSCP = 1 << 3,
	PIN_IFACE = 1 << 4,
	PIN_MARK = 1 << 5, /* all its bits */
};

enum {
	SRC,
	DST,
	SRC_PORT,
	DST_PORT,
	N_DIMENSIONS
};

/* Leading bits that are pinned down in each dimension, and PIN_*. */
struct shape {
	uint8_t bits[N_DIMENSIONS];
	uint8_t pins;
};

/* Facts as a shape and what they pin down there. */
struct box {
	struct shape shape;
	uint8_t at[N_DIMENSIONS][16];
	uint64_t values[6]; /* by bit of PIN_* */
};

struct entry {
	uint64_t hash;	/* 0: free */
	uint32_t first; /* index; the next is in next[] */
};

struct shadow_search {
	struct shape shapes[SHAPES_MAX + 1];
	size_t n_shapes;
	struct entry *entries;
	size_t mask; /* of entries: a power of two, less one */
	uint32_t *next;
	uint64_t steps;
};

/* ------------------------------------------------------------- boxes */

/* How many leading bits two addresses have in common. */
static uint8_t common_bits(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (a[i] != b[i])
			return i * 8 + __builtin_clz(a[i] ^ b[i]) - 24;
	return bytes * 8;
}

/* Of two facts, the one that pins more down counts. */
static void box_pin(struct box *box, int dimension, const uint8_t *at,
		    size_t bytes, uint8_t bits)
{
	if (bits <= box->shape.bits[dimension])
		return;
	memcpy(box->at[dimension], at, bytes);
	box->shape.bits[dimension] = bits;
}

static void box_end(struct box *box, const struct endpoint *end, int address,
		    int port)
{
	const struct network *networks = end->networks;
	size_t n = end->n_networks;

	/* IPv4 comes first in the list, and has its place in IPv6. */
	if (n && !end->n_sets && !end->negated &&
	    networks[0].family == networks[n - 1].family)
		box_pin(box, address, networks[0].first.s6_addr, 16,
			common_bits(networks[0].first.s6_addr,
				    networks[n - 1].last.s6_addr, 16));
	if (end->n_ports && !end->n_port_sets) {
		uint16_t first = end->ports[0].first;
		uint16_t last = end->ports[end->n_ports - 1].last;
		uint8_t low[2] = { first >> 8, first & 0xff };
		uint8_t high[2] = { last >> 8, last & 0xff };

		box_pin(box, port, low, 2, common_bits(low, high, 2));
	}
}

static void pin(struct box *box, unsigned int which, bool is_pinned,
		uint64_t value)
{
	if (!is_pinned)
		return;
	box->shape.pins |= which;
	box->values[__builtin_ctz(which)] = value;
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

static void box_add(struct box *box, const struct rule *rule)
{
	char iface[IFACE_TEXT_MAX] = "";

	box_end(box, &rule->from, SRC, SRC_PORT);
	box_end(box, &rule->to, DST, DST_PORT);
	pin(box, PIN_FAMILY, rule->family != FAMILY_ANY, rule->family);
	pin(box, PIN_PROTOCOL, rule->protocol != PROTOCOL_ANY, rule->protocol);
	pin(box, PIN_UID, rule->has_uid, rule->uid);
	pin(box, PIN_DSCP, rule->dscp != DSCP_ANY, rule->dscp);
	pin(box, PIN_IFACE, ifaces_are_one(&rule->ifaces, iface),
	    hash_text(iface));
	pin(box, PIN_MARK, rule->has_mark && rule->mark_mask == UINT32_MAX,
	    rule->mark);
}

static void box_make(const struct facts *facts, struct box *box)
{
	size_t i;

	*box = (struct box){ 0 };
	for (i = 0; i < facts->n_list; i++)
		box_add(box, facts->list[i]);
}

/* ------------------------------------------------------------- hashes */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

static uint64_t mix_bits(uint64_t hash, const uint8_t *at, unsigned int bits)
{
	uint8_t masked[16] = { 0 };
	uint64_t halves[2];

	if (!bits)
		return hash;
	memcpy(masked, at, (bits + 7) / 8);
	if (bits % 8)
		masked[bits / 8] &= 0xff << (8 - bits % 8);
	memcpy(halves, masked, sizeof(halves));
	return mix(mix(hash, halves[0]), halves[1]);
}

/* Of what a box pins down in a shape that is no finer than its own. */
static uint64_t hash_box(const struct box *box, const struct shape *shape,
			 size_t shape_index)
{
	uint64_t hash = mix(0x243f6a8885a308d3ULL, shape_index);
	unsigned int i;

	for (i = 0; i < N_DIMENSIONS; i++)
		hash = mix_bits(hash, box->at[i], shape->bits[i]);
	for (i = 0; i < ARRAY_SIZE(box->values); i++)
		if (shape->pins >> i & 1)
			hash = mix(hash, box->values[i]);
	return hash ? hash : 1;
}

/* ------------------------------------------------------------- shapes */

static bool is_wider(const struct shape *a, const struct shape *b)
{
	size_t i;

	for (i = 0; i < N_DIMENSIONS; i++)
		if (a->bits[i] > b->bits[i])
			return false;
	return !(a->pins & ~b->pins);
}

static void coarsen(const struct shadow_search *search, struct shape *shape)
{
	size_t i;

	if (search->n_shapes >= SHAPES_MAX)
		*shape = (struct shape){ 0 };
	if (search->n_shapes < SHAPES_FINE)
		return;
	for (i = 0; i < N_DIMENSIONS; i++)
		shape->bits[i] &= ~7;
	shape->pins &= PIN_PROTOCOL | PIN_FAMILY;
}

static bool find_shape(const struct shadow_search *search,
		       const struct shape *shape, size_t *ret_index)
{
	size_t i;

	for (i = 0; i < search->n_shapes; i++) {
		if (memcmp(&search->shapes[i], shape, sizeof(*shape)) != 0)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

static size_t take_shape(struct shadow_search *search,
			 const struct shape *wanted)
{
	struct shape shape = *wanted;
	size_t index;

	if (find_shape(search, &shape, &index))
		return index;
	coarsen(search, &shape);
	if (find_shape(search, &shape, &index))
		return index;
	search->shapes[search->n_shapes] = shape;
	return search->n_shapes++;
}

/* ------------------------------------------------------------- search */

void shadow_search_free(struct shadow_search *search)
{
	free(search->entries);
	free(search->next);
	free(search);
}

int shadow_search_new(size_t n, struct shadow_search **ret_search)
{
	CLEANUP(shadow_search_freep) struct shadow_search *search = NULL;
	size_t size = 16;

	while (size < n * 2)
		size *= 2;
	search = calloc(1, sizeof(*search));
	if (!search)
		return -ENOMEM;
	search->entries = calloc(size, sizeof(*search->entries));
	search->next = calloc(n + 1, sizeof(*search->next));
	if (!search->entries || !search->next)
		return -ENOMEM;
	search->mask = size - 1;
	*ret_search = TAKE_PTR(search);
	return 0;
}

static struct entry *find_entry(const struct shadow_search *search,
				uint64_t hash)
{
	size_t at = hash & search->mask;

	while (search->entries[at].hash && search->entries[at].hash != hash)
		at = (at + 1) & search->mask;
	return &search->entries[at];
}

void shadow_search_add(struct shadow_search *search, const struct facts *facts,
		       uint32_t index)
{
	struct box box;
	struct entry *entry;
	uint64_t hash;
	size_t shape;

	box_make(facts, &box);
	shape = take_shape(search, &box.shape);
	hash = hash_box(&box, &search->shapes[shape], shape);
	entry = find_entry(search, hash);
	search->next[index] = entry->hash ? entry->first : SHADOW_NONE;
	entry->hash = hash;
	entry->first = index;
}

/* The first of those under this hash that covers some facts. */
static uint32_t look_up(struct shadow_search *search, uint64_t hash,
			const struct facts *facts, shadow_covers_fn covers,
			const void *data, uint32_t best)
{
	const struct entry *entry = find_entry(search, hash);
	uint32_t i = entry->hash ? entry->first : SHADOW_NONE;

	for (; i != SHADOW_NONE; i = search->next[i]) {
		search->steps++;
		if (i < best && covers(data, i, facts))
			best = i;
		if (search->steps > STEPS_MAX)
			break;
	}
	return best;
}

uint32_t shadow_search_find(struct shadow_search *search,
			    const struct facts *facts, shadow_covers_fn covers,
			    const void *data)
{
	uint32_t best = SHADOW_NONE;
	struct box box;
	size_t i;

	box_make(facts, &box);
	search->steps += search->n_shapes / 4;
	for (i = 0; i < search->n_shapes; i++) {
		const struct shape *shape = &search->shapes[i];

		if (is_wider(shape, &box.shape))
			best = look_up(search, hash_box(&box, shape, i), facts,
				       covers, data, best);
	}
	return best;
}

bool shadow_search_is_over(const struct shadow_search *search)
{
	return search->steps > STEPS_MAX;
}
