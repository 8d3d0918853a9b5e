/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the iterator that adopts sockets is told, and tells: of each limit, at
 * which cgroups it holds and what each of its sockets may have.
 */
#ifndef WEIR_CGROUP_ADOPT_ABI_H
#define WEIR_CGROUP_ADOPT_ABI_H

#include <linux/types.h>

#include "rules/image_abi.h"

/*
 * A limit with a clock of its own: that of a group at a cgroup; behind it those
 * that the group has by address.
 */
struct adopt_limit {
	__u64 fair; /* bytes per second on the wire for a socket; user space */
	__u32 busy; /* sockets with something to send; BPF counts */
	__u32 pad;
};

/* A cgroup that limits hold at, each a number of its own, from 0. */
struct adopt_key {
	__u64 cgroup;
	__u32 nth;
	__u32 pad;
};

/* What holds there. */
struct adopt_place {
	__u32 limit; /* an index of limits */
	struct peer_range peers;
};

#endif
