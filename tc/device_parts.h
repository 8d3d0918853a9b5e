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

/* The queue of a lane: its handle, and for how much it is, at its rate. */
uint32_t device_leaf_handle(uint32_t lane_id);
uint32_t device_leaf_bytes(uint64_t rate_bytes);

/*
 * Where a round of those who share a limit would take so long, packets longer
 * than a turn are cut; bytes, and a second.  No MTU is longer as a rule.
 */
#define CUT_TURN      9216U
#define CUT_ROUND_MS  20
#define CUT_RATE_MOST 62500000ULL

/* What the class of a limit has. */
struct htb_rate device_class_rate(const struct limit_row *limit);

/* Where the classes of a side are; -ENODEV where there is no ifb. */
int device_class_place(const struct device *device, int side,
		       struct link *ret_link, struct err *err);

/* Whether a class is one of a share, or of its lanes, of this turn. */
bool device_is_share(uint32_t id, int turn);

/* All of these of a turn; what waits in them is lost. */
int device_remove_shares(const struct device *device, const struct link *link,
			 int turn, struct err *err);

/* Keeps the figures of what is removed. */
int device_retire(const struct device *device, int side,
		  const struct queue_stats *stats, struct err *err);

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
