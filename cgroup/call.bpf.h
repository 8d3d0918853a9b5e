/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connect() and sendmsg() are asked before there is a packet, so that the
 * program gets its error at once: EPERM, or for `reject` ECONNREFUSED.
 */
#ifndef WEIR_CGROUP_CALL_BPF_H
#define WEIR_CGROUP_CALL_BPF_H

#include "cgroup/filter.bpf.h"
#include "cgroup/monitor_call.bpf.h"
#include "cgroup/quota.bpf.h"
#include "rules/address.bpf.h"

#define REFUSED (-111) /* -ECONNREFUSED */

/* Whether the kernel has the helper: since 5.18. */
enum bpf_func_id___5_18 {
	BPF_FUNC_set_retval___5_18 = 187,
};

static __always_inline void call_refuse(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___5_18,
				       BPF_FUNC_set_retval___5_18))
		bpf_set_retval(REFUSED);
}

/* The id of the socket's cgroup, which is also that of its packets; or 0. */
static __always_inline __u64 call_cgroup(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	__u64 folder;

	if (!sk)
		return 0;
	folder = kernel_cgroup_folder(kernel_address(sk));
	return folder ? kernel_folder_id(folder) : 0;
}

/* Whether the call may go on; its packets are asked again. */
static __always_inline bool filter_call(struct bpf_sock_addr *ctx,
					__u32 generation, int is_ip6,
					__u32 hook)
{
	__u32 slot = generation & 1, i;
	__u64 cgroup = call_cgroup(ctx);
	const struct member *member;

	if (is_bystander(cgroup, generation, HOOK_OUT))
		return true;
	member = cgroup ? member_get(cgroup, ctx->sk, generation) : NULL;
	if (!member)
		return false;
	if (!quota_call(ctx, member, is_ip6))
		return false;
	if (!(member->flags & MEMBER_FILTER_OUT))
		return true;
	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct member_scope *at = &member->scopes[i];
		const struct group_row *group = table_group(slot, at->group);
		__u32 decision;
		__u64 decided;

		if (!group || group->chain_out == NONE)
			continue;
		decided = address_decide(ctx, is_ip6, slot, group->chain_out,
					 hook);
		decision = DECISION(decided);
		if (decision == ROW_ALLOW || decision == DECIDE_LATER)
			continue;
		monitor_call(ctx, is_ip6, HOW(slot, 0, hook),
			     WHOSE(group->uid, generation), decided,
			     member->cgroup);
		filter_denied(HOW(slot, 0, HOOK_OUT), at->group, at->cgroup, 1);
		if (decision == ROW_REJECT)
			call_refuse();
		return false;
	}
	return true;
}

#endif
