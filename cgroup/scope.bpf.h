/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a group at one cgroup: made when its first packet passes.
 */
#ifndef WEIR_CGROUP_SCOPE_BPF_H
#define WEIR_CGROUP_SCOPE_BPF_H

#include "cgroup/member.bpf.h"

#define SCOPE_ENTRIES 262144

/*
 * BPF makes and writes, user space reads, and removes what has no cgroup any
 * more.  Without preallocation: most machines have a few of them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SCOPE_ENTRIES);
	__type(key, struct scope_key);
	__type(value, struct scope);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} scopes SEC(".maps");

/* A scope as bytes: a lock may not be handed to a helper as a value. */
struct new_scope {
	__u8 bytes[sizeof(struct scope)];
};

/* Nobody writes: an element of zeroes to begin with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct new_scope);
} new_scopes SEC(".maps");

/*
 * User space writes, BPF reads: the `in` limits that have a queue, so that they
 * need not be policed.  Key: see queued_key.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} queued SEC(".maps");

/* Where there is none yet; returns 0.  Global, as it is seldom wanted. */
__noinline int scope_make(__u64 cgroup, __u32 group_uid)
{
	struct scope_key key = { .cgroup = cgroup, .group_uid = group_uid };
	struct new_scope *zeroes;
	__u32 zero = 0;

	zeroes = bpf_map_lookup_elem(&new_scopes, &zero);
	if (zeroes)
		bpf_map_update_elem(&scopes, &key, zeroes, BPF_NOEXIST);
	return 0;
}

/* cgroup: 0 where all of the group's share it. */
static __always_inline struct scope *scope_at(__u32 uid, __u64 cgroup)
{
	struct scope_key key = { .cgroup = cgroup, .group_uid = uid };
	struct scope *scope = bpf_map_lookup_elem(&scopes, &key);

	if (scope)
		return scope;
	scope_make(key.cgroup, key.group_uid);
	scope = bpf_map_lookup_elem(&scopes, &key);
	if (!scope)
		fault(FAULT_SCOPE);
	return scope;
}

static __always_inline struct scope *scope_get(const struct group_row *group,
					       __u64 cgroup)
{
	return scope_at(group->uid, group->share_all ? 0 : cgroup);
}

#endif
