/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts of quotas over a boot and over changes of the policy: the ledger in
 * the state folder is read before a policy with quotas is in force, and written
 * whenever something may be lost.  An account that lives in the kernel is never
 * written over by what the ledger says of it.
 */
#ifndef WEIR_CTL_QUOTAS_H
#define WEIR_CTL_QUOTAS_H

#include <stdbool.h>

#include "cgroup/find.h"
#include "ctl/kernel.h"

/* Before an image is in force: its calendars, and what was used of its quotas.
 */
int quotas_prepare(const struct kernel *kernel, const struct image *image,
		   struct err *err);

/*
 * When it is in force, `was` before it (or the same): writes the ledger, and
 * removes the accounts that nobody will ask for.
 */
int quotas_settle(const struct kernel *kernel, const struct image *image,
		  const struct image *was, const struct found_cgroups *found,
		  struct err *err);

/* The same where nothing changes: calendars and ledger are brought up to date.
 */
int quotas_refresh(const struct kernel *kernel,
		   const struct found_cgroups *found, struct err *err);

/* The calendars alone. */
int quotas_set_calendars(const struct kernel *kernel, struct err *err);

/* The account of a group's quota at a cgroup; group has a quota. */
int quota_account_name(const struct group_row *group, const char *path,
		       struct account_name *ret_name);

/*
 * Sets accounts of the group to zero: all of them, or with a path the one of
 * that cgroup.
 */
int quotas_reset(const struct kernel *kernel, const struct group_row *group,
		 const char *path, struct err *err);

#endif
