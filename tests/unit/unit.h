/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cmocka wants included before it, in its order. */
#ifndef WEIR_TESTS_UNIT_UNIT_H
#define WEIR_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
