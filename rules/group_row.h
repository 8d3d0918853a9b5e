/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a group's row says of its limits, whoever asked for them. */
#ifndef WEIR_RULES_GROUP_ROW_H
#define WEIR_RULES_GROUP_ROW_H

#include <stdbool.h>

#include "base/err.h"
#include "rules/image_abi.h"
#include "rules/policy.h"

/* Without a burst it is what the rate lets pass in some milliseconds. */
struct limit_row limit_row_make(const struct limit *limit);

/* Both take the row's shaper into account, which is to be there already. */
void group_row_limit_out(struct group_row *row, const struct limit *limit);
void group_row_limit_in(struct group_row *row, const struct limit *limit);

/* The same for some addresses; like: the group's row. */
void peer_row_limit_out(struct peer_row *row, const struct group_row *like,
			const struct limit *limit);
void peer_row_limit_in(struct peer_row *row, const struct limit *limit);

/*
 * Likewise, behind both limits: what follows a quota is never faster than they.
 */
void group_row_quota(struct group_row *row, const struct quota *quota);

/*
 * Another rate, 0 for none.  A burst that the policy names stays, one that
 * followed from the rate follows the new one.
 */
void group_row_change_out(struct group_row *row, uint64_t rate_bps);
void group_row_change_in(struct group_row *row, uint64_t rate_bps);

/* What a group's shaper cannot do of what is asked for; NULL: it can. */
const char *group_misfit(enum shaper shaper, bool has_in, bool has_out,
			 bool by_source);

/* The same of a row: -EINVAL where it cannot. */
int group_row_check(const struct group_row *row, const char *name,
		    struct err *why);

/* What a device's limit on what leaves is held by, with this shaper. */
uint8_t device_row_shape(enum shaper shaper, const struct limit_row *out);

/* What a device's shaper cannot do of what is asked for; NULL: it can. */
const char *device_misfit(enum shaper shaper, bool has_in, bool has_out);

/* Where to begin looking for a uid for a group of that name. */
uint32_t group_row_hash(const char *name);

#endif
