/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the cgroup2 hierarchy is mounted. */
#ifndef WEIR_CGROUP_MOUNT_H
#define WEIR_CGROUP_MOUNT_H

#include <limits.h>

#include "base/err.h"

/*
 * Finds where cgroup2 is mounted, "/sys/fs/cgroup" or below it in a hybrid
 * set-up.  -ENOENT where there is only cgroup v1, with a sentence.
 */
int mount_find_cgroup2(char ret_path[static PATH_MAX], struct err *err);

#endif
