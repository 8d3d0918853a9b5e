/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What test_edt.c asks edt_test.bpf.c, and what that says. */
#ifndef WEIR_TESTS_BPF_EDT_TEST_H
#define WEIR_TESTS_BPF_EDT_TEST_H

#include <linux/types.h>

#include "tc/edt_clock.bpf.h"

struct edt_world {
	struct limit_row limit;
	__u64 now;
	__u32 lane, bytes;
	__u64 at; /* or EDT_DROP */
	struct edt_clock clock;
};

#endif
