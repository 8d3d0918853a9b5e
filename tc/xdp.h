/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that asks a device's first rules before the kernel has seen a
 * packet, where the driver itself runs it.  Nothing depends on it: what it does
 * not drop, device_in denies.  So where it cannot be, that is no failure.
 *
 * It hangs on a link, pinned as DIR/xdp-HASH/INDEX, which goes with its device;
 * the pin stays until it is used again or removed.  It does what the row in
 * force says, so it may be attached before that is.
 */
#ifndef WEIR_TC_XDP_H
#define WEIR_TC_XDP_H

#include "tc/device.h"

#define XDP_WHY_MAX 128

/* Whether ours, for the row of this index, is at the link as that was read. */
int xdp_read(const char *dir, uint32_t index, const struct link *link,
	     bool *ret_attached, struct err *err);

/* Whether the device's row has rules for it, where it may be used. */
bool xdp_is_asked(const struct device_row *row);

/* Whether the driver has refused it: then it is not tried again. */
bool xdp_was_refused(const struct device_have *have);

/*
 * Why it is not to be at a device whose ours is attached or not: in words, ""
 * where nothing is in the way.
 */
void xdp_hindrance(const char *dir, const struct device_row *row,
		   const struct device_have *have, bool attached,
		   char ret_why[static XDP_WHY_MAX]);

/*
 * Attaches it, in the place of what is pinned for that index.  That it cannot
 * be is no error, but marked.
 */
int xdp_attach(const struct device *device, struct err *err);

/* Detaches what is pinned for the index, wherever that is by now. */
int xdp_take_back(const struct device *device, struct err *err);

/*
 * Detaches it from this very device.  What is pinned for its index and at
 * another one stays.
 */
int xdp_detach(const struct device *device, struct err *err);

/* Forgets that the driver has refused it. */
int xdp_forget(const struct device *device, struct err *err);

/* Removes those of other versions of weir, with their pins. */
int xdp_tidy(const char *dir, struct err *err);

#endif
