/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about devices share, for tc/ only. */
#ifndef WEIR_TC_DEVICE_PARTS_H
#define WEIR_TC_DEVICE_PARTS_H

#include "tc/device.h"

/* The ifb of the device with this ifindex. */
void device_ifb_name(uint32_t ifindex, char ret_name[static IFNAMSIZ]);

/* Whether weir made this link: any ifb of ours. */
bool device_is_ifb(const struct link *link);

/* The ifb of the device, where weir has made one. */
bool device_find_ifb(const struct device *device, struct link *ret_ifb);

/* Which root of ours it is; SHAPE_NONE: none. */
uint8_t device_root_shape(const struct qdisc *root);

/* A class with what its lanes have dropped and let wait. */
void device_class_find(const struct classes *classes, uint32_t id,
		       struct device_class *ret_class);

/* A filter, with its clsact; which goes when it is ours and nobody's else. */
int device_put_filter(const struct device *device,
		      const struct filter_want *want, struct err *err);
int device_remove_empty_clsact(const struct device *device, struct err *err);

/* Whether a link is a pool, of whichever instance. */
bool device_is_any_pool(const struct link *link);

/* Fills in the filters that lead to pools; returns how many there are. */
size_t device_keep_waits(const struct filters *filters,
			 struct device_have *have);

/* The filter that sends what is to wait to the ifb; with its clsact. */
int device_ensure_waiting(const struct device *device, const struct link *ifb,
			  struct err *err);
int device_remove_waiting(const struct device *device, struct err *err);

#endif
