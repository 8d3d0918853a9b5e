/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/set_live.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "rules/suggest.h"

static int refuse_name(const struct live_sets *sets, const char *name,
		       struct err *err)
{
	char nearest[LABEL_MAX + 1];
	struct suggestion best;
	struct live_set set;
	uint32_t i;

	suggestion_begin(&best, name);
	for (i = 0; live_sets_read(sets, i, &set, err) == 0; i++) {
		suggestion_try(&best, set.name);
		if (best.word == set.name)
			best.word = strcpy(nearest, set.name);
	}
	if (!best.word)
		return err_say(err, -ENOENT, "there is no set '%.80s' in force",
			       name);
	return err_say(err, -ENOENT,
		       "there is no set '%.80s' in force (try %s)", name,
		       best.word);
}

int set_live_open(const struct call *call, struct live_sets *ret_sets,
		  struct err *err)
{
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", call->places.bpffs);
	r = live_sets_open(maps, ret_sets, err);
	if (r == -ENOENT)
		return err_say(err, r, "no policy is in force, and so no set");
	return r;
}

int set_live_find(const struct live_sets *sets, const char *name,
		  struct live_set *ret_set, struct err *err)
{
	int r = live_sets_find(sets, name, ret_set, err);

	return r == -ENOENT ? refuse_name(sets, name, err) : r;
}
