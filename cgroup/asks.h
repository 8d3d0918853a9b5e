/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the policy of a slot asks of the cgroup programs, and what the policies
 * before it have left with sockets: a program that nothing is asked of lets
 * everything pass at once.
 */
#ifndef WEIR_CGROUP_ASKS_H
#define WEIR_CGROUP_ASKS_H

#include <stdint.h>

#include "base/err.h"
#include "rules/image.h"

/* MEMBER_*: what all groups of an image ask for, taken together. */
uint32_t asks_of(const struct image *image);

/*
 * Part of tables_write, before any socket is paced for image: in the slot that
 * comes, and in the one in force what lasts (MEMBER_LASTING).  map: of `asked`.
 */
int asks_write(int map, uint32_t slot, const struct image *image,
	       struct err *err);

/* What lasts of the policy in force (MEMBER_LASTING), and of those before it.
 */
uint32_t asks_lasting(int map, uint32_t slot);

#endif
