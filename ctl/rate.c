/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/rate.h"

#include <string.h>

#include "ctl/say.h"
#include "rules/unit.h"

int rate_read(const char *name, const char *text, uint64_t *ret_bps)
{
	struct err why;

	if (strcmp(text, "none") == 0) {
		*ret_bps = 0;
		return EXIT_DONE;
	}
	if (rate_parse(text, ret_bps, &why) == 0)
		return EXIT_DONE;
	say("%s: %s", name, why.msg);
	return EXIT_USAGE;
}
