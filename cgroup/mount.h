/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the cgroup2 hierarchy and bpffs are mounted. */
#ifndef WEIR_CGROUP_MOUNT_H
#define WEIR_CGROUP_MOUNT_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Finds where cgroup2 is mounted, "/sys/fs/cgroup" or below it in a hybrid
 * set-up.  -ENOENT where there is only cgroup v1, with a sentence.
 */
int mount_find_cgroup2(char ret_path[static PATH_MAX], struct err *err);

/* Whether path lies on a bpffs. */
bool mount_is_bpffs(const char *path);

/*
 * Makes dir a folder (0700) on a bpffs.  If it cannot be because none is
 * mounted there, mounts one: on /sys/fs/bpf for a folder below it, else on
 * dir itself.  *ret_mounted says what mount_undo_bpffs is to be called with:
 * it gets the mount point, or "" where a bpffs was there already.
 */
int mount_ensure_bpffs(const char *dir, char ret_mounted[static PATH_MAX],
		       struct err *err);

/* Unmounts what mount_ensure_bpffs mounted, if nobody else uses it. */
int mount_undo_bpffs(const char *mounted);

#endif
