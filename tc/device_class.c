/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classes of a limit: one that holds it, and its lanes. */
#include <time.h>

#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/device_share.h"
#include "tc/mark.h"

/* How long the queue of a lane may be: so long at the limit's rate. */
#define LEAF_MS	       25
#define LEAF_MAX_BYTES (64U << 20)

/* What waits in a class that goes is let out this many times as fast. */
#define DRAIN_SPEED   10
#define DRAIN_MS      250
#define DRAIN_STEP_MS 5

/* DEVICE_MAJOR is none of these. */
uint32_t device_leaf_handle(uint32_t lane_id)
{
	return (lane_id & 0xffff) << 16;
}

uint32_t device_leaf_bytes(uint64_t rate_bytes)
{
	uint64_t bytes = rate_bytes / (1000 / LEAF_MS);
	uint64_t least = lane_queue(rate_bytes);

	if (bytes < least)
		return (uint32_t)least;
	return bytes < LEAF_MAX_BYTES ? (uint32_t)bytes : LEAF_MAX_BYTES;
}

struct htb_rate device_class_rate(const struct limit_row *limit)
{
	return (struct htb_rate){
		.rate_bytes = limit->rate_bytes,
		.burst_bytes = limit->burst_bytes,
		.ceil_burst_bytes = limit->burst_bytes,
	};
}

/*
 * Of a class and n lanes for bulk.  All lanes together have just the rate for
 * sure, so that they never send more than it allows; its burst is any lane's,
 * but as it borrows that, it has it once.
 */
static struct htb_rate lane_rate(const struct htb_rate *rate, uint32_t lane,
				 uint32_t n)
{
	uint64_t part = lane == LANE_SPARSE ? 2 : 2 * n;

	return (struct htb_rate){
		.rate_bytes = rate->rate_bytes > part ? rate->rate_bytes / part
						      : 1,
		.ceil_bytes = rate->rate_bytes,
		.ceil_burst_bytes = rate->ceil_burst_bytes,
	};
}

/* ------------------------------------------------------------- as it is */

static bool lane_is_whole(const struct class *class, const struct class *lane,
			  uint32_t nth)
{
	struct htb_rate rate = { .rate_bytes = class->rate_bytes };

	rate = lane_rate(&rate, nth, lanes_for(class->rate_bytes));
	return lane->parent == class->id &&
	       lane->rate_bytes == rate.rate_bytes &&
	       lane->ceil_bytes == class->ceil_bytes &&
	       lane->ceil_burst_ticks == class->ceil_burst_ticks &&
	       lane->leaf == device_leaf_handle(lane->id);
}

bool device_is_share(uint32_t id, int turn)
{
	return (id & 0xffff0000) == DEVICE_MAJOR && SHARE_CLASS_FITS(id) &&
	       DEVICE_CLASS_TURN(id) == (uint32_t)turn;
}

static void add_waiting(struct queue_stats *sum,
			const struct queue_stats *stats)
{
	sum->drops += stats->drops;
	sum->queued += stats->queued;
	sum->backlog_bytes += stats->backlog_bytes;
}

/* Those of shares, and that a limit that has them has no lanes. */
static void find_shares(const struct classes *classes, int turn,
			struct device_class *found)
{
	size_t i;

	for (i = 0; i < classes->n_list; i++) {
		const struct class *class = &classes->list[i];

		if (!device_is_share(class->id, turn))
			continue;
		found->is_whole = false;
		if (SHARE_PART(class->id) != SHARE_WHOLE)
			add_waiting(&found->class.stats, &class->stats);
	}
}

void device_class_find(const struct classes *classes, uint32_t id,
		       struct device_class *ret_class)
{
	const struct class *class = classes_find(classes, id);
	struct device_class found = { .present = class != NULL };
	uint32_t lane;

	found.is_whole = found.present;
	if (class)
		found.class = *class;
	for (lane = LANE_SPARSE; class && lane < LANES_END; lane++) {
		bool wanted = lane < LANE_BULK + lanes_for(class->rate_bytes);
		const struct class *at =
			classes_find(classes, DEVICE_LANE(id, lane));

		if (wanted && (!at || !lane_is_whole(class, at, lane)))
			found.is_whole = false;
		if (!at)
			continue;
		add_waiting(&found.class.stats, &at->stats);
	}
	if (class)
		find_shares(classes, DEVICE_CLASS_TURN(id), &found);
	*ret_class = found;
}

bool device_class_holds(const struct device_class *class,
			const struct limit_row *limit)
{
	struct htb_rate rate = device_class_rate(limit);

	return class->present && class_has_rate(&class->class, &rate);
}

bool device_class_is(const struct device_class *class,
		     const struct limit_row *limit)
{
	return class->is_whole && device_class_holds(class, limit);
}

static int read_class(const struct device *device, const struct link *link,
		      uint32_t id, struct device_class *ret_class,
		      struct err *err)
{
	struct classes classes = { 0 };
	int r;

	r = classes_read(device->view->conn, link, &classes, err);
	if (r < 0)
		return r;
	device_class_find(&classes, id, ret_class);
	classes_clear(&classes);
	return 0;
}

int device_class_place(const struct device *device, int side,
		       struct link *ret_link, struct err *err)
{
	if (side == SIDE_OUT) {
		*ret_link = device->link;
		return 0;
	}
	if (device_find_ifb(device, ret_link))
		return 0;
	return err_say(err, -ENODEV, "device '%s': it has no ifb of weir's",
		       device->link.name);
}

/* --------------------------------------------------------------- making */

/* The class and n lanes for bulk, without queues: those there are change. */
static int put_classes(const struct device *device, const struct link *link,
		       uint32_t id, const struct htb_rate *rate, uint32_t n,
		       struct err *err)
{
	struct conn *conn = device->view->conn;
	uint32_t lane;
	int r;

	r = class_ensure_htb(conn, link, id, DEVICE_MAJOR, rate, err);
	for (lane = LANE_SPARSE; r == 0 && lane < LANE_BULK + n; lane++) {
		struct htb_rate part = lane_rate(rate, lane, n);

		r = class_ensure_htb(conn, link, DEVICE_LANE(id, lane), id,
				     &part, err);
	}
	return r;
}

int device_ensure_class(const struct device *device, int side, int turn,
			const struct limit_row *limit, struct err *err)
{
	uint32_t id = DEVICE_CLASS(device->index, turn), lane;
	uint32_t n = lanes_for(limit->rate_bytes);
	struct htb_rate rate = device_class_rate(limit);
	struct link link;
	int r;

	r = device_class_place(device, side, &link, err);
	if (r == 0)
		r = put_classes(device, &link, id, &rate, n, err);
	for (lane = LANE_SPARSE; r == 0 && lane < LANE_BULK + n; lane++) {
		uint32_t at = DEVICE_LANE(id, lane);

		r = qdisc_ensure_bfifo(
			device->view->conn, &link, at, device_leaf_handle(at),
			device_leaf_bytes(limit->rate_bytes), err);
	}
	return r;
}

/* ------------------------------------------------------------- removing */

/* Whether it is the class of a limit, or one below that. */
static bool is_of(const struct class *class, uint32_t id)
{
	return (class->id & ~0xf0U) == id ||
	       device_is_share(class->id, DEVICE_CLASS_TURN(id));
}

static int hasten(const struct device *device, const struct link *link,
		  uint32_t id, struct err *err)
{
	CLEANUP(classes_clear) struct classes classes = { 0 };
	struct conn *conn = device->view->conn;
	size_t i;
	int r;

	r = classes_read(conn, link, &classes, err);
	for (i = 0; r == 0 && i < classes.n_list; i++) {
		const struct class *class = &classes.list[i];
		struct htb_rate rate = {
			.rate_bytes = class->rate_bytes * DRAIN_SPEED,
			.ceil_bytes = class->ceil_bytes * DRAIN_SPEED,
			.burst_bytes = LANE_QUEUE,
			.ceil_burst_bytes = LANE_QUEUE,
			.prio = class->prio,
			.quantum = class->quantum,
		};

		if (is_of(class, id))
			r = class_ensure_htb(conn, link, class->id,
					     class->parent, &rate, err);
	}
	return r;
}

/* Lets out what waits in a class, as far as there is time for it. */
static int drain(const struct device *device, const struct link *link,
		 struct device_class *class, struct err *err)
{
	const struct timespec step = { .tv_nsec = DRAIN_STEP_MS * 1000000L };
	uint32_t id = class->class.id;
	int waited, r;

	if (class->class.stats.queued == 0)
		return 0;
	r = hasten(device, link, id, err);
	for (waited = 0; r == 0 && waited < DRAIN_MS; waited += DRAIN_STEP_MS) {
		r = read_class(device, link, id, class, err);
		if (r < 0 || !class->present || class->class.stats.queued == 0)
			return r;
		nanosleep(&step, NULL);
	}
	return r;
}

int device_retire(const struct device *device, int side,
		  const struct queue_stats *stats, struct err *err)
{
	struct device_mark mark;
	int r;

	r = mark_read(device->loader, device->view->id, device->link.ifindex,
		      &mark, err);
	if (r < 0)
		return r;
	mark.index = device->index;
	mark.retired[side].sent.bytes += stats->bytes;
	mark.retired[side].sent.packets += stats->packets;
	mark.retired[side].drops += stats->drops + stats->queued;
	return mark_write(device, &mark, err);
}

static int remove_lanes(const struct device *device, const struct link *link,
			uint32_t id, struct err *err)
{
	uint32_t lane;
	int r;

	r = device_remove_shares(device, link, DEVICE_CLASS_TURN(id), err);
	for (lane = LANE_SPARSE; r == 0 && lane < LANES_END; lane++)
		r = class_remove(device->view->conn, link,
				 DEVICE_LANE(id, lane), err);
	return r;
}

/* A crash between the last steps loses figures of the class. */
int device_remove_class(const struct device *device, int side, int turn,
			struct err *err)
{
	uint32_t id = DEVICE_CLASS(device->index, turn);
	struct device_class class = { 0 };
	struct link link;
	struct err ignored;
	int r;

	if (device_class_place(device, side, &link, &ignored) < 0)
		return 0;
	r = read_class(device, &link, id, &class, err);
	if (r < 0 || !class.present)
		return r;
	r = drain(device, &link, &class, err);
	if (r == -ENODEV || r == -ENOENT)
		return 0;
	if (r < 0 || !class.present)
		return r;
	r = remove_lanes(device, &link, id, err);
	if (r == 0)
		r = class_remove(device->view->conn, &link, id, err);
	if (r < 0)
		return r;
	return device_retire(device, side, &class.class.stats, err);
}
