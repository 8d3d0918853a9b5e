/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of an image that no file names: containers' veths, and pools. */
#ifndef WEIR_CTL_VETH_ROWS_H
#define WEIR_CTL_VETH_ROWS_H

#include "cgroup/find.h"
#include "ctl/kernel.h"
#include "tc/device.h"

/*
 * Adds a row for each veth that a limit on what arrives can wait at, and for
 * each pool; view is of our own namespace.  Those that the live image has keep
 * their index.
 */
int veth_rows_add(const struct kernel *kernel, const struct netns_view *view,
		  struct image *image, struct found_cgroups *found,
		  struct err *err);

#endif
