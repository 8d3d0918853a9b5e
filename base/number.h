/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers out of text, strictly: no sign, no blanks, no rest. */
#ifndef WEIR_BASE_NUMBER_H
#define WEIR_BASE_NUMBER_H

#include <stdint.h>

/*
 * Reads decimal digits at *ptext and moves it behind them.  Returns -EINVAL
 * where there is no digit, -ERANGE above max; outputs are then untouched.
 */
int number_scan(const char **ptext, uint64_t max, uint64_t *ret_value);

/* The whole of text is one decimal number of at most max. */
int number_parse(const char *text, uint64_t max, uint64_t *ret_value);

/* Likewise, but 0x… is hexadecimal. */
int number_parse_any(const char *text, uint64_t max, uint64_t *ret_value);

#endif
