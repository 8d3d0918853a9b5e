/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who shares the limits of devices: the cgroups that groups match now. */
#ifndef WEIR_CTL_SHARES_H
#define WEIR_CTL_SHARES_H

#include "cgroup/find.h"
#include "rules/image.h"

/*
 * Fills the table of shares into image, and the devices' levels; live: whose
 * numbers stay.  Of cgroups beyond SHARES_MAX at a device none has a share.
 */
int shares_fill(struct image *image, const struct image *live,
		const struct found_cgroups *found, struct err *err);

/*
 * Says by name whose out-min are more than a device has, -ERANGE; 0 where they
 * are not.  In force each then has as much of it as there is.
 */
int shares_check(const struct image *image, struct err *err);

/*
 * The rows that tell the programs of cgroups whose own limits are held by their
 * classes at this device, whose ifindex is known now.
 */
int shares_add_waits(struct image *image, const struct found_cgroups *found,
		     uint32_t device, struct err *err);

/* Whether all that have a share in both ask for the same in both. */
bool shares_ask_same(const struct image *image, const struct image *live,
		     uint32_t device, int side);

#endif
