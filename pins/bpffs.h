/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file system that pins are in. */
#ifndef WEIR_PINS_BPFFS_H
#define WEIR_PINS_BPFFS_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

/* Whether path lies on a bpffs. */
bool bpffs_is_at(const char *path);

/*
 * Makes dir a folder (0700) on a bpffs.  If it cannot be because none is
 * mounted there, mounts one: on /sys/fs/bpf for a folder below it, else on
 * dir itself.  *ret_mounted says what bpffs_unmount is to be called with: it
 * gets the mount point, or "" where a bpffs was there already.
 */
int bpffs_ensure(const char *dir, char ret_mounted[static PATH_MAX],
		 struct err *err);

/* Unmounts what bpffs_ensure mounted, if nobody else uses it. */
int bpffs_unmount(const char *mounted);

#endif
