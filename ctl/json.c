/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/json.h"

#include "ctl/command.h"
#include "ctl/say.h"

int json_print(json_t *root)
{
	int r;

	if (!root) {
		say("print JSON: out of memory");
		return EXIT_REFUSED;
	}
	r = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
	return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}
