/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file system that pins are in. */
#ifndef WEIR_PINS_BPFFS_H
#define WEIR_PINS_BPFFS_H

#include <stdbool.h>

#include "base/err.h"

/* Whether path lies on a bpffs. */
bool bpffs_is_at(const char *path);

/*
 * Makes dir a folder (0700) on a bpffs.  If it cannot be because none is
 * mounted there, mounts one: on /sys/fs/bpf for a folder below it, else on
 * dir itself.
 */
int bpffs_ensure(const char *dir, struct err *err);

/*
 * Unmounts what bpffs_ensure mounted for dir, whichever process did.  One that
 * somebody has pins in stays, and so does one that others mounted.
 */
int bpffs_release(const char *dir, struct err *err);

#endif
