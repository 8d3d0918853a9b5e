/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rates on the command line. */
#ifndef WEIR_CTL_RATE_H
#define WEIR_CTL_RATE_H

#include <stdint.h>

#include "ctl/command.h"

/*
 * Reads "10mbit", or "none" as 0.  name is what it is the value of.  Returns
 * EXIT_DONE, or says what is wrong with it and returns EXIT_USAGE.
 */
int rate_read(const char *name, const char *text, uint64_t *ret_bps);

#endif
