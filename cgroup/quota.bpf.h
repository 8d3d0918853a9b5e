/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quotas: what passes is counted after all verdicts, and whether a quota is
 * used up is asked before them.  So the packet that uses it up still passes.
 * Where nothing can drop a packet but the one quota that it counts in, both are
 * done at once: that halves what it costs.
 */
#ifndef WEIR_CGROUP_QUOTA_BPF_H
#define WEIR_CGROUP_QUOTA_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/filter.bpf.h"
#include "cgroup/member.bpf.h"
#include "rules/address.bpf.h"

/* What is known of the quota of one scope: two bits. */
enum {
	QUOTA_LEFT = 0,
	QUOTA_SPENT = 1,  /* and then there are other limits */
	QUOTA_DENIES = 2, /* and then nothing passes */
};

/* Of all scopes, by their place in the list. */
#define SPENT_AT(spent, nth) ((spent) >> 2 * (nth)&QUOTA_SPENT)
#define SPENT_DENIED	     0xaaaaU

_Static_assert(2 * SCOPES_MAX <= 16, "two bits for each scope");

/* What a packet is, for quota_look: slot, and bits from … */
enum {
	QUOTA_DIRECTION =
		1,	  /* COUNT_*: it passes if the quota is not used up */
	QUOTA_GROUP = 32, /* index of the row */
};

/*
 * Of a group's quota at the cgroup of a member, in the period that goes on.
 * What passes is counted if a direction is said.  Global with numbers, so that
 * the verifier looks at it once.
 */
__noinline int quota_look(__u64 what, __u64 id, __u64 member, __u32 bytes)
{
	const struct group_row *group =
		table_group(what & 1, what >> QUOTA_GROUP);
	struct account *account;
	__u64 jiffies;

	if (!group || !group->quota.bytes || !id)
		return QUOTA_LEFT;
	account = bpf_map_lookup_elem(&accounts, &id);
	if (!account) {
		/* Removed, as its cgroup had gone and came back: look again. */
		member_forget(member);
		return QUOTA_LEFT;
	}
	/* A look at the clock takes as long as all the rest. */
	jiffies = bpf_jiffies64();
	if (account->jiffies != jiffies) {
		account->jiffies = jiffies;
		account_look(id, group->quota.period);
	}
	if (account->used_bytes >= group->quota.bytes)
		return group->quota.after_rate ? QUOTA_SPENT : QUOTA_DENIES;
	if (what >> QUOTA_DIRECTION & group->quota.counts)
		__sync_fetch_and_add(&account->used_bytes, bytes);
	return QUOTA_LEFT;
}

/*
 * For all scopes of a cgroup.  No branch depends on what is found, or the
 * verifier would follow each.
 */
static __always_inline __u32 quota_look_all(const struct member *member,
					    __u32 direction, __u32 bytes)
{
	__u64 what = (member->generation & 1) | direction << QUOTA_DIRECTION;
	__u32 spent = 0, i;

	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];

		spent |= (quota_look(what | (__u64)at->group << QUOTA_GROUP,
				     at->account, member->cgroup, bytes) &
			  3)
			 << 2 * i;
	}
	return spent;
}

/* Counts what was denied; returns 0.  hook: as filter_packet has it. */
__noinline int quota_denied(__u64 cgroup, __u32 spent, __u32 hook,
			    __u32 packets)
{
	const struct member *member = bpf_map_lookup_elem(&members, &cgroup);
	__u32 i;

	if (!member)
		return 0;
	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];

		if (!(spent >> 2 * i & QUOTA_DENIES))
			continue;
		filter_denied(HOW(member->generation & 1, 0, hook), at->group,
			      at->cgroup, packets);
		break;
	}
	return 0;
}

/* One packet that passed; direction: COUNT_*.  Returns 0. */
__noinline int quota_count(__u32 slot, __u32 index, __u64 id, __u64 bytes,
			   __u32 direction)
{
	const struct group_row *group = table_group(slot & 1, index);
	struct account *account;

	if (!id || !group || !(group->quota.counts & direction))
		return 0;
	account = bpf_map_lookup_elem(&accounts, &id);
	if (account)
		__sync_fetch_and_add(&account->used_bytes, bytes);
	return 0;
}

/* For all scopes of a cgroup. */
static __always_inline void quota_count_all(const struct member *member,
					    __u64 bytes, __u32 direction)
{
	__u32 i;

	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];

		quota_count(member->generation, at->group, at->account, bytes,
			    direction);
	}
}

/* Whether a call goes to loopback, which no quota counts or denies. */
static __always_inline bool quota_is_local(struct bpf_sock_addr *ctx,
					   int is_ip6)
{
	union address address = { 0 };

	if (is_ip6) {
		address.words[0] = ctx->user_ip6[0];
		address.words[1] = ctx->user_ip6[1];
		address.words[2] = ctx->user_ip6[2];
		address.words[3] = ctx->user_ip6[3];
	} else {
		address_map(&address, ctx->user_ip4);
	}
	address_settle(&address);
	return address_is_loopback(&address);
}

/* Whether connect() or sendmsg() may go on. */
static __always_inline bool quota_call(struct bpf_sock_addr *ctx,
				       const struct member *member, int is_ip6)
{
	__u32 spent;

	if (!(member->flags & MEMBER_QUOTA_DENIES) ||
	    quota_is_local(ctx, is_ip6))
		return true;
	spent = quota_look_all(member, 0, 0);
	if (!(spent & SPENT_DENIED))
		return true;
	quota_denied(member->cgroup, spent, HOOK_OUT, 1);
	return false;
}

#endif
