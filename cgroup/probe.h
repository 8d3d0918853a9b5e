/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this kernel's BPF can do, found out by loading tiny programs: version
 * numbers say nothing about a distribution's kernel.
 */
#ifndef WEIR_CGROUP_PROBE_H
#define WEIR_CGROUP_PROBE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Whether we may ask the kernel for anything: root may have been left
 * without the capability, in a user namespace or by a filter of system calls.
 */
int probe_allowed(struct err *err);

/* 0, or why not: a negative errno. */
int probe_cgroup_skb(void);
int probe_sockops_setsockopt(void);
int probe_connect(void);
int probe_set_retval(void);
int probe_sched_cls(void);
int probe_departure_times(void);
int probe_xdp(void);
int probe_maps_in_maps(void);
int probe_socket_storage(void);
int probe_ringbuf(void);
int probe_btf(void);
int probe_socket_callbacks(void); /* for sockets that are open: 6.12 */
int probe_icmp_send(void);	  /* bpf_icmp_send at cgroups: 7.3 */

#endif
