/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random policies and packets, by a seed.  Both come from a small world of
 * addresses and ports, so that rules and packets meet often.
 */
#ifndef WEIR_TESTS_BPF_RANDOM_POLICY_H
#define WEIR_TESTS_BPF_RANDOM_POLICY_H

#include "rules/policy.h"
#include "tests/bpf/frame.h"

struct random {
	uint64_t state; /* never 0 */
};

uint32_t random_below(struct random *random, uint32_t n);

/*
 * A policy of a chain, "c", of n_rules rules, perhaps of others that it jumps
 * to, and of some sets; with more also of services and of interfaces.
 */
struct policy *random_policy(struct random *random, size_t n_rules, bool more);

/* A packet that is not malformed. */
void random_packet(struct random *random, struct frame_spec *packet);

#endif
