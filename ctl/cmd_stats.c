/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "ctl/say.h"
#include "ctl/snapshot.h"
#include "ctl/stats.h"

/* Whether the image has anything of this name. */
static bool is_known(const struct image *image, const char *name)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (strcmp(image_string(image, image->groups[i].name), name) ==
		    0)
			return true;
	for (i = 1; i < image->n_devices; i++)
		if (image->devices[i].in_use &&
		    strcmp(image_string(image, image->devices[i].name), name) ==
			    0)
			return true;
	for (i = 0; i < image->n_chains; i++)
		if (strcmp(image_string(image, image->chains[i].name), name) ==
		    0)
			return true;
	for (i = 0; i < image->n_sets; i++)
		if (strcmp(image_string(image, image->sets[i].name), name) == 0)
			return true;
	return false;
}

bool stats_wanted(const struct call *call, const char *name)
{
	size_t i;

	if (!call->n_args)
		return true;
	for (i = 0; i < call->n_args; i++)
		if (strcmp(call->args[i], name) == 0)
			return true;
	return false;
}

int cmd_stats(const struct call *call)
{
	CLEANUP(snapshot_clear) struct snapshot snapshot = { 0 };
	struct err err;
	size_t i;

	if (snapshot_take(&call->places, &snapshot, &err) < 0)
		return say_err(&err);
	for (i = 0; i < call->n_args; i++) {
		if (is_known(snapshot.kernel.live, call->args[i]))
			continue;
		say("there is no group, device, chain or set '%s' in force",
		    call->args[i]);
		return EXIT_REFUSED;
	}
	if (call->json)
		return stats_print_json(call, &snapshot);
	stats_print(call, &snapshot);
	return EXIT_DONE;
}
