/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies with paced sockets, and the options that pace them. */
#ifndef WEIR_CGROUP_SOCKETS_BPF_H
#define WEIR_CGROUP_SOCKETS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/pace_abi.h"

/* Of the kernel's, by value: the system's headers for BPF lack them. */
#define PACE_SOL_SOCKET	  1
#define PACE_SO_RATE	  47 /* SO_MAX_PACING_RATE */
#define PACE_SOL_TCP	  6
#define PACE_SO_IW	  1001 /* TCP_BPF_IW */
#define PACE_SO_CLAMP	  1002 /* TCP_BPF_SNDCWND_CLAMP */
#define PACE_SO_UNLIMITED 0xffffffffU

/*
 * Segments: no clamp, in effect.  The option sets the slow start threshold,
 * too, and this is TCP's own for "none": any other would be the window of a
 * connection that leaves a congestion.
 */
#define PACE_UNCLAMPED 0x7fffffff

/* group_out writes, group_sockops reads and writes, lift_pacing deletes. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pace_sock);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sockets SEC(".maps");

#endif
