/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root qdisc that somebody else made: kept as the kernel describes it, all
 * qdiscs, classes and filters below it, and put back by asking for the same
 * again.  Not every kind can be: so it is rehearsed on a device of our own
 * before the original is touched.
 */
#ifndef WEIR_NETLINK_FOREIGN_H
#define WEIR_NETLINK_FOREIGN_H

#include "netlink/qdisc.h"

/*
 * Saves the root of link to a new file (0600, complete or not there at all),
 * after a rehearsal has shown that it comes back as it is.  A file that is
 * there already is replaced.  -EOPNOTSUPP where it would not come back, with
 * a sentence that names the kind.  group: of the ifb for the rehearsal.
 */
int foreign_save(struct conn *conn, const struct link *link, const char *path,
		 uint32_t group, struct err *err);

/*
 * Forgets what was saved, and takes away what a foreign_save that was killed
 * left beside it.  conn: NULL where the namespace of the device has gone.
 */
int foreign_forget(struct conn *conn, uint32_t ifindex, const char *path,
		   uint32_t group, struct err *err);

/*
 * Puts back what the file has and removes the file.  The root must be ours
 * (handle), the kernel's default, or the half of an earlier restore; else
 * somebody else has put another one there since: that is left alone and the
 * file removed.  Without the file, or where it is of another boot of the
 * machine: nothing to do.
 */
int foreign_restore(struct conn *conn, const struct link *link,
		    const char *path, uint32_t handle, struct err *err);

#endif
