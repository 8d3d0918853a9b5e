/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/mechanism.h"

#include <stddef.h>

#include "base/array.h"

/* A queue, and a program at the device that chooses its class. */
#define QUEUE "htb", "clsact", "sched_cls"

const struct mechanism mechanisms[] = {
	{ "group_out", "pace", "police", { "sockops_setsockopt" } },
	{ "group_in_container", "htb", "police", { QUEUE } },
	{ "group_in_host", NULL, "police", { NULL } },
	{ "device_out", "htb", "-", { QUEUE } },
	{ "device_in", "htb", "-", { QUEUE, "ifb" } },
	{ NULL, NULL, NULL, { NULL } },
};

const char *mechanism_choose(const struct mechanism *mechanism,
			     bool (*has)(const char *feature))
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mechanism->needs); i++)
		if (mechanism->needs[i] && !has(mechanism->needs[i]))
			return mechanism->otherwise;
	return mechanism->shaper ? mechanism->shaper : mechanism->otherwise;
}
