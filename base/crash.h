/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the test that kills an apply at every point of it: with WEIR_CRASH_AT=N
 * in the environment, the process kills itself at the N-th call.
 */
#ifndef WEIR_BASE_CRASH_H
#define WEIR_BASE_CRASH_H

void crash_point(void);

#endif
