/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/group_row.h"

/*
 * A burst that nobody asked for: what the rate lets pass in 10 ms, but no
 * less than a TCP sender's first window.  More would be seen on a meter:
 * 64 KiB is half a second of 1 Mbit/s.
 */
#define BURST_PART 100
#define BURST_MIN  16384

struct limit_row limit_row_make(const struct limit *limit)
{
	struct limit_row row = { 0 };

	if (!limit->rate_bps)
		return row;
	row.rate_bytes = limit->rate_bps / 8;
	if (row.rate_bytes == 0)
		row.rate_bytes = 1;
	row.burst_bytes = limit->burst_bytes;
	if (row.burst_bytes == 0)
		row.burst_bytes = row.rate_bytes / BURST_PART;
	if (limit->burst_bytes == 0 && row.burst_bytes < BURST_MIN)
		row.burst_bytes = BURST_MIN;
	return row;
}

/*
 * The burst of a paced limit that nobody asked for: what the rate passes in
 * 40 ms, but room for a few segments, so that a request need not wait.  Not
 * for a connection's first window of ten: that is an eighth of a second at
 * 1 Mbit/s, and where a crowd begins it is spent when nobody expects it.
 */
static uint64_t pace_burst(uint64_t rate_bytes)
{
	const uint64_t least = 5 * 1514;
	uint64_t burst = rate_bytes / 25;

	return burst < least ? least : burst;
}

/* What has departure times has left its socket. */
static uint8_t shape_out(uint8_t shaper)
{
	return shaper == SHAPER_AUTO || shaper == SHAPER_EDT ? SHAPE_PACE
							     : shaper;
}

/* What arrives was sent already: it takes a queue. */
static uint8_t shape_in(uint8_t shaper)
{
	return shaper == SHAPER_AUTO || shaper == SHAPER_PACE ? SHAPE_HTB
							      : shaper;
}

void group_row_limit_out(struct group_row *row, const struct limit *limit)
{
	row->out = limit_row_make(limit);
	row->shape_out = row->out.rate_bytes ? shape_out(row->shaper) : 0;
	if (row->shape_out == SHAPE_PACE && !limit->burst_bytes)
		row->out.burst_bytes = pace_burst(row->out.rate_bytes);
}

void group_row_limit_in(struct group_row *row, const struct limit *limit)
{
	row->in = limit_row_make(limit);
	row->shape_in = row->in.rate_bytes ? shape_in(row->shaper) : 0;
}

/* What holds when the quota is used up: the slower of the two. */
static struct limit_row after_row(uint64_t after_rate,
				  const struct limit_row *limit)
{
	struct limit after = { .rate_bps = after_rate * 8 };

	if (!after_rate ||
	    (limit->rate_bytes && limit->rate_bytes < after_rate))
		return *limit;
	return limit_row_make(&after);
}

/* To be called whenever a limit has changed. */
static void settle_quota(struct group_row *row)
{
	struct quota_row *quota = &row->quota;

	if (!quota->bytes)
		return;
	quota->after_out = after_row(quota->after_rate, &row->out);
	quota->after_in = after_row(quota->after_rate, &row->in);
	quota->shape_out = row->shaper == SHAPER_POLICE ? SHAPE_POLICE
							: SHAPE_PACE;
	if (quota->after_rate && quota->shape_out == SHAPE_PACE &&
	    quota->after_out.rate_bytes == quota->after_rate)
		quota->after_out.burst_bytes = pace_burst(quota->after_rate);
}

void group_row_quota(struct group_row *row, const struct quota *quota)
{
	row->quota = (struct quota_row){ 0 };
	if (!quota->bytes)
		return;
	row->quota.bytes = quota->bytes;
	row->quota.after_rate = quota->after_bps / 8;
	row->quota.uid = row->uid;
	row->quota.period = quota->period;
	row->quota.counts = quota->counts ? quota->counts
					  : QUOTA_OUT | QUOTA_IN;
	row->quota.all = row->share_all;
	settle_quota(row);
}

void peer_row_limit_out(struct peer_row *row, const struct group_row *like,
			const struct limit *limit)
{
	struct group_row group = { .shaper = like->shaper };

	group_row_limit_out(&group, limit);
	row->limit = group.out;
	row->shape = group.shape_out;
}

void peer_row_limit_in(struct peer_row *row, const struct limit *limit)
{
	row->limit = limit_row_make(limit);
	row->shape = row->limit.rate_bytes ? SHAPE_POLICE : SHAPE_NONE;
}

/* The burst that the policy names; 0 where it is `usual`, of the rate. */
static uint64_t burst_named(const struct limit_row *limit,
			    const struct limit_row *usual)
{
	return limit->burst_bytes == usual->burst_bytes ? 0
							: limit->burst_bytes;
}

void group_row_change_out(struct group_row *row, uint64_t rate_bps)
{
	struct limit was = { .rate_bps = row->out.rate_bytes * 8 };
	struct limit limit = { .rate_bps = rate_bps };
	struct group_row usual = { .shaper = row->shaper };

	group_row_limit_out(&usual, &was);
	limit.burst_bytes = burst_named(&row->out, &usual.out);
	group_row_limit_out(row, &limit);
	settle_quota(row);
}

void group_row_change_in(struct group_row *row, uint64_t rate_bps)
{
	struct limit was = { .rate_bps = row->in.rate_bytes * 8 };
	struct limit limit = { .rate_bps = rate_bps };
	struct group_row usual = { .shaper = row->shaper };

	group_row_limit_in(&usual, &was);
	limit.burst_bytes = burst_named(&row->in, &usual.in);
	group_row_limit_in(row, &limit);
	settle_quota(row);
}

const char *group_misfit(enum shaper shaper, bool has_in, bool has_out,
			 bool by_source)
{
	if (shaper == SHAPER_HTB && has_out)
		return "'htb' cannot hold what a group sends";
	if (shaper == SHAPER_EDT && has_out && !has_in)
		return "'edt' cannot hold what a group sends";
	if (shaper == SHAPER_HTB && by_source)
		return "'htb' is one queue, and limits by source wait in none";
	if (shaper == SHAPER_EDT && by_source)
		return "'edt' is one queue, and limits by source wait in none";
	if (shaper == SHAPER_PACE && has_in && !has_out)
		return "'pace' cannot hold what a group receives";
	return NULL;
}

int group_row_check(const struct group_row *row, const char *name,
		    struct err *why)
{
	const char *misfit = group_misfit(
		row->shaper, row->in.rate_bytes || row->in_from.count,
		row->out.rate_bytes || row->out_to.count, row->in_from.count);

	if (!misfit)
		return 0;
	return err_say(why, -EINVAL, "group '%s': %s (try shaper = auto)", name,
		       misfit);
}

uint8_t device_row_shape(enum shaper shaper, const struct limit_row *out)
{
	if (!out->rate_bytes)
		return SHAPE_NONE;
	return shaper == SHAPER_EDT ? SHAPE_EDT : SHAPE_HTB;
}

const char *device_misfit(enum shaper shaper, bool has_in, bool has_out)
{
	if (shaper == SHAPER_EDT && has_in && !has_out)
		return "'edt' cannot hold what arrives at a device";
	return NULL;
}

uint32_t group_row_hash(const char *name)
{
	uint32_t hash = 2166136261U;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619U;
	return hash;
}
