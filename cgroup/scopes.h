/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state that BPF keeps for groups at cgroups, seen from user space. */
#ifndef WEIR_CGROUP_SCOPES_H
#define WEIR_CGROUP_SCOPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroup/cgroup_abi.h"
#include "cgroup/find.h"

struct scopes {
	int scopes; /* the map's descriptor, likewise below */
	int queued;
	int faults;
};

/* -ENOENT, without a sentence, where nothing of ours is pinned in dir. */
int scopes_open(const char *dir, struct scopes *ret_scopes, struct err *err);
void scopes_close(struct scopes *scopes);

/* What a group let through at a cgroup (0 for share = all); zero at first. */
int scopes_tally(const struct scopes *scopes, uint32_t group_uid,
		 uint64_t cgroup, struct tally *ret_out, struct tally *ret_in,
		 struct err *err);

/* The controller of a limit on what leaves, likewise. */
int scopes_pace(const struct scopes *scopes, uint32_t group_uid,
		uint64_t cgroup, struct pace *ret_pace, struct err *err);

/* One scope: of a group, or of a limit by address. */
struct scope_tally {
	struct scope_key key;
	struct tally out, in;
};

/* All there are, by cgroup and uid; the list is allocated. */
int scopes_list(const struct scopes *scopes, struct scope_tally **ret_list,
		size_t *ret_n, struct err *err);

/* Removes the state of groups and cgroups that are not there any more. */
int scopes_tidy(const struct scopes *scopes, const struct image *image,
		const struct found_cgroups *found, struct err *err);

/*
 * Whether what arrives in a cgroup waits in a queue; the programs then do
 * not police it.
 */
int scopes_set_queued(const struct scopes *scopes, uint64_t cgroup, bool queued,
		      struct err *err);

/* The ids of all cgroups that are said to be queued; the list is allocated. */
int scopes_list_queued(const struct scopes *scopes, uint64_t **ret_ids,
		       size_t *ret_n, struct err *err);

/* Sums over all processors. */
int scopes_faults(const struct scopes *scopes, uint64_t ret_counts[FAULTS],
		  struct err *err);

#endif
