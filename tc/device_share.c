/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/device_share.h"

#include <linux/if_ether.h>
#include <string.h>

#include "base/crash.h"
#include "tc/device_parts.h"

static uint64_t at_least_one(uint64_t rate_bytes)
{
	return rate_bytes ? rate_bytes : 1;
}

/*
 * The class of a part of a share.  What goes through either lane is charged to
 * the whole, from which bulk may have what it is sure of and sparse did not
 * use.
 */
static struct htb_rate part_rate(const struct class_share *share, int part)
{
	struct htb_rate rate = {
		.rate_bytes = at_least_one(share->sure_bytes),
		.ceil_bytes = share->ceil.rate_bytes,
		.ceil_burst_bytes = share->ceil.burst_bytes,
	};

	if (part == SHARE_SPARSE) {
		rate.rate_bytes = at_least_one(share->sparse_bytes);
		rate.ceil_bytes = rate.rate_bytes;
		rate.burst_bytes = SHARE_SPARSE_BURST(rate.rate_bytes);
		rate.ceil_burst_bytes = rate.burst_bytes;
	}
	if (part == SHARE_BULK) {
		rate.rate_bytes =
			at_least_one(share->sure_bytes - share->sure_bytes / 4);
		rate.prio = share->prio;
		rate.quantum = share->quantum;
	}
	return rate;
}

/* ------------------------------------------------------------- as it is */

static uint32_t parent_of(const struct device *device,
			  const struct class_share *share, int part, int turn)
{
	return part == SHARE_WHOLE
		       ? DEVICE_CLASS(device->index, turn)
		       : SHARE_CLASS(share->number, SHARE_WHOLE, turn);
}

static enum shares_fit part_fit(const struct device *device,
				const struct classes *classes, int turn,
				const struct class_share *share, int part)
{
	uint32_t id = SHARE_CLASS(share->number, part, turn);
	const struct class *class = classes_find(classes, id);
	struct htb_rate rate = part_rate(share, part);

	if (!class)
		return SHARES_LACK;
	if (class->parent != parent_of(device, share, part, turn) ||
	    strcmp(class->kind, "htb") != 0)
		return SHARES_BROKEN;
	if (part != SHARE_WHOLE && class->leaf != device_leaf_handle(id))
		return SHARES_LACK;
	/* The queue below it is of another kind: all are made anew. */
	if (part == SHARE_BULK &&
	    share->is_cut != (class->quantum < class_quantum(1)))
		return SHARES_BROKEN;
	return class_has_rate(class, &rate) ? SHARES_FIT : SHARES_DIFFER;
}

/* The worst of its parts. */
static enum shares_fit share_fit(const struct device *device,
				 const struct classes *classes, int turn,
				 const struct class_share *share)
{
	enum shares_fit fit = SHARES_FIT;
	int part;

	for (part = SHARE_WHOLE; part < SHARE_PARTS; part++) {
		enum shares_fit of_part =
			part_fit(device, classes, turn, share, part);

		if (of_part > fit)
			fit = of_part;
	}
	return fit;
}

static bool is_left(const struct class *class, int turn,
		    const struct class_shares *shares)
{
	return device_is_share(class->id, turn) &&
	       !class_shares_have(shares, SHARE_NUMBER(class->id));
}

int device_shares_fit(const struct device *device, int side, int turn,
		      const struct class_shares *shares,
		      enum shares_fit *ret_fit, struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	enum shares_fit fit = SHARES_FIT;
	struct link link;
	size_t i;
	int r;

	r = device_class_place(device, side, &link, err);
	if (r == 0)
		r = classes_read(device->view->conn, &link, &classes, err);
	if (r < 0)
		return r;
	for (i = 0; i < classes.n_list; i++)
		if (is_left(&classes.list[i], turn, shares))
			fit = SHARES_DIFFER;
	for (i = 0; i < shares->n_list; i++) {
		enum shares_fit of_one =
			share_fit(device, &classes, turn, &shares->list[i]);

		if (of_one > fit)
			fit = of_one;
	}
	*ret_fit = fit;
	return 0;
}

void device_share_stats(const struct classes *classes, int turn,
			uint32_t number, struct queue_stats *ret_stats)
{
	struct queue_stats stats = { 0 };
	int part;

	for (part = SHARE_WHOLE; part < SHARE_PARTS; part++) {
		const struct class *class =
			classes_find(classes, SHARE_CLASS(number, part, turn));

		if (class && part == SHARE_WHOLE) {
			stats.bytes = class->stats.bytes;
			stats.packets = class->stats.packets;
		} else if (class) {
			stats.drops += class->stats.drops;
			stats.queued += class->stats.queued;
			stats.backlog_bytes += class->stats.backlog_bytes;
		}
	}
	*ret_stats = stats;
}

/* --------------------------------------------------------------- making */

/* The classes of a share without their queues: those there are change. */
static int put_share(const struct device *device, const struct link *link,
		     int turn, const struct class_share *share, struct err *err)
{
	int part, r = 0;

	for (part = SHARE_WHOLE; r == 0 && part < SHARE_PARTS; part++) {
		struct htb_rate rate = part_rate(share, part);

		r = class_ensure_htb(device->view->conn, link,
				     SHARE_CLASS(share->number, part, turn),
				     parent_of(device, share, part, turn),
				     &rate, err);
	}
	return r;
}

static int make_queue(const struct device *device, const struct link *link,
		      uint32_t id, const struct class_share *share,
		      struct err *err)
{
	uint32_t cut = link->mtu + ETH_HLEN + 8 /* VLAN */, whole = CUT_TURN;

	if (!share->is_cut)
		return qdisc_ensure_bfifo(device->view->conn, link, id,
					  device_leaf_handle(id),
					  share->queue_bytes, err);
	return qdisc_ensure_cutter(device->view->conn, link, id,
				   device_leaf_handle(id), share->queue_bytes,
				   cut > whole ? cut : whole, err);
}

static int make_share(const struct device *device, const struct link *link,
		      int turn, const struct class_share *share,
		      struct err *err)
{
	int part, r;

	r = put_share(device, link, turn, share, err);
	crash_point();
	for (part = SHARE_SPARSE; r == 0 && part < SHARE_PARTS; part++) {
		uint32_t id = SHARE_CLASS(share->number, part, turn);

		r = make_queue(device, link, id, share, err);
	}
	return r;
}

int device_make_shares(const struct device *device, int side, int turn,
		       const struct class_shares *shares, struct err *err)
{
	struct htb_rate whole = device_class_rate(&shares->limit);
	struct link link;
	size_t i;
	int r;

	r = device_class_place(device, side, &link, err);
	if (r == 0)
		r = class_ensure_htb(device->view->conn, &link,
				     DEVICE_CLASS(device->index, turn),
				     DEVICE_MAJOR, &whole, err);
	for (i = 0; r == 0 && i < shares->n_list; i++) {
		crash_point();
		r = make_share(device, &link, turn, &shares->list[i], err);
	}
	return r;
}

int device_add_shares(const struct device *device, int side, int turn,
		      const struct class_shares *shares, struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	struct link link;
	size_t i;
	int r;

	r = device_class_place(device, side, &link, err);
	if (r == 0)
		r = classes_read(device->view->conn, &link, &classes, err);
	for (i = 0; r == 0 && i < shares->n_list; i++) {
		struct class_share share = shares->list[i];

		if (share_fit(device, &classes, turn, &share) != SHARES_LACK)
			continue;
		share.sure_bytes = share.sparse_bytes = 0;
		r = make_share(device, &link, turn, &share, err);
	}
	return r;
}

/* ------------------------------------------------------------- changing */

/* Lanes first: a class with others below it stays.  Counts what they dropped.
 */
static int remove_left(const struct device *device, const struct link *link,
		       int turn, const struct classes *classes,
		       const struct class_shares *shares,
		       struct queue_stats *lost, struct err *err)
{
	int part, r = 0;
	size_t i;

	for (part = SHARE_BULK; r == 0 && part >= SHARE_WHOLE; part--) {
		for (i = 0; r == 0 && i < classes->n_list; i++) {
			const struct class *class = &classes->list[i];

			if (!is_left(class, turn, shares) ||
			    (int)SHARE_PART(class->id) != part)
				continue;
			if (part != SHARE_WHOLE)
				lost->drops += class->stats.drops;
			crash_point();
			r = class_remove(device->view->conn, link, class->id,
					 err);
		}
	}
	return r;
}

int device_remove_shares(const struct device *device, const struct link *link,
			 int turn, struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	const struct class_shares none = { 0 };
	struct queue_stats lost = { 0 };
	int r;

	r = classes_read(device->view->conn, link, &classes, err);
	if (r < 0)
		return r;
	return remove_left(device, link, turn, &classes, &none, &lost, err);
}

/* Whether its classes have more for sure than they are to have. */
static bool has_more(const struct classes *classes, int turn,
		     const struct class_share *share)
{
	int part;

	for (part = SHARE_SPARSE; part < SHARE_PARTS; part++) {
		const struct class *class = classes_find(
			classes, SHARE_CLASS(share->number, part, turn));
		struct htb_rate rate = part_rate(share, part);

		if (class && class->rate_bytes > rate.rate_bytes)
			return true;
	}
	return false;
}

/* Changes those that are to have less, or those that are to have more. */
static int change(const struct device *device, int turn,
		  const struct link *link, const struct classes *classes,
		  const struct class_shares *shares, bool to_less,
		  struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < shares->n_list; i++) {
		const struct class_share *share = &shares->list[i];

		if (has_more(classes, turn, share) != to_less ||
		    share_fit(device, classes, turn, share) == SHARES_FIT)
			continue;
		crash_point();
		r = put_share(device, link, turn, share, err);
	}
	return r;
}

int device_fit_shares(const struct device *device, int side, int turn,
		      const struct class_shares *shares, struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	struct queue_stats lost = { 0 };
	struct link link;
	int r;

	r = device_class_place(device, side, &link, err);
	if (r == 0)
		r = classes_read(device->view->conn, &link, &classes, err);
	if (r == 0)
		r = remove_left(device, &link, turn, &classes, shares, &lost,
				err);
	if (r == 0 && lost.drops)
		r = device_retire(device, side, &lost, err);
	if (r == 0)
		r = change(device, turn, &link, &classes, shares, true, err);
	if (r == 0)
		r = change(device, turn, &link, &classes, shares, false, err);
	return r;
}
