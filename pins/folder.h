/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of pins: making them, opening what is in them, removing them. */
#ifndef WEIR_PINS_FOLDER_H
#define WEIR_PINS_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Refuses (-EPERM) a folder that anybody but root and its group can change what
 * is in.  On a bpffs the sticky bit is enough, as it has that when it is
 * mounted without options: what is root's in there stays so.  One that is not
 * there is fine.
 */
int folder_check(const char *path, struct err *err);

/* mkdir, for root alone; one that is there already must pass the check. */
int folder_make(const char *path, struct err *err);

/* A map, program or link.  -ENOENT, without a sentence, if it is not there. */
int folder_open_pin(const char *folder, const char *name, int *ret_fd,
		    struct err *err);

/* The same; that it is not there is no error, and leaves *ret_fd alone. */
int folder_find_pin(const char *folder, const char *name, int *ret_fd,
		    struct err *err);

/* Removes a folder, not a link to one, and the pins in it, one level deep. */
int folder_remove(const char *path, struct err *err);

/*
 * Removes the folders of pins in dir whose names begin with prefix, but for
 * the one named keep (NULL: none).  Where there is no dir, there are none.
 */
int folder_remove_all(const char *dir, const char *prefix, const char *keep,
		      struct err *err);

/* Whether there is one whose name begins with prefix, but for the one named. */
bool folder_has(const char *dir, const char *prefix, const char *but);

#endif
