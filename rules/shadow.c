/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule that covers another is at least as wide in each dimension.  So each
 * is kept by its shape, which is how many bits of addresses and ports it pins
 * down and whether it names a protocol and so on, and by the hash of just
 * these.  For a rule, each shape that is wider is asked once, with the bits
 * that such rules pin down: there are few shapes, whatever the number of
 * rules, as in the tuple space search of packet classifiers.  What is found is
 * then compared exactly.
 */
#include "rules/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/cover.h"
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

/* A rule as a shape and what it pins down there. */
struct box {
	struct shape shape;
	uint8_t at[N_DIMENSIONS][16];
	uint64_t values[6]; /* by bit of PIN_* */
};

struct entry {
	uint64_t hash;	/* 0: free */
	uint32_t first; /* rule; the next is in next[] */
};

struct search {
	const struct chain *chain;
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

static void box_end(struct box *box, const struct endpoint *end, int address,
		    int port)
{
	if (end->n_networks && !end->n_sets && !end->negated) {
		const uint8_t *first = end->networks[0].first.s6_addr;
		const uint8_t *last =
			end->networks[end->n_networks - 1].last.s6_addr;

		/* IPv4 comes first in the list, and has its place in IPv6. */
		memcpy(box->at[address], first, 16);
		if (end->networks[0].family ==
		    end->networks[end->n_networks - 1].family)
			box->shape.bits[address] = common_bits(first, last, 16);
	}
	if (end->n_ports && !end->n_port_sets) {
		uint16_t first = end->ports[0].first;
		uint16_t last = end->ports[end->n_ports - 1].last;
		uint8_t high[2] = { last >> 8, last & 0xff };

		box->at[port][0] = first >> 8;
		box->at[port][1] = first & 0xff;
		box->shape.bits[port] = common_bits(box->at[port], high, 2);
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

static void box_make(const struct rule *rule, struct box *box)
{
	char iface[IFACE_TEXT_MAX] = "";

	*box = (struct box){ 0 };
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

static void coarsen(const struct search *search, struct shape *shape)
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

static bool find_shape(const struct search *search, const struct shape *shape,
		       size_t *ret_index)
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

static size_t take_shape(struct search *search, const struct shape *wanted)
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

static struct entry *find_entry(const struct search *search, uint64_t hash)
{
	size_t at = hash & search->mask;

	while (search->entries[at].hash && search->entries[at].hash != hash)
		at = (at + 1) & search->mask;
	return &search->entries[at];
}

static void add(struct search *search, const struct box *box, uint32_t index)
{
	size_t shape = take_shape(search, &box->shape);
	uint64_t hash = hash_box(box, &search->shapes[shape], shape);
	struct entry *entry = find_entry(search, hash);

	search->next[index] = entry->hash ? entry->first : SHADOW_NONE;
	entry->hash = hash;
	entry->first = index;
}

/* The first of the rules under this hash that covers one. */
static uint32_t look_up(struct search *search, uint64_t hash,
			const struct rule *rule, uint32_t best)
{
	const struct entry *entry = find_entry(search, hash);
	const struct rule *rules = search->chain->rules;
	uint32_t i = entry->hash ? entry->first : SHADOW_NONE;

	for (; i != SHADOW_NONE; i = search->next[i]) {
		search->steps++;
		if (i < best && rule_covers(&rules[i], rule))
			best = i;
		if (search->steps > STEPS_MAX)
			break;
	}
	return best;
}

static uint32_t find_above(struct search *search, const struct box *box,
			   const struct rule *rule)
{
	uint32_t best = SHADOW_NONE;
	size_t i;

	search->steps += search->n_shapes / 4;
	for (i = 0; i < search->n_shapes; i++) {
		const struct shape *shape = &search->shapes[i];

		if (is_wider(shape, &box->shape))
			best = look_up(search, hash_box(box, shape, i), rule,
				       best);
	}
	return best;
}

int shadow_find(const struct chain *chain, uint32_t *ret_above,
		size_t *ret_given_up)
{
	AUTO_FREE struct search *search = calloc(1, sizeof(*search));
	AUTO_FREE struct entry *entries = NULL;
	AUTO_FREE uint32_t *next = NULL;
	size_t i, size = 16;

	while (size < chain->n_rules * 2)
		size *= 2;
	entries = calloc(size, sizeof(*entries));
	next = calloc(chain->n_rules + 1, sizeof(*next));
	if (!search || !entries || !next)
		return -ENOMEM;
	search->chain = chain;
	search->entries = entries;
	search->mask = size - 1;
	search->next = next;
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		struct box box;

		ret_above[i] = SHADOW_NONE;
		if (search->steps > STEPS_MAX)
			continue;
		*ret_given_up = i + 1;
		box_make(rule, &box);
		ret_above[i] = find_above(search, &box, rule);
		/*
		 * What is covered itself covers nothing new; a jump may come
		 * back.
		 */
		if (ret_above[i] == SHADOW_NONE && !rule->limit_count &&
		    rule->verdict != VERDICT_JUMP)
			add(search, &box, i);
	}
	if (!chain->n_rules)
		*ret_given_up = 0;
	return 0;
}
