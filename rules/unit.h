/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates (bit kbit mbit gbit tbit, kibit mibit gibit), sizes (b kb mb gb, kib
 * mib gib) and volumes (as sizes, and tb tib).  Decimals are taken where they
 * come out exact.
 */
#ifndef WEIR_RULES_UNIT_H
#define WEIR_RULES_UNIT_H

#include <stdint.h>

#include "base/err.h"

#define RATE_MIN_BPS	 1000ULL	     /* 1kbit */
#define RATE_MAX_BPS	 100000000000000ULL  /* 100tbit */
#define SIZE_MAX_BYTES	 1000000000000ULL    /* 1000gb */
#define VOLUME_MAX_BYTES 1000000000000000ULL /* 1000tb */

/* "10mbit", in bits per second.  -EINVAL, and why says what would do. */
int rate_parse(const char *text, uint64_t *ret_bps, struct err *why);

/* "256kb", in bytes, at least 1. */
int size_parse(const char *text, uint64_t *ret_bytes, struct err *why);

/* "100gb", in bytes, at least 1. */
int volume_parse(const char *text, uint64_t *ret_bytes, struct err *why);

#define RATE_TEXT_MAX 32
#define SIZE_TEXT_MAX 32

/* Exact, in the largest unit that needs at most three decimals. */
void rate_format(uint64_t bps, char ret_text[static RATE_TEXT_MAX]);
void size_format(uint64_t bytes, char ret_text[static SIZE_TEXT_MAX]);
void volume_format(uint64_t bytes, char ret_text[static SIZE_TEXT_MAX]);

#endif
