/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stores of sets, looked up as packets do, against lists walked one by one. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/set_store.h"

static uint64_t state;

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

/* ------------------------------------------- what the kernel's side does */

static unsigned int rank_in(const union set_line *block, uint32_t width,
			    span_end key)
{
	unsigned int rank = 0, i;

	for (i = 0; i < sizeof(*block) / width; i++) {
		if (width == 4)
			rank += block->words[i] < key;
		else if (width == 8)
			rank += block->longs[i] < (uint64_t)(key >> 64);
		else
			rank += span_end_join((const uint64_t *)&block
						      ->longs[2 * i]) < key;
	}
	return rank;
}

static uint32_t walk(const struct set_lines *lines, uint32_t line, span_end key)
{
	const struct set_tree *tree = &lines->lines[line].tree;
	uint32_t i, block = 0, rank = 0, inside;
	uint32_t keys = sizeof(union set_line) / tree->width;

	for (i = 0; i < tree->n_layers; i++) {
		assert_true(tree->layers[i] + block < lines->n);
		inside = rank_in(&lines->lines[tree->layers[i] + block],
				 tree->width, key);
		rank = block * keys + inside;
		block = block * (keys + 1) + inside;
	}
	assert_true(rank <= tree->n_keys);
	assert_int_equal(rank, tree_interval(lines, tree, key));
	return tree_value(lines, tree, rank);
}

/* What elements are of, in the test that runs. */
static unsigned int kind;

static bool has(const struct set_lines *lines, uint32_t line, uint32_t now,
		unsigned int family, span_end key, uint32_t port)
{
	const struct set_head *head = &lines->lines[line].head;
	uint32_t value = SET_UNCHANGED, tree;

	if (head->root) {
		tree = lines->lines[head->root].root.trees[family];
		if (tree)
			value = walk(lines, tree, key);
	}
	if (value == SET_UNCHANGED) {
		tree = head->trees[family];
		value = tree ? walk(lines, tree, key) : SET_OUT;
	}
	if (value & SET_PORTS && value != SET_FOREVER) {
		assert_int_equal(kind, SET_OF_SERVICES);
		value = walk(lines, value & ~SET_PORTS, port);
	}
	return value == SET_FOREVER || (value != SET_OUT && now < value);
}

/* -------------------------------------------------------- the reference */

static bool has_port(const struct element *element, uint32_t port)
{
	return kind != SET_OF_SERVICES ||
	       (port >= ELEMENT_PORT_FIRST(element) &&
		port <= ELEMENT_PORT_LAST(element));
}

static bool reference_has(const struct elements *elements, uint32_t now,
			  unsigned int family, span_end key, uint32_t port)
{
	const struct element_list *list = &elements->of[family];
	size_t i;

	for (i = 0; i < list->n_list; i++)
		if (key >= list->list[i].first && key <= list->list[i].last &&
		    has_port(&list->list[i], port) &&
		    (!list->list[i].seconds || now < list->list[i].seconds))
			return true;
	return false;
}

static void reference_change(struct elements *elements,
			     const struct set_change *change)
{
	struct element_list *list = &elements->of[change->family];
	size_t i;

	for (i = 0; i < list->n_list; i++)
		if (element_order(&list->list[i], &change->element) == 0)
			break;
	if (!change->is_add) {
		if (i < list->n_list)
			list->list[i] = list->list[--list->n_list];
	} else if (i < list->n_list) {
		list->list[i] = change->element;
	} else {
		elements_add(elements, change->family, &change->element);
	}
}

/* Around a few places, so that much overlaps; ends of all there is, too. */
static struct element random_element(unsigned int family, unsigned int scale,
				     uint32_t now)
{
	span_end top = element_top(family);
	span_end places[] = { 0, top, top / 2, top / 3 };
	struct element element = { 0 };
	span_end size = random_below(1 << random_below(6));
	int64_t away = (int64_t)random_below(64) - 32;
	unsigned int shift = family == SET_IP4 ? scale % 26 : scale;

	element.first =
		places[random_below(4)] + ((span_end)(__int128)away << shift);
	element.first &= top;
	if (!(shift & 1))
		element.first = element.first >> shift << shift;
	element.last = element.first + (size << shift);
	if (!(shift & 1))
		element.last |= ((span_end)1 << shift) - 1;
	if (element.last > top || element.last < element.first)
		element.last = top;
	if (random_below(3) == 0)
		element.seconds = now + 1 + random_below(20);
	if (kind == SET_OF_SERVICES) {
		uint32_t first = random_below(8) * 9362;

		element.ports = first << 16 |
				(first + random_below(2) * random_below(10));
		if (random_below(16) == 0)
			element.ports = 65535;
	}
	return element;
}

/* With ports at and beside the ends of an element's. */
static void assert_agrees(const struct set_lines *lines, uint32_t head,
			  uint32_t now, const struct elements *elements,
			  unsigned int family, span_end key,
			  const struct element *element)
{
	uint32_t ports[] = { ELEMENT_PORT_FIRST(element),
			     ELEMENT_PORT_LAST(element),
			     ELEMENT_PORT_FIRST(element) - 1,
			     ELEMENT_PORT_LAST(element) + 1, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ports); i++)
		assert_int_equal(
			has(lines, head, now, family, key, ports[i] & 0xffff),
			reference_has(elements, now, family, key,
				      ports[i] & 0xffff));
}

static void assert_same(const struct set_lines *lines, uint32_t head,
			uint32_t now, const struct elements *elements)
{
	unsigned int family;
	size_t i, j;

	for (family = 0; family < SET_FAMILIES; family++) {
		const struct element_list *list = &elements->of[family];
		span_end top = element_top(family);

		for (i = 0; i < list->n_list; i++) {
			const struct element *e = &list->list[i];
			span_end probes[] = { e->first,
					      e->last,
					      e->first - 1,
					      e->last + 1,
					      (e->first + e->last) / 2,
					      e->first ^ 1,
					      top };

			for (j = 0; j < ARRAY_SIZE(probes); j++)
				assert_agrees(lines, head, now, elements,
					      family, probes[j] & top, e);
		}
		assert_int_equal(has(lines, head, now, family, 0, 0),
				 reference_has(elements, now, family, 0, 0));
	}
}

/* Elements as of now, in order. */
static void assert_reads(const struct set_lines *lines, uint32_t head,
			 uint32_t now, const struct elements *elements)
{
	CLEANUP(elements_clear) struct elements read = { 0 }, want = { 0 };
	unsigned int family;
	size_t i, n;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++) {
			const struct element *e = &elements->of[family].list[i];

			if (!e->seconds || now < e->seconds)
				elements_add(&want, family, e);
		}
	assert_int_equal(elements_sort(&want), 0);
	assert_int_equal(store_read(lines, head, now, NULL, &read), 0);
	assert_int_equal(store_count(lines, head, now, &n), 0);
	assert_int_equal(n, elements_count(&want));
	for (family = 0; family < SET_FAMILIES; family++) {
		assert_int_equal(read.of[family].n_list,
				 want.of[family].n_list);
		for (i = 0; i < want.of[family].n_list; i++) {
			const struct element *a = &read.of[family].list[i];
			const struct element *b = &want.of[family].list[i];

			assert_true(a->first == b->first &&
				    a->last == b->last &&
				    a->ports == b->ports &&
				    a->seconds == b->seconds);
		}
	}
}

/* As the kernel has it: so long and no longer. */
static void make(const struct elements *elements, uint32_t now, uint32_t spare,
		 struct set_lines *lines, uint32_t *head)
{
	uint32_t ignored;

	assert_int_equal(store_make(elements, now, lines, head), 0);
	assert_int_equal(set_lines_take(lines, spare, &ignored), 0);
	assert_int_equal(store_check(lines, *head), 0);
}

static void remake(struct set_lines *lines, uint32_t *head, uint32_t now,
		   const struct set_changes *changes)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };

	assert_int_equal(store_read(lines, *head, now, changes, &elements), 0);
	set_lines_clear(lines);
	make(&elements, now, 64, lines, head);
}

static void change_at_random(unsigned int scale, unsigned int n_changes)
{
	CLEANUP(elements_clear) struct elements model = { .kind = kind };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	uint32_t now = 100, head = 0;
	unsigned int i, j, made_anew = 0;
	size_t n;
	int r;

	make(&model, now, 64, &lines, &head);
	for (i = 0; i < n_changes; i++) {
		struct set_changes changes = { 0 };
		unsigned int several = 1 + random_below(3);

		for (j = 0; j < several; j++) {
			struct set_change *change = ARRAY_ADD(&changes, list);
			const struct element_list *list;

			change->family = random_below(2);
			change->is_add = random_below(3) != 0;
			change->element =
				random_element(change->family, scale, now);
			list = &model.of[change->family];
			/* What is there, most of the time. */
			if (!change->is_add && list->n_list &&
			    random_below(8)) {
				change->element =
					list->list[random_below(list->n_list)];
			}
		}
		r = store_change(&lines, head, now, &changes, &n);
		if (r == -ENOSPC) {
			remake(&lines, &head, now, &changes);
			made_anew++;
		} else {
			assert_int_equal(r, 0);
		}
		for (j = 0; j < several; j++)
			reference_change(&model, &changes.list[j]);
		free(changes.list);
		assert_same(&lines, head, now, &model);
		assert_reads(&lines, head, now, &model);
		if (random_below(4) == 0)
			now += random_below(8);
	}
	assert_true(made_anew > 0);
}

static void changes_in_every_order_leave_what_a_list_would(void **cmocka)
{
	static const unsigned int scales[] = { 0, 1, 4, 9, 24, 63, 64, 70, 96 };
	size_t i;

	(void)cmocka;
	for (i = 0; i < ARRAY_SIZE(scales); i++)
		change_at_random(scales[i], 250);
}

static void changes_of_services_do_too(void **cmocka)
{
	static const unsigned int scales[] = { 0, 1, 9, 63, 64, 96 };
	size_t i;

	(void)cmocka;
	kind = SET_OF_SERVICES;
	for (i = 0; i < ARRAY_SIZE(scales); i++)
		change_at_random(scales[i], 120);
	kind = SET_OF_NETWORKS;
}

/* Of a hundred thousand addresses with two ports in common, one tree. */
static void the_same_ports_are_kept_once(void **cmocka)
{
	CLEANUP(elements_clear)
	struct elements elements = { .kind = SET_OF_SERVICES };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	uint32_t head, i;

	(void)cmocka;
	for (i = 0; i < 200000; i++) {
		struct element element = {
			.first = i / 2 * 3,
			.last = i / 2 * 3,
			.ports = i % 2 ? 443 << 16 | 443 : 80 << 16 | 80,
		};

		elements_add(&elements, SET_IP4, &element);
	}
	assert_int_equal(elements_sort(&elements), 0);
	make(&elements, 0, 0, &lines, &head);
	/* 200,000 keys, as many values, elements and ports, and a little. */
	assert_in_range(lines.n, 62500, 65000);
}

static void add_service(struct elements *elements, uint32_t first,
			uint32_t last, uint32_t port)
{
	struct element element = { .first = first,
				   .last = last,
				   .ports = port << 16 | port };

	assert_int_equal(elements_add(elements, SET_IP4, &element), 0);
}

/* As far as that takes little. */
static void services_that_overlap_too_much_are_refused(void **cmocka)
{
	CLEANUP(elements_clear)
	struct elements elements = { .kind = SET_OF_SERVICES };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	uint32_t head, i;

	(void)cmocka;
	for (i = 0; i < 100; i++)
		add_service(&elements, 10U << 24, (11U << 24) - 1, 2 * i);
	for (i = 0; i < 20000; i++)
		add_service(&elements, (10U << 24) + i * 200,
			    (10U << 24) + i * 200, 20001 + i % 300);
	assert_int_equal(elements_sort(&elements), 0);
	make(&elements, 0, 0, &lines, &head);
	assert_in_range(lines.n, 5000, 50000);
	set_lines_clear(&lines);
	for (i = 100; i < 2000; i++)
		add_service(&elements, 10U << 24, (11U << 24) - 1, 2 * i);
	assert_int_equal(elements_sort(&elements), 0);
	assert_int_equal(store_make(&elements, 0, &lines, &head), -E2BIG);
}

/* Counts how often a line is looked at. */
struct watched {
	struct set_pages pages;
	size_t n;
};

static void count_line(struct set_pages *pages, const struct set_lines *lines,
		       uint32_t first, uint32_t n)
{
	(void)lines;
	(void)first;
	((struct watched *)pages)->n += n;
}

/* One of many that lie side by side, or within one that is wide. */
static void a_change_looks_at_little(void **cmocka)
{
	static const unsigned int kinds[] = { SET_OF_NETWORKS,
					      SET_OF_SERVICES };
	struct set_change change = { .family = SET_IP4, .is_add = true };
	struct set_changes changes = { &change, 1 };
	size_t i, n;
	uint32_t head, j;

	(void)cmocka;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(elements_clear)
		struct elements elements = { .kind = kinds[i] };
		CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
		struct watched watched = { .pages.map = count_line };

		kind = kinds[i];
		add_service(&elements, 10U << 24, (11U << 24) - 1, i * 22);
		for (j = 0; j < 100000; j++)
			add_service(&elements, (10U << 24) + 1 + j,
				    (10U << 24) + 1 + j, i * (100 + j % 999));
		make(&elements, 0, 64, &lines, &head);
		change.element = elements.of[SET_IP4].list[60000];
		change.element.ports = i * (8 << 16 | 8);
		change.element.last++;
		lines.pages = &watched.pages;
		assert_int_equal(store_change(&lines, head, 0, &changes, &n),
				 0);
		assert_int_equal(n, 1);
		assert_in_range(watched.n, 1, 1000);
		lines.pages = NULL;
		reference_change(&elements, &change);
		for (j = 59990; j < 60010; j++)
			assert_agrees(&lines, head, 0, &elements, SET_IP4,
				      (10U << 24) + j, &change.element);
	}
	kind = SET_OF_NETWORKS;
}

/* From empty to layers of blocks that are just full, and one more. */
static void sets_of_every_size_have_what_they_were_made_of(void **cmocka)
{
	static const unsigned int sizes[] = { 0,   1,	2,   7,	   8,	9,
					      15,  16,	17,  135,  136, 137,
					      144, 145, 300, 2312, 2500 };
	unsigned int family;
	size_t i, j;

	(void)cmocka;
	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			CLEANUP(elements_clear)
			struct elements elements = { 0 };
			CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
			unsigned int wide = i % 2 ? 64 : 0;
			uint32_t head;

			if (family == SET_IP4)
				wide = 8;
			for (j = 0; j < sizes[i]; j++) {
				struct element element = {
					.first = (span_end)(j * 3 + 1) << wide,
					.last = ((span_end)(j * 3 + 2)
						 << wide) -
						1,
				};

				elements_add(&elements, family, &element);
			}
			make(&elements, 0, 0, &lines, &head);
			assert_same(&lines, head, 0, &elements);
			assert_reads(&lines, head, 0, &elements);
		}
}

static void add(struct elements *elements, unsigned int family, span_end first,
		span_end last)
{
	struct element element = { .first = first, .last = last };

	assert_int_equal(elements_add(elements, family, &element), 0);
}

static void networks_up_to_half_an_address_take_half_the_room(void **cmocka)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	span_end network = (span_end)0x20010db8 << 96;
	uint32_t head;

	(void)cmocka;
	add(&elements, SET_IP6, network, network | UINT64_MAX);
	make(&elements, 0, 0, &lines, &head);
	assert_int_equal(
		lines.lines[lines.lines[head].head.trees[SET_IP6]].tree.width,
		8);
	set_lines_clear(&lines);
	add(&elements, SET_IP6, network + ((span_end)1 << 64),
	    network + ((span_end)1 << 64));
	make(&elements, 0, 0, &lines, &head);
	assert_int_equal(
		lines.lines[lines.lines[head].head.trees[SET_IP6]].tree.width,
		16);
	assert_same(&lines, head, 0, &elements);
}

static void what_changes_nothing_takes_no_room(void **cmocka)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	struct set_change list[2] = {
		{ SET_IP4, true, { 5, 9, 0, 0 } },
		{ SET_IP4, false, { 7, 7, 0, 0 } },
	};
	struct set_changes changes = { list, 2 };
	uint32_t head;
	size_t n = 9;

	(void)cmocka;
	add(&elements, SET_IP4, 5, 9);
	make(&elements, 0, 8, &lines, &head);
	assert_int_equal(store_change(&lines, head, 0, &changes, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(lines.lines[head].head.root, 0);
	list[0].element.seconds = 50;
	assert_int_equal(store_change(&lines, head, 0, &changes, &n), 0);
	assert_int_equal(n, 1);
	assert_true(has(&lines, head, 49, SET_IP4, 5, 0));
	assert_false(has(&lines, head, 50, SET_IP4, 5, 0));
}

static void one_that_is_deleted_stays_in_by_another(void **cmocka)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	struct set_change change = { SET_IP4, false, { 7, 7, 0, 0 } };
	struct set_changes changes = { &change, 1 };
	struct set_look look;
	uint32_t head;
	size_t n;

	(void)cmocka;
	add(&elements, SET_IP4, 5, 9);
	add(&elements, SET_IP4, 7, 7);
	add(&elements, SET_IP4, 20, 20);
	make(&elements, 0, 32, &lines, &head);
	assert_int_equal(
		store_look(&lines, head, 0, SET_IP4, &change.element, &look),
		0);
	assert_true(look.is_in && look.is_reached);
	assert_int_equal(look.other.first, 5);
	assert_int_equal(store_change(&lines, head, 0, &changes, &n), 0);
	assert_true(has(&lines, head, 0, SET_IP4, 7, 0));
	assert_int_equal(
		store_look(&lines, head, 0, SET_IP4, &change.element, &look),
		0);
	assert_true(!look.is_in && look.is_reached);
	change.element = (struct element){ 5, 9, 0, 0 };
	assert_int_equal(store_change(&lines, head, 0, &changes, &n), 0);
	assert_false(has(&lines, head, 0, SET_IP4, 7, 0));
	assert_true(has(&lines, head, 0, SET_IP4, 20, 0));
}

static void a_damaged_store_is_refused(void **cmocka)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	uint32_t head, *word;
	unsigned int i;

	(void)cmocka;
	add(&elements, SET_IP4, 5, 9);
	make(&elements, 0, 8, &lines, &head);
	for (i = 0; i < 11; i++) {
		word = &lines.lines[head].words[i];
		if (i == offsetof(struct set_head, changed) / 4)
			continue;
		*word ^= 0x80000000;
		assert_int_equal(store_check(&lines, head), -EPROTO);
		*word ^= 0x80000000;
	}
	assert_int_equal(store_check(&lines, head), 0);
	assert_int_equal(store_check(&lines, 99), -EPROTO);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void a_million_networks_take_less_than_100_mb(void **cmocka)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	uint32_t head;
	double start;
	size_t i;

	(void)cmocka;
	for (i = 0; i < 1000000; i++) {
		uint32_t address = random_below(1U << 31) << 1;
		uint32_t hosts = (1U << random_below(9)) - 1;

		add(&elements, SET_IP4, address & ~hosts, address | hosts);
	}
	start = seconds();
	assert_int_equal(elements_sort(&elements), 0);
	assert_int_equal(store_make(&elements, 0, &lines, &head), 0);
	print_message("a million networks: %.3f s, %.1f MB\n",
		      seconds() - start, lines.n * 64 / 1e6);
	assert_true(lines.n < 100000000 / 64);
	for (i = 0; i < elements.of[SET_IP4].n_list; i += 997)
		assert_true(has(&lines, head, 0, SET_IP4,
				elements.of[SET_IP4].list[i].last, 0));
}

int main(void)
{
	const char *seed = getenv("WEIR_SEED");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			changes_in_every_order_leave_what_a_list_would),
		cmocka_unit_test(changes_of_services_do_too),
		cmocka_unit_test(the_same_ports_are_kept_once),
		cmocka_unit_test(services_that_overlap_too_much_are_refused),
		cmocka_unit_test(a_change_looks_at_little),
		cmocka_unit_test(
			sets_of_every_size_have_what_they_were_made_of),
		cmocka_unit_test(
			networks_up_to_half_an_address_take_half_the_room),
		cmocka_unit_test(what_changes_nothing_takes_no_room),
		cmocka_unit_test(one_that_is_deleted_stays_in_by_another),
		cmocka_unit_test(a_damaged_store_is_refused),
		cmocka_unit_test(a_million_networks_take_less_than_100_mb),
	};

	state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	print_message("WEIR_SEED=%llu\n", (unsigned long long)state);
	return RUN(tests);
}
