/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classifier against going through all boxes one after the other. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "rules/class.h"
#include "tests/unit/class_walk.h"
#include "tests/unit/compile_text.h"

static uint64_t random_state;

/* xorshift64* */
static uint32_t below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dULL >> 32) % n;
}

/* Few, so that boxes and packets meet, and differ at both ends. */
static class_address some_address(int family)
{
	class_address high = below(3), low = below(200);

	if (family == 4)
		return (10 + high) << 24 | below(2) << 16 | low;
	return (0x2001 + high) << 112 | (class_address)below(2) << 66 |
	       (class_address)below(2) << 62 | low;
}

static struct class_range some_range(int family)
{
	unsigned int most = family == 4 ? 32 : 128, bits = below(most + 1);
	class_address all = family == 4 ? UINT32_MAX : ~(class_address)0, host;
	struct class_range range = { 0, all };

	if (below(3) == 0)
		return range;
	if (below(2))
		bits = most - below(8);
	host = bits == 0 ? all : ((class_address)1 << (most - bits)) - 1;
	range.first = some_address(family) & ~host;
	range.last = range.first | host;
	if (family == 4 && below(4) == 0)
		range.last += below(300);
	if (range.last > all)
		range.last = all;
	return range;
}

static void some_ports(uint16_t *first, uint16_t *last)
{
	*first = 0;
	*last = 65535;
	if (below(3) == 0)
		return;
	*first = *last = below(40);
	if (below(2))
		*last += below(30);
}

static void make_boxes(struct class_boxes *boxes, size_t n, int family)
{
	uint32_t index = 0;

	while (boxes->n_list < n) {
		struct class_box *box = ARRAY_ADD(boxes, list);

		assert_non_null(box);
		index += below(3) > 0;
		box->family = family;
		box->src = some_range(family);
		box->dst = some_range(family);
		some_ports(&box->sport_first, &box->sport_last);
		some_ports(&box->dport_first, &box->dport_last);
		box->index = index;
		box->counter = index * 7;
		if (box->sport_last != 65535 || box->dport_last != 65535)
			box->bits |= ENTRY_PORTS;
		if (below(2)) {
			box->bits |= ENTRY_PROTOCOL;
			box->protocol = below(4);
		}
	}
}

struct ask {
	class_address src, dst;
	uint16_t sport, dport;
	uint8_t protocol;
	uint32_t refused, from;
};

static bool box_fits(const struct class_box *box, const struct ask *ask)
{
	return ask->src >= box->src.first && ask->src <= box->src.last &&
	       ask->dst >= box->dst.first && ask->dst <= box->dst.last &&
	       ask->sport >= box->sport_first &&
	       ask->sport <= box->sport_last &&
	       ask->dport >= box->dport_first &&
	       ask->dport <= box->dport_last &&
	       (!(box->bits & ENTRY_PROTOCOL) ||
		box->protocol == ask->protocol) &&
	       !(box->bits & ask->refused) && box->index >= ask->from;
}

static uint32_t plain(const struct class_boxes *boxes, const struct ask *ask)
{
	size_t i;

	for (i = 0; i < boxes->n_list; i++)
		if (box_fits(&boxes->list[i], ask))
			return boxes->list[i].index;
	return NONE;
}

static uint32_t looked_up(const struct image *image, uint32_t root, int family,
			  const struct ask *ask)
{
	struct class_key key = { .rest = CLASS_REST(ask->sport, ask->dport,
						    ask->protocol) };
	uint32_t place;

	if (family == 4) {
		key.address[0] = (uint64_t)ask->src << 32 | (uint64_t)ask->dst;
	} else {
		key.address[0] = ask->src >> 64;
		key.address[1] = ask->src;
		key.address[2] = ask->dst >> 64;
		key.address[3] = ask->dst;
	}
	place = class_walk(image, root, family == 6, &key, ask->refused,
			   ask->from, NULL);
	if (place == NONE)
		return NONE;
	return image->class_entries[place].rule & CLASS_INDEX_MASK;
}

static struct ask some_ask(const struct class_boxes *boxes, int family)
{
	const struct class_box *box = &boxes->list[below(boxes->n_list)];
	struct ask ask = {
		.src = below(2) ? some_address(family) : box->src.first,
		.dst = below(2) ? some_address(family) : box->dst.last,
		.sport = below(50),
		.dport = below(50),
		.protocol = below(4)
	};

	if (below(4) == 0)
		ask.refused = ENTRY_PORTS;
	if (below(4) == 0)
		ask.from = below(box->index + 2);
	return ask;
}

/* Returns how many of the asked were found. */
static size_t compare(const struct class_boxes *boxes, int family, size_t n)
{
	CLEANUP(image_freep) struct image *image = image_new();
	struct class_worst worst;
	size_t found = 0, i;
	uint32_t root;

	assert_non_null(image);
	assert_int_equal(
		class_build(boxes, family, false, image, &root, &worst), 0);
	assert_true(worst.nodes > 0);
	for (i = 0; i < n; i++) {
		struct ask ask = some_ask(boxes, family);
		uint32_t wanted = plain(boxes, &ask);

		assert_int_equal(looked_up(image, root, family, &ask), wanted);
		found += wanted != NONE;
	}
	return found;
}

static void what_is_found_is_the_first_that_fits(void **state)
{
	static const size_t sizes[] = { 1, 5, 17, 60, 300, 1500 };
	const char *seed = getenv("WEIR_SEED");
	size_t found = 0, round;

	(void)state;
	random_state = (seed ? strtoul(seed, NULL, 0) : (uint64_t)time(NULL)) |
		       1;
	print_message("WEIR_SEED=%lu\n", random_state);
	for (round = 0; round < 60; round++) {
		CLEANUP(class_boxes_clear) struct class_boxes boxes = { 0 };
		int family = round % 2 ? 4 : 6;

		make_boxes(&boxes, sizes[round % ARRAY_SIZE(sizes)], family);
		found += compare(&boxes, family, 500);
	}
	assert_true(found > 6000);
}

/* One of each address, and ports: nothing is walked through. */
static void exact_rules_take_one_look(void **state)
{
	CLEANUP(class_boxes_clear) struct class_boxes boxes = { 0 };
	CLEANUP(image_freep) struct image *image = image_new();
	struct class_worst worst;
	uint32_t root, i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		struct class_box *box = ARRAY_ADD(&boxes, list);

		*box = (struct class_box){
			.family = 4,
			.src = { 0x0a000000 + i * 77, 0x0a000000 + i * 77 },
			.dst = { 0, UINT32_MAX },
			.sport_last = 65535,
			.dport_first = 4000 + i % 16,
			.dport_last = 4000 + i % 16,
			.index = i,
			.counter = i,
			.protocol = 17,
			.bits = ROW_ALLOW | ENTRY_PROTOCOL | ENTRY_PORTS,
		};
	}
	assert_int_equal(class_build(&boxes, 4, false, image, &root, &worst),
			 0);
	assert_true(worst.nodes <= 3);
	assert_int_equal(worst.confirms, 0);
	assert_int_equal(image->n_class_entries, 10000);
	assert_true(image->n_class_buckets <= 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found_is_the_first_that_fits),
		cmocka_unit_test(exact_rules_take_one_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
