/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matcher in the kernel, for tests: match_test.bpf.c in a network and a
 * mount namespace of the test's own, with a bpffs and an interface t0.
 */
#ifndef WEIR_TESTS_BPF_MATCHER_H
#define WEIR_TESTS_BPF_MATCHER_H

#include <stdbool.h>

#include "cgroup/flow_tables.h"
#include "cgroup/tables.h"
#include "rules/policy.h"
#include "tests/bpf/frame.h"
#include "tests/bpf/match_test.h"
#include "tests/bpf/match_test.skel.h"

/* As in rules/state.bpf.h. */
enum {
	HOOK_OUT = 1 << 0,
	HOOK_DEVICE = 1 << 1,
	HOOK_FRAMED = 1 << 3,
};

/* Where packets are met, each in all its ways. */
#define MATCHER_HOOKS 6
extern const uint32_t matcher_hooks[MATCHER_HOOKS];

/* What match_test.h answers. */
enum {
	PACKET_KEEP = 1 << 7,
	DECIDE_LATER = 3,
	DECIDED_VARIES = 1 << 8,
	DECIDED_STATES = 1 << 9,
};

/* Theirs: to attach, or to look into its maps. */
extern struct match_test_bpf *matcher_programs;

/* All of the answer to the last question. */
extern struct match_answer matcher_answer;

/* Of a group of tests.  These, as all that follows, assert their success. */
int matcher_set_up(void **state);
int matcher_tear_down(void **state);

/* Where its maps are pinned. */
const char *matcher_folder(void);

/* Puts a policy in force, or that of a text. */
void matcher_use(const struct policy *policy);
void matcher_use_text(const char *text);

/* The row of a chain of the image in force. */
uint32_t matcher_chain(const char *name);

struct question {
	uint32_t chain;
	uint32_t hook;	/* HOOK_* */
	uint64_t place; /* of flows; 0: states are not looked for */
	uint32_t share; /* 0: MATCHER_SHARE */
	bool windows;
};

/* The table of flows that is there without a policy; room for 1024. */
#define MATCHER_SHARE (FLOW_SHARE_GROUPS - 1)

/* Asks for one packet: the decision, and in *ret_states its PACKET_*. */
int matcher_ask(const struct question *q, const struct frame_spec *spec,
		uint32_t *ret_states);
int matcher_ask_text(const struct question *q, const char *text,
		     uint32_t *ret_states);

/* Counters of a rule, by its number, or of the policy: 0. */
struct counter matcher_count(uint32_t chain, uint32_t number);

/* The number of a counter: of a rule, by its number, or of the policy: 0. */
uint32_t matcher_counter(uint32_t chain, uint32_t number);

/* Sets what each processor has of a counter lately: recent of its cell. */
void matcher_set_recent(uint32_t chain, uint32_t number, uint64_t recent);

/* Gives a share an empty table with so much room; also with windows. */
void matcher_make_flows(uint32_t share, uint32_t room);
void matcher_make_windows(uint32_t share, uint32_t room);

/* Opens so many flows, whose sources follow that of the first packet. */
void matcher_open_flows(const struct question *q, const char *text, uint32_t n);

/* What is in a table of flows; share 0: MATCHER_SHARE. */
struct flow_figures matcher_figures(uint32_t share);

/* Makes every flow of a share look as if it was quiet for so long. */
void matcher_age(uint32_t share, unsigned int seconds);

/* Forgets all flows of MATCHER_SHARE, and fragments. */
void matcher_forget(void);
size_t matcher_flows(void);
size_t matcher_fragments(void);

#endif
