/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of sets: what people download and what ipset saves. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "rules/set_read.h"

/* Reads text into set; what is wrong, as one text. */
static char *read_text(struct set *set, const char *text)
{
	struct problems problems = { 0 };
	AUTO_FREE char *copy = strdup(text);
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	int r;

	assert_non_null(copy);
	assert_non_null(out);
	set->name = (char *)"s";
	r = set_add_lines(set, "f", copy, strlen(text), &problems);
	assert_int_equal(r, problems.n_list ? -EINVAL : 0);
	problems_print(&problems, out);
	problems_clear(&problems);
	fclose(out);
	assert_int_equal(elements_sort(&set->elements), 0);
	return said;
}

static void assert_elements(const struct set *set, const char *want)
{
	char text[ELEMENT_TEXT_MAX], all[1024] = "";
	unsigned int family;
	size_t i, n = 0;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < set->elements.of[family].n_list; i++) {
			const struct element *element =
				&set->elements.of[family].list[i];

			element_format(element, family, set->elements.kind,
				       text);
			n += snprintf(all + n, sizeof(all) - n, "%s%s",
				      n ? " " : "", text);
			if (element->seconds)
				n += snprintf(all + n, sizeof(all) - n, "+%u",
					      element->seconds);
		}
	assert_string_equal(all, want);
}

static void assert_good(const char *text, const char *want)
{
	struct set set = { 0 };
	AUTO_FREE char *said = read_text(&set, text);

	assert_string_equal(said, "");
	assert_elements(&set, want);
	elements_clear(&set.elements);
}

static void assert_bad(const char *text, const char *want)
{
	struct set set = { 0 };
	AUTO_FREE char *said = read_text(&set, text);

	assert_string_equal(said, want);
	elements_clear(&set.elements);
}

static void downloaded_lists_are_read(void **state)
{
	(void)state;
	assert_good("# level 1\n\n1.10.16.0/20 ; SBL256894\r\n1.2.3.4\n"
		    "  192.0.2.1-192.0.2.9\t# note\n2001:db8::/32",
		    "1.2.3.4 1.10.16.0/20 192.0.2.1-192.0.2.9 2001:db8::/32");
	assert_good("10.0.0.0/8\n10.1.0.0/16\n10.0.0.0/8\n",
		    "10.0.0.0/8 10.1.0.0/16");
	assert_good("443\n80-90\n", "80-90 443");
	assert_good("192.0.2.1 timeout 10m\n192.0.2.2\n",
		    "192.0.2.1+600 192.0.2.2");
}

static void what_ipset_saves_is_read(void **state)
{
	(void)state;
	assert_good("create bad hash:net family inet hashsize 1024 maxelem "
		    "65536 timeout 300 counters comment\n"
		    "add bad 192.0.2.0/24 timeout 299 packets 5 bytes 420 "
		    "comment \"from; a # log\"\n"
		    "add bad 192.0.2.9 timeout 0\n",
		    "192.0.2.0/24+299 192.0.2.9");
	assert_good("create p bitmap:port range 0-65535\nadd p 80\n", "80");
}

static void what_is_wrong_names_its_line(void **state)
{
	(void)state;
	assert_bad("add a 192.0.2.1\nadd b 192.0.2.2\n",
		   "f:2: error: the file saves set 'a', and 'b' as well (ipset "
		   "save a saves one)\n");
	assert_bad(
		"add a 192.0.2.1 nomatch\n",
		"f:1: error: nomatch: a set has no exceptions (a rule before "
		"it can make one)\n");
	assert_bad("add a\n", "f:1: error: the element is missing\n");
	assert_bad("add a 192.0.2.1 mark 5\n",
		   "f:1: error: 'mark' of ipset's is not known\n");
	assert_bad("192.0.2.1 192.0.2.2\n192.0.2.1 timeout\n"
		   "192.0.2.1 timeout 5x\n192.0.2.1 timeout 5 x\n",
		   "f:1: error: a line has one element\n"
		   "f:2: error: '' is not a timeout (try 90s, 10m, 1h or 2d)\n"
		   "f:3: error: '5x' is not a timeout (try 90s, 10m, 1h or "
		   "2d)\n"
		   "f:4: error: a line has one element\n");
	assert_bad("192.0.2.1\n80\n",
		   "f:2: error: '80' is a port, but set 's' holds networks\n");
	assert_bad("80\n192.0.2.1\n",
		   "f:2: error: '192.0.2.1' is an address, but set 's' holds "
		   "ports\n");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void a_million_lines_are_read(void **state)
{
	struct problems problems = { 0 };
	struct set set = { .name = (char *)"big" };
	AUTO_FREE char *text = malloc(32000000);
	size_t i, n = 0;
	double start;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < 1000000; i++) {
		uint32_t a = i * 2654435761U;

		n += sprintf(text + n, "%u.%u.%u.%u\n", a >> 24, a >> 16 & 255,
			     a >> 8 & 255, a & 255);
	}
	start = seconds();
	assert_int_equal(set_add_lines(&set, "f", text, n, &problems), 0);
	assert_int_equal(elements_sort(&set.elements), 0);
	print_message("a million lines: %.3f s\n", seconds() - start);
	assert_int_equal(elements_count(&set.elements), 1000000);
	elements_clear(&set.elements);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(downloaded_lists_are_read),
		cmocka_unit_test(what_ipset_saves_is_read),
		cmocka_unit_test(what_is_wrong_names_its_line),
		cmocka_unit_test(a_million_lines_are_read),
	};

	return RUN(tests);
}
