/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy says that is no error, but hardly meant. */
#ifndef WEIR_RULES_WARN_H
#define WEIR_RULES_WARN_H

#include "rules/policy.h"

/*
 * Adds a warning for each rule that can never match: because one above it takes
 * all of it, because what it asks for contradicts itself, because its sets are
 * empty.  policy: as policy_read gave it.  -ENOMEM.
 */
int policy_warn(const struct policy *policy, struct problems *warnings);

/*
 * Adds a warning for each chain that is some group's filter-in and rejects: for
 * a kernel where no answer can be sent from there.  As above.
 */
void policy_warn_unanswered(const struct policy *policy,
			    struct problems *warnings);

/* contradiction.c: why no packet can match, or NULL. */
const char *rule_contradiction(const struct rule *rule);

#endif
