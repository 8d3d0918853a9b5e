/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map `changes`: what tells programs that verdicts they have kept hold no
 * longer, because something in the tables in force was changed.  It is odd
 * while that is being done, and so it stays if who does it is killed: nothing
 * is kept until the next change, or the next apply, has ended it.  To be
 * written under the lock.
 */
#ifndef WEIR_CGROUP_STAMP_H
#define WEIR_CGROUP_STAMP_H

#include "base/err.h"

/* Before and after a change.  fd: of the map. */
int stamp_begin(int fd, struct err *err);
int stamp_end(int fd, struct err *err);

#endif
