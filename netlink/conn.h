/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A route socket in some network namespace.  Requests are answered before
 * they return; what comes back is the kernel's own errno, and its own
 * sentence (the extended acknowledgement) in err, where it gave one.
 *
 * A device that has gone meanwhile is -ENODEV in every function of this
 * folder: a caller may take that for "waits" instead of a failure.
 */
#ifndef WEIR_NETLINK_CONN_H
#define WEIR_NETLINK_CONN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

struct nl_msg;
struct nlmsghdr;
struct conn;

/* In the namespace of a descriptor, which stays the caller's; -1: our own. */
int conn_open(int netns_fd, struct conn **ret_conn, struct err *err);

/* In that of /run/netns/NAME; NULL: our own. */
int conn_open_name(const char *netns, struct conn **ret_conn, struct err *err);

/* In that of a process. */
int conn_open_pid(pid_t pid, struct conn **ret_conn, struct err *err);

/* Calls a function in the namespace of conn, as netns_call does. */
int conn_call(struct conn *conn, int (*call)(void *arg), void *arg,
	      struct err *err);

void conn_close(struct conn *conn);
DEFINE_CLEANUP(struct conn *, conn_close);

/* ------------------------------------------- for the files of netlink/ */

/*
 * Sends a request and waits for its acknowledgement.  err gets the kernel's
 * sentence alone ("Exclusivity flag on, cannot modify", or the text of its
 * errno): err_wrap says what was asked for.
 */
int conn_ask(struct conn *conn, struct nl_msg *msg, struct err *err);

/* conn_ask, with "what is asked for: " put before; NULL for msg is -ENOMEM. */
int conn_do(struct conn *conn, struct nl_msg *msg, struct err *err,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * What to do with each message of an answer.  Where the list changed while it
 * was read, entries may be missing or there twice: conn_dump then begins
 * again by itself, and restart forgets what came before.
 */
struct conn_list {
	/* A negative return ends it, and is then that of conn_dump. */
	int (*each)(const struct nlmsghdr *message, void *arg);
	void (*restart)(void *arg);
	void *arg;
};

/* A question with one answer; restart is not called. */
int conn_get(struct conn *conn, struct nl_msg *msg,
	     const struct conn_list *list, struct err *err);

/* -EAGAIN where the list did not hold still in 20 attempts. */
int conn_dump(struct conn *conn, struct nl_msg *msg,
	      const struct conn_list *list, struct err *err);

#endif
