/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/mechanism.h"

#include <stddef.h>

/* A queue, and a program at the device that chooses its class. */
#define QUEUE "htb", "clsact", "sched_cls"

/* A queue that keeps departure times, and a program that gives them. */
#define DEPARTURES                                             \
	"edt",                                                 \
	{                                                      \
		"fq", "clsact", "sched_cls", "departure_times" \
	}

const struct mechanism mechanisms[] = {
	{ "group_out", "pace", "police", { "sockops_setsockopt" }, NULL, {} },
	{ "group_in_container", "htb", "police", { QUEUE }, DEPARTURES },
	{ "group_in_host", "htb", "police", { QUEUE, "ifb" }, NULL, {} },
	{ "device_out", "htb", "-", { QUEUE }, DEPARTURES },
	{ "device_in", "htb", "-", { QUEUE, "ifb" }, NULL, {} },
	{ NULL, NULL, NULL, {}, NULL, {} },
};

static bool has_all(const char *const needs[4],
		    bool (*has)(const char *feature))
{
	size_t i;

	for (i = 0; i < 4; i++)
		if (needs[i] && !has(needs[i]))
			return false;
	return true;
}

const char *mechanism_choose(const struct mechanism *mechanism,
			     bool (*has)(const char *feature))
{
	if (!mechanism->shaper || !has_all(mechanism->needs, has))
		return mechanism->otherwise;
	return mechanism->shaper;
}

const char *mechanism_asked(const struct mechanism *mechanism,
			    bool (*has)(const char *feature))
{
	return has_all(mechanism->asked_needs, has) ? mechanism->asked : NULL;
}
