/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A step of a pace_world by the headers of cgroup/, as cgroup/limit.bpf.h
 * does it.  The same for the kernel's BPF and for the C of the processor,
 * where a division by zero does not go unnoticed.
 */
#ifndef WEIR_TESTS_BPF_PACE_STEP_H
#define WEIR_TESTS_BPF_PACE_STEP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tests/bpf/pace_test.h"

struct pace_world world;

static __always_inline long world_setsockopt(void *ctx, int level, int option,
					     const void *value, int size);

#define bpf_setsockopt world_setsockopt
#include "cgroup/pace.bpf.h"
#undef bpf_setsockopt
#include "cgroup/police.bpf.h"

static __always_inline long world_setsockopt(void *ctx, int level, int option,
					     const void *value, int size)
{
	__u32 at = world.step.sock;
	struct pace_told *told;

	(void)ctx;
	if (at >= PACE_SOCKETS)
		return -1;
	told = &world.told[at];
	told->calls++;
	if (size == 4 && level == PACE_SOL_SOCKET && option == PACE_SO_RATE)
		told->rate = *(const __u32 *)value;
	else if (size == 4 && level == PACE_SOL_TCP && option == PACE_SO_CLAMP)
		told->clamp = *(const __u32 *)value;
	else if (level != PACE_SOL_TCP || option != PACE_SO_IW)
		told->wrong++;
	return 0;
}

int world_charge(__u32 nth);

/* To one scope; global, so that the verifier looks at it once. */
__attribute__((noinline)) int world_charge(__u32 nth)
{
	__u32 at = world.step.sock;
	struct pace_sock *sk = NULL;

	if (nth >= PACE_SCOPES)
		return 0;
	/* Said once more, as clang may have put it on the stack before that. */
	asm volatile("" : "+r"(nth));
	nth &= PACE_SCOPES - 1;
	if (at < PACE_SOCKETS)
		sk = &world.socks[at];
	return pace_charge(&world.scopes[nth], &world.limits[nth], sk, nth,
			   world.step.wire, world.step.payload, world.step.now);
}

static __always_inline void world_packet(void)
{
	__u32 at = world.step.sock, i;
	int passed = 1;

	if (at < PACE_SOCKETS)
		pace_fold_begin(&world.socks[at], world.step.unsent,
				world.step.payload, world.step.now);
	for (i = PACE_SCOPES; i-- > 0 && passed;)
		if (i < world.step.scopes) {
			passed = world_charge(i);
			world.step.dropped = i;
		}
	world.step.passed = passed;
	if (at < PACE_SOCKETS)
		pace_fold_end(&world.socks[at], world.step.wire,
			      passed ? world.step.payload : 0);
}

static __always_inline void world_police(void)
{
	world.step.passed = police_charge(&world.police, &world.limits[0],
					  world.step.wire, world.step.now);
}

/* SO_MAX_PACING_RATE as the kernel has it. */
static __always_inline __u64 world_pacing(__u32 at)
{
	__u32 rate = world.told[at].rate;

	return rate && rate != PACE_SO_UNLIMITED ? rate : PACE_UNLIMITED;
}

/* A callback at an RTT sample. */
static __always_inline void world_hear(void)
{
	__u32 at = world.step.sock;

	if (at >= PACE_SOCKETS)
		return;
	world.ops.srtt_us = world.step.srtt_us << 3;
	pace_socket(&world.ops, &world.socks[at], world_pacing(at));
}

#endif
