/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy out of memory: policy_read is a wrapper around the same reader. */
#ifndef WEIR_RULES_POLICY_TEXT_H
#define WEIR_RULES_POLICY_TEXT_H

#include "rules/policy.h"

/*
 * Reads one text as policy_read reads a file.  Problems and where call it
 * name; files of sets are relative to the folder of name.
 */
int policy_read_text(const char *name, const char *text, size_t size,
		     struct problems *problems, struct policy **ret_policy);

#endif
