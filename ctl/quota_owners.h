/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the accounts of quotas are, of an image with many groups. */
#ifndef WEIR_CTL_QUOTA_OWNERS_H
#define WEIR_CTL_QUOTA_OWNERS_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/quota_abi.h"
#include "rules/image.h"

/* The groups that accounts are those of; not those that have them from one. */
struct quota_owners {
	const struct image *image;
	const struct group_row **by_uid;
	const struct group_row **by_name;
	size_t n;
};

/* Both arrays are allocated, also where it fails: -ENOMEM. */
int quota_owners_list(const struct image *image, struct quota_owners *owners);
void quota_owners_clear(struct quota_owners *owners);

/* Whether the account of a cgroup, or of all, is one of the group's. */
bool quota_owner_has(const struct group_row *group,
		     const struct account_name *name);

/* NULL where there is none. */
const struct group_row *quota_owner_of(const struct quota_owners *owners,
				       const struct account_name *name);
const struct group_row *quota_owner_called(const struct quota_owners *owners,
					   const char *name);

#endif
