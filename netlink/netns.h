/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network namespaces: by name (/run/netns/NAME, as ip-netns(8) makes them),
 * of a process, or our own.  A descriptor of -1 means our own everywhere.
 */
#ifndef WEIR_NETLINK_NETNS_H
#define WEIR_NETLINK_NETNS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define NETNS_FOLDER "/run/netns"

/* name NULL: our own.  -ENOENT where there is none of that name. */
int netns_open(const char *name, int *ret_fd, struct err *err);

/* That of a process; -ESRCH where it has gone. */
int netns_open_pid(pid_t pid, int *ret_fd, struct err *err);

/*
 * What tells namespaces apart: inode numbers of one file system.  They are
 * used again when a namespace has gone.
 */
int netns_inode(int fd, uint64_t *ret_inode, struct err *err);

struct netns_name {
	uint64_t inode;
	char *text;
};

/* All that have a name below /run/netns. */
struct netns_names {
	struct netns_name *list;
	size_t n_list;
};

int netns_names_read(struct netns_names *ret_names, struct err *err);
void netns_names_clear(struct netns_names *names);
/* The name of the one with this inode number, or NULL. */
const char *netns_names_find(const struct netns_names *names, uint64_t inode);

/*
 * A number that no other namespace has had since boot: its cookie; or its
 * inode number, before Linux 5.14.
 */
int netns_id(int fd, uint64_t *ret_id, struct err *err);

/*
 * The namespace with this id, where a mount or a process shows it.  Without
 * a sentence, -ENOENT where it has gone, and -EXDEV where that cannot be told
 * from here: not all processes are seen, or something shows a namespace that
 * could not be looked at.  One that only a descriptor keeps counts as gone.
 */
int netns_find(uint64_t id, int *ret_fd, struct err *err);

/* The inode number without opening it; -ESRCH, without a sentence, if it has
 * gone. */
int netns_inode_pid(pid_t pid, uint64_t *ret_inode, struct err *err);

/*
 * Calls socket(2) in another namespace.  This thread is back in its own
 * afterwards, whatever happened; should the kernel refuse that, the process
 * ends, for nothing may be done to the wrong machine.
 */
int netns_socket(int fd, int domain, int type, int protocol, int *ret_fd,
		 struct err *err);

/*
 * Calls a function there, and returns what that does; the same holds.  Without
 * a sentence where it is the function that fails.
 */
int netns_call(int fd, int (*call)(void *arg), void *arg, struct err *err);

#endif
