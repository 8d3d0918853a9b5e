/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy files that a command was given, or the usual ones. */
#ifndef WEIR_CTL_FILES_H
#define WEIR_CTL_FILES_H

#include "ctl/command.h"
#include "rules/image.h"

/* A policy as it was read; rules/policy.h says what it is. */
struct policy;

/*
 * Reads and checks the policy.  Says what is wrong with it; returns
 * EXIT_DONE with *ret_policy, or what to exit with.
 */
int files_read(const struct call *call, struct policy **ret_policy);

/*
 * Compiles it.  Says what does not fit; returns EXIT_DONE with *ret_image,
 * or what to exit with.  live: what is in force, or NULL.
 */
int files_compile(const struct policy *policy, const struct image *live,
		  struct image **ret_image);

/* Says what of it is hardly meant; whatever that is, nothing is stopped. */
void files_warn(const struct policy *policy);

void files_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, files_free);

#endif
