/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to find the first rule that fits a packet, in plain C, to be compared
 * by classifiers.c.  Each is as its inventors describe it, without what only
 * user space can have (vector instructions, prefetching).
 */
#ifndef WEIR_TESTS_BENCH_RULES_RIVAL_H
#define WEIR_TESTS_BENCH_RULES_RIVAL_H

#include "tests/bench-rules/ruleset.h"

#define RIVAL_NONE UINT32_MAX

/* More is not built: NULL from build, with what it would take in *bytes. */
#define RIVAL_BYTES_MAX (1ULL << 30)

struct rival {
	const char *name;
	void *(*build)(const struct ruleset *set, uint64_t *bytes);
	/* The index of the rule, or RIVAL_NONE. */
	uint32_t (*find)(const void *built,
			 const struct ruleset_packet *packet);
	void (*free)(void *built);
};

extern const struct rival rival_bits, rival_tuples, rival_tree, rival_weir;

#endif
