/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving sockets that are open already the rate of a limit that comes. */
#ifndef WEIR_CGROUP_ADOPT_H
#define WEIR_CGROUP_ADOPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroup/netns_walk.h"
#include "rules/image_abi.h"

/* A limit with a clock of its own; bytes per second on the wire, 0: none. */
struct adopted_limit {
	uint64_t rate;
	uint32_t users; /* that share it now, in 1/PACE_USER; 0: no packet was
			   charged to it yet */
};

/* That it holds at a cgroup. */
struct adopted_place {
	uint64_t cgroup; /* id */
	uint32_t limit;	 /* index; those of peers are behind it */
	struct peer_range peers;
};

/* All limits that a socket may be under, outer ones as well. */
struct adoption {
	struct adopted_limit *limits;
	size_t n_limits;
	struct adopted_place *places; /* those of one cgroup in a row */
	size_t n_places;
	uint32_t slot;		/* of the tables in force, or that will be */
	struct netns_walk walk; /* where the sockets are */
};

void adoption_clear(struct adoption *adoption);

/*
 * Gives each TCP socket below these cgroups that has not heard of its limit
 * yet a pacing rate; called before the limits come into force.  Where the
 * kernel is not told to call for them (before 6.12) they are deaf.
 * -EOPNOTSUPP, with a sentence, where no iterator may set options (before
 * 5.15): what is open then meets the bound.
 */
int adopt_sockets(const char *dir, struct adoption *adoption, struct err *err);

/*
 * How many sockets were left deaf the last time: a change of their limit must
 * come from here, by adopting them again.
 */
int adopt_count_deaf(const char *dir, uint32_t *ret_count, struct err *err);

/* Whether this kernel can: 0, or a negative errno. */
int adopt_probe(void);

#endif
