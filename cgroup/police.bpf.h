/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bound on what arrives where no queue can hold it: a virtual clock that
 * drops what comes more than the burst too early (the generic cell rate
 * algorithm, ITU-T I.371).  It is a bound, not a good limiter: TCP delivers
 * less than the rate under it.
 */
#ifndef WEIR_CGROUP_POLICE_BPF_H
#define WEIR_CGROUP_POLICE_BPF_H

#include "cgroup/cgroup_abi.h"
#include "cgroup/pace_users.bpf.h"

/* Under the scope's lock.  Whether the packet may pass. */
static __always_inline int police_charge(struct police *police,
					 const struct limit_row *limit,
					 __u32 wire_bytes, __u64 now)
{
	__u64 cost = pace_time(wire_bytes, limit->rate_bytes);
	__u64 burst = pace_time(limit->burst_bytes, limit->rate_bytes);
	__u64 next = police->next_ns > now ? police->next_ns : now;

	if (next > now + burst)
		return 0;
	police->next_ns = next + cost;
	return 1;
}

#endif
