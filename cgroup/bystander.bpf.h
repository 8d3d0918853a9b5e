/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups that a policy asks nothing of, in a direction.  Programs are attached
 * above the groups, so most of what they see may be of such cgroups, which are
 * to pay as little as can be: a word tells.
 *
 * It has both the cgroup and the generation, so that whoever reads sees them
 * together without a lock; an id that does not fit is looked up as others are.
 */
#ifndef WEIR_CGROUP_BYSTANDER_BPF_H
#define WEIR_CGROUP_BYSTANDER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/cgroup_abi.h"
#include "rules/state.bpf.h"

/* A power of two: a cgroup has one for each way, which others may have, too. */
#define BYSTANDERS 16384
/* Bits of it in a word; the others are the cgroup's id. */
#define BYSTANDER_GENERATION 30

/* BPF writes and reads.  Index: by the cgroup's id and the way. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BYSTANDERS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} bystanders SEC(".maps");

/* 0: the id does not fit. */
static __always_inline __u64 bystander_word(__u64 cgroup, __u32 generation)
{
	__u64 mask = (1ULL << BYSTANDER_GENERATION) - 1;

	if (cgroup >> (64 - BYSTANDER_GENERATION))
		return 0;
	return cgroup << BYSTANDER_GENERATION | (generation & mask);
}

static __always_inline volatile __u64 *bystander_at(__u64 cgroup, __u32 hook)
{
	__u32 index = (cgroup << 1 | (hook & HOOK_OUT)) & (BYSTANDERS - 1);

	return bpf_map_lookup_elem(&bystanders, &index);
}

/* Whether it is known to be one; hook: HOOK_OUT or 0. */
static __always_inline bool is_bystander(__u64 cgroup, __u32 generation,
					 __u32 hook)
{
	volatile __u64 *at = bystander_at(cgroup, hook);
	__u64 word = bystander_word(cgroup, generation);

	return at && word && *at == word;
}

/*
 * Whether a cgroup that was looked up is one; then that is known from now on.
 * What an LRU map hands out may become another's meanwhile: it is to be that
 * cgroup's still when its flags were read.
 */
static __always_inline bool bystander_note(const struct member *member,
					   __u64 cgroup, __u32 generation,
					   __u32 hook)
{
	const volatile struct member *seen = member;
	__u32 flags = seen->flags;
	volatile __u64 *at;

	if (flags & (hook & HOOK_OUT ? MEMBER_ASKS_OUT : MEMBER_ASKS_IN) ||
	    seen->cgroup != cgroup || seen->generation != generation)
		return false;
	at = bystander_at(cgroup, hook);
	if (at)
		*at = bystander_word(cgroup, generation);
	return true;
}

#endif
