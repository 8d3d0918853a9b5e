/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/json.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "ctl/command.h"
#include "ctl/say.h"

json_t *json_text(const char *text)
{
	AUTO_FREE char *printable = NULL;

	if (!text)
		return json_null();
	printable = utf8_printable(text);
	return printable ? json_string(printable) : NULL;
}

json_t *json_count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* r: of adding to whole. */
static void check(json_t **whole, int r)
{
	if (r == 0)
		return;
	json_decref(*whole);
	*whole = NULL;
}

void json_add(json_t **array, json_t *value)
{
	check(array, json_array_append_new(*array, value));
}

void json_put(json_t **object, const char *name, json_t *value)
{
	check(object, json_object_set_new(*object, name, value));
}

static int print(json_t *root, size_t flags)
{
	int r;

	if (!root) {
		say("print JSON: out of memory");
		return EXIT_REFUSED;
	}
	r = json_dumpf(root, stdout, flags | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
	return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

int json_print(json_t *root)
{
	return print(root, JSON_INDENT(2));
}

int json_print_line(json_t *root)
{
	return print(root, 0);
}
