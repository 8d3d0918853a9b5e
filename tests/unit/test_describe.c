/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "rules/describe.h"
#include "rules/ini.h"
#include "rules/label.h"
#include "tests/unit/compile_text.h"

/* As many patterns as a line holds: a description has a blank more for each. */
static void write_patterns(char line[static INI_LINE_MAX + 1])
{
	size_t length = sprintf(line, "match=");
	int i;

	for (i = 0; length + 4 <= INI_LINE_MAX; i++)
		length += sprintf(line + length, ",/%c%c", 'a' + i / 26,
				  'a' + i % 26);
	line[strlen("match=")] = ' ';
}

/* As many addresses before as many rates. */
static void write_peers(char value[static INI_LINE_MAX + 1])
{
	size_t length = 0;
	int i;

	for (i = 0; length + 40 <= INI_LINE_MAX; i++)
		length += sprintf(value + length, "1.0.0.%d %s", i,
				  i < PEERS_MAX ? "123.457mbit " : "");
	sprintf(value + length, " 123.457mbit");
	/* The last is one too many but for this. */
	memset(strstr(value, "123.457mbit"), ' ', strlen("123.457mbit"));
}

static void the_longest_group_is_described_to_its_end(void **state)
{
	char name[LABEL_MAX + 1] = "";
	char line[INI_LINE_MAX + 1], policy[4 * INI_LINE_MAX];
	char peers[INI_LINE_MAX + 1];
	char text[DESCRIBE_MAX];
	struct image *image;

	(void)state;
	memset(name, 'c', LABEL_MAX);
	write_patterns(line);
	write_peers(peers);
	snprintf(policy, sizeof(policy),
		 "[group g]\n%s\nshare=all\nout=123456kbit\nin=123456kbit\n"
		 "out-to=%s\nin-from=%s\n"
		 "filter-out=%s\nfilter-in=%s\n[chain %s]\npolicy=deny\n",
		 line, peers, peers, name, name, name);
	image = compile_text(policy, NULL);
	describe_group(image, &image->groups[0], text);
	assert_string_equal(text + strlen(text) - strlen(name), name);
	assert_non_null(strstr(text, ", filter-in c"));
	image_free(image);
}

static void a_device_says_what_holds_each_limit(void **state)
{
	struct image *image;
	char text[DESCRIBE_MAX];

	(void)state;
	image = compile_text("[device a]\nout = 8mbit\nin = 8mbit\n"
			     "shaper = edt\n[device b]\nout = 8mbit\n",
			     NULL);
	describe_device(image, &image->devices[1], text);
	assert_string_equal(text, "out 8mbit (burst 16kib) by edt, "
				  "in 8mbit (burst 16kib) by htb");
	describe_device(image, &image->devices[2], text);
	assert_string_equal(text, "out 8mbit (burst 16kib) by htb");
	image_free(image);
	image = compile_text("[device a]\nfilter-in = c\ntcp-windows = yes\n"
			     "[chain c]\npolicy = deny\n10 = deny invalid\n",
			     NULL);
	describe_device(image, &image->devices[1], text);
	assert_string_equal(text, "filter-in c, tcp-windows");
	image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_group_is_described_to_its_end),
		cmocka_unit_test(a_device_says_what_holds_each_limit),
	};

	return RUN(tests);
}
