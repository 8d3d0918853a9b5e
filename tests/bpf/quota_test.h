/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WEIR_TESTS_BPF_QUOTA_TEST_H
#define WEIR_TESTS_BPF_QUOTA_TEST_H

#include "cgroup/quota_abi.h"

/* What a program is asked, and says. */
struct quota_step {
	struct account_name name;
	__u64 id;
	__s64 now_ns;
	__u32 kind;
	__u32 pad;
};

#endif
