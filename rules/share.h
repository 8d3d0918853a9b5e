/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each of those who share a limit is sure of.  The rest of the limit goes
 * to who wants more than that: to the highest priority first, and among those
 * of one priority by weight.
 */
#ifndef WEIR_RULES_SHARE_H
#define WEIR_RULES_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/image.h"

#define SHARE_WEIGHT	 10 /* of a group that asks for none */
#define SHARE_WEIGHT_MAX 100

struct share_ask {
	uint32_t weight;    /* never 0 */
	uint32_t rank;	    /* by priority; 0 is first, 2 last */
	uint64_t min_bytes; /* asked for, per second; 0: nothing */
};

/* Bytes a second that it has whatever others send. */
struct share_sure {
	uint64_t all;	 /* what it asked for */
	uint64_t sparse; /* for what is sparse, of that and beside it */
};

/* What a group asks for; that of all others where group is NULL. */
struct share_ask share_of(const struct group_row *group);

/*
 * Each has what it asked for, or where that is more than the limit as much of
 * it as there is; a quarter of that, and by weight a part of half of the limit
 * as far as nobody asked for it, for what is sparse.  With what is then left of
 * `all` for bulk, all of that together is no more than the limit.
 */
void shares_divide(const struct share_ask *asks, struct share_sure *ret_sure,
		   size_t n, uint64_t limit_bytes);

#endif
