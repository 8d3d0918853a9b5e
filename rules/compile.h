/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy becomes an image.  What unchanged parts need to keep (a rule's
 * counter, a group's uid, a device's index) is taken over from the live
 * image; a rule is unchanged when its chain's name, its number and its
 * canonical text are.
 */
#ifndef WEIR_RULES_COMPILE_H
#define WEIR_RULES_COMPILE_H

#include "rules/image.h"
#include "rules/policy.h"

/*
 * live may be NULL.  Interfaces are left open: ifindex of rules and devices
 * and all classes are 0, to be filled in from what the machine has now.
 * What can be told only here (too many prefixes in sets; beside live, too many
 * counters or devices) is added to problems, by name, and -EINVAL returned;
 * else -ENOMEM, or 0 with *ret_image.
 */
int compile(const struct policy *policy, const struct image *live,
	    struct problems *problems, struct image **ret_image);

#endif
