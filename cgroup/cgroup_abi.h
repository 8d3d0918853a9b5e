/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cgroup programs keep, shared with user space.  The tables they
 * read are in rules/image_abi.h.  Host byte order, explicit padding.
 */
#ifndef WEIR_CGROUP_ABI_H
#define WEIR_CGROUP_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

#include "cgroup/pace_abi.h"
#include "cgroup/quota_abi.h"
#include "rules/image_abi.h"

/* One group that holds for a cgroup, and at which of its ancestors. */
struct member_scope {
	__u64 cgroup; /* id of the ancestor, or itself, that matched */
	__u32 group;  /* index of its row */
	__u32 pad;
	__u64 account; /* id, of its quota; 0: none */
};

/* What a group asks for, or the groups of a cgroup taken together. */
enum {
	MEMBER_LIMIT_OUT = 1 << 0,
	MEMBER_LIMIT_IN = 1 << 1,
	MEMBER_FILTER_OUT = 1 << 2,
	MEMBER_FILTER_IN = 1 << 3,
	MEMBER_QUOTA = 1 << 4,
	MEMBER_QUOTA_DENIES = 1 << 5, /* when it is used up */
	MEMBER_QUOTAS = 1 << 6,	      /* there are several: of a cgroup alone */
};

/* MEMBER_*.  KEEP_STATES: the other direction's packets tell, too. */
static inline __u32 group_asks(const struct group_row *group)
{
	__u32 flags = 0;

	if (group->out.rate_bytes || group->out_to.count)
		flags |= MEMBER_LIMIT_OUT;
	if (group->in.rate_bytes || group->in_from.count)
		flags |= MEMBER_LIMIT_IN;
	if (group->chain_out != NONE || group->flags & KEEP_STATES)
		flags |= MEMBER_FILTER_OUT;
	if (group->chain_in != NONE || group->flags & KEEP_STATES)
		flags |= MEMBER_FILTER_IN;
	if (group->quota.bytes)
		flags |= MEMBER_QUOTA;
	if (group->quota.bytes && !group->quota.after_rate)
		flags |= MEMBER_QUOTA_DENIES;
	return flags;
}

/*
 * Of what a policy asks for, that which sockets may still be paced or clamped
 * by when it is asked for no more.
 */
#define MEMBER_LASTING                                       \
	(MEMBER_LIMIT_OUT | MEMBER_LIMIT_IN | MEMBER_QUOTA | \
	 MEMBER_QUOTA_DENIES)

/* What a cgroup may be asked for in a direction; without any, nothing is. */
#define MEMBER_ASKS_ANY (MEMBER_QUOTA | MEMBER_QUOTA_DENIES | MEMBER_QUOTAS)
#define MEMBER_ASKS_OUT (MEMBER_LIMIT_OUT | MEMBER_FILTER_OUT | MEMBER_ASKS_ANY)
#define MEMBER_ASKS_IN	(MEMBER_LIMIT_IN | MEMBER_FILTER_IN | MEMBER_ASKS_ANY)

/*
 * What programs have to do with at what leaves: all but chains for what
 * arrives, which see nothing of it.  Sockets are told and lifted there.
 */
#define MEMBER_LEAVES (MEMBER_LASTING | MEMBER_FILTER_OUT)

/*
 * What is known of a cgroup: the groups it is in, from the root down.  Made
 * by BPF from the cgroup's path when its first packet of a generation
 * passes; a cache that may be lost.  Key: the cgroup's id.
 */
struct member {
	__u64 cgroup;	  /* the key again: an LRU map may reuse an element */
	__u32 generation; /* that this was made for */
	__u32 count;
	__u32 flags; /* MEMBER_* */
	/* Of the deepest group that looks at states: its flow_share. */
	__u32 share;
	struct member_scope scopes[SCOPES_MAX];
};

/* No policy's generation: to be made again. Its lowest bit is that of the slot.
 */
#define MEMBER_FORGOTTEN 0xfffffffeU

/*
 * Where the path of a cgroup is put together: scratch that does not fit on
 * a BPF stack.  Key: a random number that only its maker knows, for as long
 * as that takes; per-processor scratch would be shared with whoever
 * preempts the program.
 */
struct place {
	__u64 kernfs[CGROUP_LEVEL_MAX + 1]; /* addresses, by level */
	__u64 ids[CGROUP_LEVEL_MAX + 1];
	__u32 ends[CGROUP_LEVEL_MAX + 1]; /* length of the path, by level */
	__u32 depth;			  /* of the cgroup; the root has 0 */
	__u32 taken;	   /* a bit by level: no pattern counts there */
	__u32 share_level; /* of the group that member.share is of */
	struct glob_cursor cursor;
	struct member member; /* what was found so far */
	struct account_name name;
	/* The name after the last that counts may reach beyond. */
	char path[GLOB_PATH_MAX + 256];
};

struct scope_key {
	__u64 cgroup; /* id; 0 for a group with share = all */
	__u32 group_uid;
	__u32 pad;
};

/*
 * By what `queued` knows a limit on what arrives: the group's uid and the id of
 * its cgroup, of which the kernel counts the upper half up slowly; where share
 * is all the uid alone, in a form that none of these has.
 */
static inline __u64 queued_key(const struct group_row *group, __u64 cgroup)
{
	__u64 last = 1ULL << 63;

	if (group->share_all)
		return last | group->uid;
	return (cgroup ^ (__u64)group->uid << 32) & ~last;
}

/* What one direction of a scope let through, and did not. */
struct tally {
	__u64 passed_bytes; /* on the wire: with link header, per segment */
	__u64 passed_packets;
	__u64 dropped_bytes; /* above the limit */
	__u64 dropped_packets;
	__u64 denied_packets; /* by a chain */
};

/* A clock that only drops: the bound on what arrives without a queue. */
struct police {
	__u64 next_ns; /* when what was sent so far would be through */
};

/* Sockets that received something of a transfer lately. */
struct window_users {
	__u64 epoch;
	__u32 count; /* in this epoch so far */
	__u32 before;
};

/*
 * The state of a group at one cgroup, or of one of its limits by address.  BPF
 * makes it on first sight and writes it under its lock; user space reads it,
 * and removes those whose cgroup is gone.
 */
struct scope {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct pace out;
	struct police out_police; /* with shaper = police, instead of out */
	struct police in;
	struct window_users in_users;
	struct tally out_tally;
	struct tally in_tally;
};

/*
 * Which generations the programs at an anchor cgroup work for: the anchors
 * of the old and the new policy are both attached while one is switched to
 * the other, and a packet must meet only one of them.  Both inclusive.
 */
struct anchor {
	__u32 first_generation;
	__u32 last_generation;
};

/* What went wrong where nobody can be told: a count each, per processor. */
enum {
	FAULT_MEMBER,	/* a cgroup's groups could not be found out: denied */
	FAULT_TOO_MANY, /* a cgroup in more than SCOPES_MAX groups: denied */
	FAULT_SCOPE,	/* no room for the state of a limit: not limited */
	FAULT_ACCOUNT,	/* no room for an account: no quota holds */
	FAULTS,
};

#endif
