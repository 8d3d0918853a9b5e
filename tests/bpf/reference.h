/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rule decides a packet, as plainly as it can be said: over the policy
 * as it was read, rule by rule, range by range.  It knows nothing of tables,
 * and of packets what their description says.  Malformed ones and rules with
 * a limit are not its business.
 */
#ifndef WEIR_TESTS_BPF_REFERENCE_H
#define WEIR_TESTS_BPF_REFERENCE_H

#include "rules/policy.h"
#include "tests/bpf/frame.h"

#define REFERENCE_LED_MAX 1024

struct reference {
	const struct policy *policy;
	uint32_t states;   /* STATE_* of the packet */
	uint32_t uid;	   /* of its socket */
	const char *iface; /* that it passes */
	/* Jumps and returns that the last packet was led on by. */
	const struct rule *led[REFERENCE_LED_MAX];
	size_t n_led;
};

/* The rule, or NULL where the chain's policy decides. */
const struct rule *reference_decide(struct reference *reference,
				    const struct chain *chain,
				    const struct frame_spec *packet);

#endif
