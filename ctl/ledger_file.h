/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that a ledger is kept in. */
#ifndef WEIR_CTL_LEDGER_FILE_H
#define WEIR_CTL_LEDGER_FILE_H

#include "base/err.h"
#include "rules/ledger.h"

/*
 * Reads STATE/quotas; an empty ledger where there is no such file.  One that is
 * not as it should be is said, and put aside as quotas.damaged: what it said is
 * lost, and the policy comes into force without it.
 */
int ledger_file_read(const char *state, struct ledger *ret_ledger,
		     struct err *err);

/*
 * Writes it in one step: after a crash there is the file of before or this one.
 * What is there already is not written again; nor is an empty one where there
 * is none.
 */
int ledger_file_write(const char *state, const struct ledger *ledger,
		      struct err *err);

#endif
