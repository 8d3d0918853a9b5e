/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the programs at this anchor work for a generation: the new anchors
 * are attached before the switch and the old ones detached after it, and a
 * packet must meet only those of its own.
 */
#ifndef WEIR_CGROUP_ANCHOR_BPF_H
#define WEIR_CGROUP_ANCHOR_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/cgroup_abi.h"
#include "rules/tables.bpf.h"

/* User space writes, BPF reads.  Key: the cgroup attached to. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct anchor);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} anchors SEC(".maps");

static __always_inline int anchor_is_active(__u32 generation)
{
	const struct anchor *anchor = bpf_get_local_storage(&anchors, 0);

	return generation && anchor->first_generation &&
	       anchor->first_generation <= generation &&
	       generation <= anchor->last_generation;
}

/*
 * Whether the policy, or one before it, asks for any of these (MEMBER_*): else
 * there is nothing to do for anybody.
 */
static __always_inline int policy_asks(__u32 generation, __u32 what)
{
	__u32 slot = generation & 1;
	volatile __u32 *asks = bpf_map_lookup_elem(&asked, &slot);

	return asks && *asks & what;
}

#endif
