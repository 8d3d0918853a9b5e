/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a network namespace has TCP connections, without a look at those of
 * all others: by how many sockets there are, and how many of them listen.
 */
#ifndef WEIR_CGROUP_NETNS_SOCKETS_H
#define WEIR_CGROUP_NETNS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * How many TCP sockets the namespace of a process has; UINT64_MAX where that
 * cannot be told.
 */
uint64_t netns_sockets(pid_t pid);

/*
 * How many of them listen, in the namespace that this thread is in; less where
 * that cannot be told.
 */
uint64_t netns_listeners(void);

#endif
