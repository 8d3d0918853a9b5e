/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups that weir makes: each for one command, below the one that weirctl
 * itself runs in, so that what limits weirctl limits the command.
 */
#ifndef WEIR_CGROUP_OWN_H
#define WEIR_CGROUP_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "rules/glob_abi.h"

/* The first words of its name; the process and a number follow. */
#define OWN_PREFIX "weir-run-"

/*
 * Makes OWN_PREFIX TAG below the caller's own cgroup; -EEXIST where it is
 * there.  Those of callers that were killed before they had a command in
 * theirs are removed.  Returns a descriptor of its folder.
 */
int own_make(const char *mount, const char *tag,
	     char ret_path[static CGROUP_PATH_MAX], struct err *err);

/* Puts the calling process into the cgroup that fd is the folder of. */
int own_join(int fd);

/* Whether a process is left in it, or below it. */
bool own_is_busy(const char *mount, const char *path);

/*
 * Removes it and what is below it.  -EBUSY where a process is left there; that
 * there is no such cgroup is no error.
 */
int own_remove(const char *mount, const char *path);

/* Waits until no process is left in it. */
void own_wait(const char *mount, const char *path);

#endif
