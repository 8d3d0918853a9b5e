/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of addresses, ports and sets. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/compile_text.h"

/* Asserts an IPv4 element: "10.0.0.0", 8. */
static void assert_element(const struct image *image, size_t index,
			   uint32_t set, const char *address, int length)
{
	const struct element_key *key = &image->elements[index];
	char text[INET_ADDRSTRLEN];

	assert_true(index < image->n_elements);
	inet_ntop(AF_INET, key->data + 12, text, sizeof(text));
	assert_string_equal(text, address);
	assert_int_equal(key->prefixlen, 32 + 96 + length);
	assert_int_equal(ntohl(key->set), set);
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
	assert_int_equal(image->n_elements, 0);
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

static void a_list_becomes_a_set_of_prefixes(void **state)
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
	assert_int_equal(image->n_elements, 8);
	assert_element(image, 0, 0, "172.16.0.0", 12);
	assert_element(image, 1, 1, "10.0.0.5", 32);
	assert_element(image, 2, 1, "10.0.0.6", 31);
	assert_element(image, 3, 1, "10.0.0.8", 31);
	assert_element(image, 4, 1, "192.0.2.0", 24);
	assert_element(image, 5, 2, "10.0.0.5", 32);
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
	assert_true(image->sets[1].is_ports);
	assert_string_equal(image_string(image, image->sets[2].name), "");
	assert_int_equal(image->rules[0].src.set, 0);
	assert_int_equal(image->rules[0].dst.port_set, 1);
	assert_int_equal(image->rules[0].looks,
			 LOOK_PROTOCOL | LOOK_SRC | LOOK_DST_PORT);
	assert_int_equal(image->rules[1].src.set, 2);
	assert_int_equal(image->rules[2].dst.port_set, 3);
	/* 192.0.2.1, .2; 80, 82/15; 10.0.0.1, 192.0.2.1, .2; 80, 82, 443 */
	assert_int_equal(image->n_elements, 2 + 2 + 3 + 3);
	assert_int_equal(image->elements[3].prefixlen, 32 + 15);
	assert_int_equal(image->elements[3].data[1], 82);
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
	size_t i;

	(void)state;
	image = compile_text("[chain c]\npolicy = deny\n10 = allow from ::/0\n",
			     NULL);
	assert_true(image->rules[0].src.set != NONE);
	for (i = 0; i < image->n_elements; i++) {
		static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 1, 2 };
		unsigned int bits = image->elements[i].prefixlen - 32, k;

		for (k = 0; k < bits; k++)
			if ((mapped[k / 8] ^ image->elements[i].data[k / 8]) >>
				    (7 - k % 8) &
			    1)
				break;
		assert_true(k < bits);
	}
	assert_int_equal(i, 96);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void a_set_of_a_million_networks_compiles(void **state)
{
	CLEANUP(image_freep) struct image *image = NULL;
	struct set set = { .name = (char *)"big" };
	struct policy policy = { .sets = &set, .n_sets = 1 };
	struct problems problems = { 0 };
	uint32_t random = 1, address;
	double start;
	size_t i;

	(void)state;
	set.where.file = "x";
	set.n_networks = 1000000;
	set.networks = calloc(set.n_networks, sizeof(*set.networks));
	assert_non_null(set.networks);
	for (i = 0; i < set.n_networks; i++) {
		struct network *network = &set.networks[i];

		random = random * 1664525 + 1013904223;
		address = htonl(random & ~0xffU);
		network->family = FAMILY_IP4;
		memset(&network->first.s6_addr[10], 0xff, 2);
		memcpy(&network->first.s6_addr[12], &address, 4);
		network->last = network->first;
		network->last.s6_addr[15] = 255;
	}
	start = seconds();
	assert_int_equal(compile(&policy, NULL, &problems, &image), 0);
	print_message("a million networks: %.2f s, %zu prefixes\n",
		      seconds() - start, image->n_elements);
	assert_int_equal(image->sets[0].elements, 1000000);
	assert_true(image->n_elements > 500000);
	free(set.networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_prefix_stands_in_the_rule),
		cmocka_unit_test(a_list_becomes_a_set_of_prefixes),
		cmocka_unit_test(a_named_set_is_used_as_it_is),
		cmocka_unit_test(ports_in_one_range_stand_in_the_rule),
		cmocka_unit_test(all_of_ipv6_leaves_ipv4_out),
		cmocka_unit_test(a_set_of_a_million_networks_compiles),
	};

	return RUN(tests);
}
