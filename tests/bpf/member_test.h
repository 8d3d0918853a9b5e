/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WEIR_TESTS_BPF_MEMBER_TEST_H
#define WEIR_TESTS_BPF_MEMBER_TEST_H

#define MEMBER_PLACE 1 /* the key of the place */

enum { /* what the program returns */
	MEMBER_FOUND = 1,
	MEMBER_FAULT = 2,
};

#endif
