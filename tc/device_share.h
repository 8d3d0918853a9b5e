/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classes of those who share a device's limit, below its class; how a
 * packet is dealt to them is in tc/share.bpf.h.
 *
 * Who shares it changes with every cgroup that comes and goes.  Then classes
 * are added and what each has for sure is changed in place: no time between has
 * more for sure than the limit, nor less for anybody than he asked for.
 */
#ifndef WEIR_TC_DEVICE_SHARE_H
#define WEIR_TC_DEVICE_SHARE_H

#include "base/cleanup.h"
#include "rules/image.h"
#include "tc/device.h"

/* Of one share: its class, and what its lanes have. */
struct class_share {
	uint32_t number;
	uint32_t prio, quantum;		   /* of its bulk */
	uint64_t sure_bytes, sparse_bytes; /* see rules/share.h */
	uint32_t queue_bytes;
	bool is_cut; /* its packets are, into segments: a turn is shorter */
	struct limit_row ceil; /* its own limit, or that which is shared */
};

struct class_shares {
	struct limit_row limit;	  /* that they share */
	struct class_share *list; /* by number; none: it is shared by flow */
	size_t n_list;
};

/* Bytes a second: of the class above those whose device has no limit. */
#define DEVICE_NO_LIMIT 125000000000ULL

/* What a device's class of a side holds; rate 0: it has none. */
const struct limit_row *device_row_limit(const struct device_row *row,
					 int side);

/* Those of the image for a side of a device. */
int class_shares_of(const struct image *image, uint32_t index, int side,
		    struct class_shares *ret_shares, struct err *err);
void class_shares_clear(struct class_shares *shares);

/* Whether there is one with this number. */
bool class_shares_have(const struct class_shares *shares, uint32_t number);

enum shares_fit {
	SHARES_FIT,    /* each has its class, with just what it is to have */
	SHARES_DIFFER, /* in what they have for sure; or there are too many */
	SHARES_LACK,   /* some have none */
	SHARES_BROKEN, /* somebody else has changed them */
};

/* How the classes of a turn fit, whatever their limit's own class is. */
int device_shares_fit(const struct device *device, int side, int turn,
		      const struct class_shares *shares,
		      enum shares_fit *ret_fit, struct err *err);

/* What the class of a share has sent, and its lanes dropped and let wait. */
void device_share_stats(const struct classes *classes, int turn,
			uint32_t number, struct queue_stats *ret_stats);

/* The limit's class and all below it, of a turn that has none yet. */
int device_make_shares(const struct device *device, int side, int turn,
		       const struct class_shares *shares, struct err *err);

/* Those that lack, with nothing for sure yet; no packet meets them. */
int device_add_shares(const struct device *device, int side, int turn,
		      const struct class_shares *shares, struct err *err);

/* Removes those that are not of these, and gives each what it has for sure. */
int device_fit_shares(const struct device *device, int side, int turn,
		      const struct class_shares *shares, struct err *err);

#endif
