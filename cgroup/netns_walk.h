/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network namespaces that the processes in cgroups are in, and BPF
 * iterators run in each of them: an iterator over sockets sees but those of
 * the namespace that it is read in.
 */
#ifndef WEIR_CGROUP_NETNS_WALK_H
#define WEIR_CGROUP_NETNS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct bpf_link;
struct bpf_object_skeleton;

/* A namespace is remembered by a process in it: descriptors are few. */
struct netns_seen {
	uint64_t inode;
	pid_t pid;
	bool is_idle; /* it had no TCP connection when it was looked at */
};

struct netns_walk {
	struct netns_seen *list;
	size_t n_list;
};

void netns_walk_clear(struct netns_walk *walk);

/*
 * Adds the namespaces of the processes in a cgroup (its folder in the file
 * system) and below.  A process or a cgroup that has gone is no error.
 */
int netns_walk_add(struct netns_walk *walk, const char *folder,
		   struct err *err);

/*
 * Loads an opened skeleton that has one program, an iterator, and attaches
 * that. 0, or a negative errno without a sentence; the link is the caller's.
 */
int netns_walk_attach(struct bpf_object_skeleton *skeleton,
		      struct bpf_link **ret_link);

/*
 * Reads the iterator to its end in each namespace that has TCP connections.
 * One whose process has gone since is left out.
 */
int netns_walk_run(struct netns_walk *walk, const struct bpf_link *link,
		   struct err *err);

#endif
