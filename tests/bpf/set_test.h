/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What set_test.bpf.c is asked. */
#ifndef WEIR_TESTS_BPF_SET_TEST_H
#define WEIR_TESTS_BPF_SET_TEST_H

#include <linux/types.h>

struct set_query {
	__u64 high, low; /* of IPv4 as ::ffff:a.b.c.d */
	__u32 set;	 /* NONE: nothing is looked up */
	__u32 found;
	__u32 port; /* beside the address */
	__u32 pad;
};

#endif
