/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between test_match.c and match_test.bpf.c. */
#ifndef WEIR_TESTS_BPF_MATCH_TEST_H
#define WEIR_TESTS_BPF_MATCH_TEST_H

#include <linux/types.h>

struct match_ask {
	__u64 place;
	__u32 chain;
	__u32 hook;    /* HOOK_* */
	__u32 states;  /* whether states are looked for and kept */
	__u32 share;   /* whose table of flows */
	__u32 windows; /* whether TCP's are looked at, too */
	__u32 pad;
};

struct match_answer {
	__u32 decision;
	__u32 states;
	__u32 flags;   /* DECIDED_* */
	__u32 counter; /* that was added to, or NONE */
};

/* Index in `seen`: by direction (0 in, 1 out) and TCP flags. */
#define MATCH_SEEN(out, flags) ((out) << 8 | (flags))

#endif
