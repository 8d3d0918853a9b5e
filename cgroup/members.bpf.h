/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which groups cgroups are in, as far as that is known: cgroup/member.bpf.h. */
#ifndef WEIR_CGROUP_MEMBERS_BPF_H
#define WEIR_CGROUP_MEMBERS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/cgroup_abi.h"

/* BPF writes and reads; clear takes it away.  Key: cgroup id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct member);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} members SEC(".maps");

#endif
