/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the devices of the policy in force are. */
#ifndef WEIR_CTL_DEVICE_ROWS_H
#define WEIR_CTL_DEVICE_ROWS_H

#include "ctl/world.h"

/*
 * The namespace that a row's device is in, wherever weirctl runs; where that
 * was not found yet, the one that has its name now.  Fails as world_netns and
 * world_netns_by_id do.
 */
int device_row_netns(const struct image *image, const struct device_row *row,
		     struct world *world, struct netns_view **ret_view,
		     struct err *err);

/*
 * Refuses (-EXDEV) to change the policy in force where a device of it is in
 * another namespace, and no name says so: here it would be missed, and go.
 */
int device_rows_check_here(const struct kernel *kernel, struct err *err);

#endif
