/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When watch has to write the ledger: as soon as half a percent of some quota
 * was used since it did, and once a minute if anything was.
 */
#ifndef WEIR_CTL_QUOTA_WATCH_H
#define WEIR_CTL_QUOTA_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/kernel.h"

/* Of one account. */
struct watched_account {
	uint64_t id;
	uint64_t seen;	  /* used, when it was looked at last */
	uint64_t written; /* … when the ledger was */
};

/* A quota, by what its accounts have in their names. */
struct watched_quota {
	uint32_t uid, period;
	uint64_t bytes;
};

struct quota_watch {
	struct watched_account *accounts; /* by id */
	size_t n_accounts;
	struct watched_quota *quotas;
	size_t n_quotas;
	int64_t written_ms;    /* CLOCK_MONOTONIC */
	int64_t rest_until_ms; /* likewise: no look before that */
	bool due;
	int look_ms; /* how soon to look again; -1: there is no quota */
};

void quota_watch_clear(struct quota_watch *watch);

/* Which quotas there are, of the policy in force. */
int quota_watch_learn(struct quota_watch *watch, const struct image *image,
		      struct err *err);

/*
 * Looks at all accounts, below dir, unless the last look took so long that it
 * is to rest, and sets due and look_ms.
 */
int quota_watch_look(struct quota_watch *watch, const char *dir,
		     struct err *err);

/*
 * Of many accounts a look takes long, and all looks no more than a twentieth of
 * a processor: what one that began and ended then leads to, and whether it is
 * time to rest, for look_ms.
 */
void quota_watch_took(struct quota_watch *watch, int64_t began_ms,
		      int64_t ended_ms);
bool quota_watch_rests(struct quota_watch *watch, int64_t now_ms);

/* The ledger was written since the last look. */
void quota_watch_written(struct quota_watch *watch);

#endif
