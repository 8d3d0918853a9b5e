/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of addresses, ports and sets. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "rules/set_store.h"
#include "tests/unit/compile_text.h"

static const struct store_content *content_of(const struct image *image,
					      uint32_t set)
{
	size_t i;

	for (i = 0; i < image->n_stores; i++)
		if (image->stores[i].store == image->sets[set].store)
			return &image->stores[i];
	return NULL;
}

/* Asserts what a set, of those that the image has new, is made of. */
static void assert_set(const struct image *image, uint32_t set,
		       const char *want)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	const struct set_row *row = &image->sets[set];
	const struct store_content *content = content_of(image, set);
	char text[ELEMENT_TEXT_MAX], all[512] = "";
	struct set_lines lines = { 0 };
	unsigned int family;
	size_t i, n = 0;

	assert_non_null(content);
	lines.lines = content->lines;
	lines.n = content->n_lines;
	assert_int_equal(store_read(&lines, row->head, 0, NULL, &elements), 0);
	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements.of[family].n_list; i++) {
			element_format(&elements.of[family].list[i], family,
				       row->kind, text);
			n += snprintf(all + n, sizeof(all) - n, "%s%s",
				      n ? " " : "", text);
		}
	for (i = 0; i < row->n_members; i++)
		n += snprintf(all + n, sizeof(all) - n, "%s@%u", n ? " " : "",
			      lines.lines[row->members].words[i]);
	assert_string_equal(all, want);
}

static void one_prefix_stands_in_the_rule(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	static const uint8_t addr[16] = { [10] = 0xff, 0xff, 10 };
	static const uint8_t mask[16] = { 255, 255, 255, 255, 255, 255,
					  255, 255, 255, 255, 255, 255,
					  255, 255, 255, 0 };

	(void)state;
	image = compile_text(
		"[chain c]\npolicy = deny\n"
		"10 = allow from 10.0.0.128/25,10.0.0.0/25,10.0.0.7\n"
		"20 = allow from not 10.0.0.0-10.0.0.255\n"
		"30 = allow to 0.0.0.0-255.255.255.255\n",
		NULL);
	assert_int_equal(image->n_stores, 0);
	assert_int_equal(image->rules[0].looks, LOOK_FAMILY | LOOK_SRC);
	assert_int_equal(image->rules[0].src.set, NONE);
	assert_memory_equal(image->rules[0].src.addr, addr, 16);
	assert_memory_equal(image->rules[0].src.mask, mask, 16);
	assert_int_equal(image->rules[1].looks, LOOK_SRC | LOOK_SRC_NOT);
	assert_memory_equal(image->rules[1].src.mask, mask, 16);
	assert_int_equal(image->rules[2].looks, LOOK_FAMILY | LOOK_DST);
	assert_int_equal(image->rules[2].dst.mask[11], 255);
	assert_int_equal(image->rules[2].dst.mask[12], 0);
}

static void a_list_becomes_a_set(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow from 192.0.2.0/24,10.0.0.5-10.0.0.9\n"
			     "20 = allow to 10.0.0.5-10.0.0.9\n"
			     "[set s]\nelements = 172.16.0.0/12\n",
			     NULL);
	assert_int_equal(image->n_sets, 3);
	assert_int_equal(image->rules[0].src.set, 1);
	assert_int_equal(image->rules[1].dst.set, 2);
	assert_set(image, 0, "172.16.0.0/12");
	assert_set(image, 1, "10.0.0.5-10.0.0.9 192.0.2.0/24");
	assert_set(image, 2, "10.0.0.5-10.0.0.9");
	/* A store for the named set, and one for all lists. */
	assert_int_equal(image->n_stores, 2);
	assert_int_equal(image->sets[1].store, image->sets[2].store);
}

static void a_named_set_is_used_as_it_is(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow tcp from @a to port @p\n"
			     "20 = allow from @a,10.0.0.1\n"
			     "30 = allow tcp to port @p,443\n"
			     "[set a]\nelements = 192.0.2.1, 192.0.2.2\n"
			     "[set p]\nelements = 80, 82-83\n",
			     NULL);
	assert_int_equal(image->n_sets, 4);
	assert_string_equal(image_string(image, image->sets[0].name), "a");
	assert_int_equal(image->sets[0].elements, 2);
	assert_true(image->sets[1].kind);
	assert_string_equal(image_string(image, image->sets[2].name), "");
	assert_int_equal(image->rules[0].src.set, 0);
	assert_int_equal(image->rules[0].dst.port_set, 1);
	assert_int_equal(image->rules[0].looks,
			 LOOK_PROTOCOL | LOOK_SRC | LOOK_DST_PORT);
	assert_int_equal(image->rules[1].src.set, 2);
	assert_int_equal(image->rules[2].dst.port_set, 3);
	assert_set(image, 0, "192.0.2.1 192.0.2.2");
	assert_set(image, 1, "80 82-83");
	/* What changes in a set changes in lists that name it. */
	assert_set(image, 2, "10.0.0.1 @0");
	assert_set(image, 3, "443 @1");
}

static void ports_in_one_range_stand_in_the_rule(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow tcp to port 80-90,91,85-100\n"
			     "20 = allow tcp to port 0-65535\n",
			     NULL);
	assert_int_equal(image->n_sets, 0);
	assert_int_equal(image->rules[0].dst.port_set, NONE);
	assert_int_equal(image->rules[0].dst.port_first, 80);
	assert_int_equal(image->rules[0].dst.port_last, 100);
	assert_int_equal(image->rules[1].dst.port_last, 65535);
}

static void all_of_ipv6_leaves_ipv4_out(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n10 = allow from ::/0\n"
			     "20 = allow from 0.0.0.0/0, ::5-7fff::\n",
			     NULL);
	assert_true(image->rules[0].src.set != NONE);
	assert_int_equal(
		image->stores[0].lines[image->sets[0].head].head.trees[SET_IP4],
		0);
	assert_set(image, 1,
		   "0.0.0.0/0 ::5-::fffe:ffff:ffff "
		   "::1:0:0:0-7fff::");
}

static void several_interfaces_are_a_set(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text(
		"[chain c]\npolicy = deny\n1 = allow iface eth0\n"
		"2 = allow iface wl*, wlan0, eth1,eth0\n"
		"3 = allow iface @s\n4 = allow iface @s,@t,lo\n"
		"[chain d]\npolicy = deny\n1 = allow iface eth0,eth1\n"
		"[chain e]\npolicy = deny\n1 = allow iface eth0,l*\n"
		"[set s]\nholds = interfaces\nelements = eth5, eth4\n[set t]\n",
		NULL);
	assert_int_equal(image->rules[0].looks, LOOK_IFINDEX);
	assert_int_equal(image->rules[1].looks, LOOK_IFACES | LOOK_LOOPBACK);
	assert_int_equal(image->rules[2].ifaces, 0);
	assert_int_equal(image->sets[1].kind, SET_OF_INTERFACES);
	assert_int_equal(image->sets[image->rules[1].ifaces].kind,
			 SET_OF_INTERFACES);
	assert_set(image, 0, "eth4 eth5");
	assert_set(image, 1, "");
	assert_set(image, image->rules[1].ifaces, "eth0 eth1 wl*");
	assert_set(image, image->rules[3].ifaces, "lo @0 @1");
	assert_true(image_wants_ifaces(image));
	/* Sets may come to have lo. */
	assert_true(image->chains[0].flags & CHAIN_LOOPBACK);
	assert_false(image->chains[1].flags & CHAIN_LOOPBACK);
	assert_true(image->chains[2].flags & CHAIN_LOOPBACK);
}

/* One that is named for two things takes neither. */
static void an_empty_set_is_what_it_is_named_for(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n"
			     "1 = allow iface @a\n2 = allow from @b iface @b\n"
			     "3 = allow from @c\n4 = allow tcp to port @d\n"
			     "[set a]\n[set b]\n[set c]\n[set d]\n",
			     NULL);
	assert_int_equal(image->sets[0].kind, SET_OF_INTERFACES);
	assert_false(image->sets[0].is_closed);
	assert_true(image->sets[1].is_closed);
	assert_int_equal(image->sets[2].kind, SET_OF_NETWORKS);
	assert_false(image->sets[2].is_closed);
	assert_int_equal(image->sets[3].kind, SET_OF_PORTS);
	assert_false(image->sets[3].is_closed);
}

#define A_SET(elements)                                                    \
	"[chain c]\npolicy = deny\n10 = allow from @s\n"                   \
	"20 = allow from 10.0.0.1,10.0.0.3\n[set s]\nelements = " elements \
	"\n"
#define A_SET_OF_NOBODY \
	"[chain c]\npolicy = deny\n10 = allow from @s\n[set s]\n"

static void what_stays_the_same_keeps_its_store(void **state)
{
	CLEANUP(image_freep) struct image *live = NULL, *image = NULL;

	(void)state;
	live = compile_text(A_SET("192.0.2.1, 192.0.2.2"), NULL);
	image = compile_text(A_SET("192.0.2.2, 192.0.2.1"), live);
	assert_int_equal(image->n_stores, 0);
	assert_memory_equal(image->sets, live->sets,
			    live->n_sets * sizeof(*live->sets));
	image_free(TAKE_PTR(image));
	image = compile_text(A_SET("192.0.2.1, 192.0.2.3"), live);
	assert_int_equal(image->n_stores, 1);
	assert_true(image->sets[0].store != live->sets[0].store);
	assert_true(image->sets[0].store != live->sets[1].store);
	assert_int_equal(image->sets[1].store, live->sets[1].store);
}

static void what_was_changed_is_made_as_the_file_says(void **state)
{
	CLEANUP(image_freep) struct image *live = NULL, *image = NULL;

	(void)state;
	live = compile_text(A_SET("192.0.2.1"), NULL);
	live->sets[0].digest = 0;
	live->sets[0].elements = 7;
	image = compile_text(A_SET("192.0.2.1"), live);
	assert_int_equal(image->n_stores, 1);
	assert_int_equal(image->sets[0].elements, 1);
}

static void a_set_that_no_file_fills_is_kept(void **state)
{
	CLEANUP(image_freep) struct image *live = NULL, *image = NULL;

	(void)state;
	live = compile_text(A_SET_OF_NOBODY, NULL);
	assert_int_equal(live->n_stores, 1);
	live->sets[0].digest = 0;
	live->sets[0].elements = 7;
	image = compile_text(A_SET_OF_NOBODY, live);
	assert_int_equal(image->n_stores, 0);
	assert_memory_equal(image->sets, live->sets, sizeof(*live->sets));
	image_free(TAKE_PTR(image));
	image = compile_text("[chain c]\npolicy = deny\n"
			     "10 = allow tcp to port @s\n[set s]\n",
			     live);
	assert_int_equal(image->n_stores, 1);
	assert_true(image->sets[0].kind);
}

static void a_list_of_too_many_sets_is_refused(void **state)
{
	char text[2048] = "[chain c]\npolicy = deny\n10 = allow from @s0";
	AUTO_FREE char *said = NULL;
	int i, n = strlen(text);

	(void)state;
	for (i = 1; i < 17; i++)
		n += sprintf(text + n, ",@s%d", i);
	for (i = 0; i < 17; i++)
		n += sprintf(text + n, "\n[set s%d]", i);
	strcat(text, "\n");
	said = compile_text_wrong(text);
	assert_string_equal(said, "a list has at most 16 sets, this one 17");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_prefix_stands_in_the_rule),
		cmocka_unit_test(a_list_becomes_a_set),
		cmocka_unit_test(a_named_set_is_used_as_it_is),
		cmocka_unit_test(ports_in_one_range_stand_in_the_rule),
		cmocka_unit_test(all_of_ipv6_leaves_ipv4_out),
		cmocka_unit_test(several_interfaces_are_a_set),
		cmocka_unit_test(an_empty_set_is_what_it_is_named_for),
		cmocka_unit_test(what_stays_the_same_keeps_its_store),
		cmocka_unit_test(what_was_changed_is_made_as_the_file_says),
		cmocka_unit_test(a_set_that_no_file_fills_is_kept),
		cmocka_unit_test(a_list_of_too_many_sets_is_refused),
	};

	return RUN(tests);
}
