/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a group or device asks of its table of flows: rules/flow_abi.h. */
#ifndef WEIR_RULES_FLOW_ROOM_H
#define WEIR_RULES_FLOW_ROOM_H

#include <stdint.h>

#include "base/err.h"
#include "rules/image.h"
#include "rules/policy.h"
#include "rules/terms.h"

/* A flow is looked at once in two seconds at the latest. */
#define FLOW_SECONDS_MIN 5
#define FLOW_SECONDS_MAX (30 * 86400)

/* The names of enum flow_time. */
extern const struct term flow_time_terms[];

/*
 * "udp 10s, tcp-established 2h": into the seconds of those that are named.
 * -EINVAL, and why says what would do; -ENOMEM.
 */
int flow_times_parse(const char *value, uint32_t seconds[static FLOW_TIMES],
		     struct err *why);

/* As a row has it. */
struct flow_room flow_room_make(const struct flows_asked *asked);

/* How long a flow of that kind is kept: as asked for, or the default. */
uint32_t flow_room_seconds(const struct flow_room *room, enum flow_time time);

/* Which shares of groups have been given away: a byte each. */
struct flow_shares {
	uint8_t used[FLOW_SHARES];
	uint32_t next; /* where to look for a free one; 0: at the first */
};

/* live may be NULL. */
void flow_shares_begin(const struct image *live, struct flow_shares *shares);

/* One that nobody has, to have; 0 where there is none. */
uint32_t flow_shares_take(struct flow_shares *shares);

/* Gives a row that looks at states one, if it has none.  -ENOMEM, -ENOSPC. */
int flow_share_ensure(const struct image *image, const struct image *live,
		      struct group_row *row, struct err *err);

#endif
