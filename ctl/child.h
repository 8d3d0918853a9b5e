/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command as a child process: born in a cgroup, held until it may start,
 * given the signals that are sent to us, waited for.
 */
#ifndef WEIR_CTL_CHILD_H
#define WEIR_CTL_CHILD_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

/* Exit status where the command could not be run, as of env and sh. */
enum {
	EXIT_WEIR = 125, /* our own failure */
	EXIT_NOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

struct child {
	pid_t pid;	   /* 0: there is none */
	int gate;	   /* a byte in here lets it start; closed: it ends */
	sigset_t mask;	   /* signals that were blocked before */
	void (*reap)(int); /* what was to be done with SIGCHLD before */
};

/* From here on the signals that are passed on wait for child_wait. */
void child_hold_signals(struct child *child);

/*
 * The signals are held.  The child is in the cgroup that cgroup_fd is the
 * folder of, and executes nothing yet.  memlock is its RLIMIT_MEMLOCK.
 */
int child_make(int cgroup_fd, char *const *argv, const struct rlimit *memlock,
	       struct child *child, struct err *err);

/* Lets it execute the command. */
void child_start(struct child *child);

/* Ends one that was not started, if there is one. */
void child_drop(struct child *child);

/* Passes signals on until it has ended; returns what to exit with. */
int child_wait(const struct child *child);

/* Gives signals back the meaning they had. */
void child_restore_signals(const struct child *child);

#endif
