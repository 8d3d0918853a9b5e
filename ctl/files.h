/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy files that a command was given, or the usual ones. */
#ifndef WEIR_CTL_FILES_H
#define WEIR_CTL_FILES_H

#include "ctl/command.h"
#include "rules/policy.h"

/*
 * Reads and checks the policy.  Says what is wrong with it; returns
 * EXIT_DONE with *ret_policy, or what to exit with.
 */
int files_read(const struct call *call, struct policy **ret_policy);

/* Prints problems on standard error; returns EXIT_USAGE. */
int files_refuse(struct problems *problems);

#endif
