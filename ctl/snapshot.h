/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What status and stats show, taken at one time; printed as text or as JSON
 * afterwards.
 */
#ifndef WEIR_CTL_SNAPSHOT_H
#define WEIR_CTL_SNAPSHOT_H

#include "cgroup/anchor.h"
#include "cgroup/flow_tables.h"
#include "ctl/kernel.h"
#include "ctl/quota_figures.h"
#include "ctl/world.h"
#include "netlink/netns.h"
#include "tc/container.h"
#include "tc/xdp.h"

/* One cgroup of a group, with what passed there. */
struct cgroup_snapshot {
	const struct found_cgroup *cgroup;
	const struct device_row *queue; /* where `in` waits, or NULL */
	struct tally out, in;
	struct container box; /* with its veths: see snapshot_find_veths */
	struct quota_figures quota;
	/* Of limits by address: the first of its own in snapshot.peers. */
	size_t out_to, in_from;
};

/* A cgroup's share of a device's limit. */
struct share_snapshot {
	const struct share_entry *entry;
	struct queue_stats stats;
};

struct device_snapshot {
	uint32_t index;
	bool present;
	struct device_figures figures[2]; /* by SIDE_* */
	bool has_xdp;
	char why_no_xdp[XDP_WHY_MAX]; /* "": nothing is in the way */
	struct flow_figures flows;
};

struct snapshot {
	struct kernel kernel; /* image in force: kernel.live */
	struct world world;
	struct anchors anchors;
	struct cgroup_snapshot *cgroups; /* by path, as world.found */
	size_t n_cgroups;
	struct tally *peers;
	size_t n_peers;
	struct device_snapshot *devices;
	size_t n_devices;
	struct share_snapshot *shares;
	size_t n_shares;
	struct netns_names netns_names;	  /* see snapshot_find_veths */
	struct flow_figures *group_flows; /* as kernel.live->groups */
	struct counter *rules;		  /* as kernel.live->rules */
	struct counter *chains;		  /* what the policy of each decided */
	uint64_t memory; /* of the kernel's for the tables, bytes */
	uint64_t faults[FAULTS];
};

int snapshot_take(const struct places *places, struct snapshot *ret_snapshot,
		  struct err *err);
void snapshot_clear(struct snapshot *snapshot);

/*
 * Looks for the veths of all cgroups.  Where it may not look there are none:
 * that is no reason to show nothing else.
 */
int snapshot_find_veths(struct snapshot *snapshot, struct err *err);

/* Whether it is the share of this cgroup in this group. */
bool snapshot_share_is_of(const struct share_snapshot *share,
			  const struct found_cgroup *cgroup);

/* The mechanism of a cgroup's `in` limit: its queue's, or police without. */
unsigned int snapshot_in_shape(const struct cgroup_snapshot *cgroup);

#endif
