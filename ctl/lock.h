/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two weirctl at once: the second waits until the first is through. */
#ifndef WEIR_CTL_LOCK_H
#define WEIR_CTL_LOCK_H

#include "base/err.h"

/*
 * Makes the folder (0700) if need be and takes the lock in it, exclusively
 * or shared.  Returns a descriptor; closing it, or dying, gives it back.
 */
int lock_take(const char *folder, struct err *err);

/* Removes the lock's file and folder, while it is held. */
void lock_remove(const char *folder);

#endif
