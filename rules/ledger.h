/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: what was used of quotas, as the text that outlives a boot.
 *
 *	weir-quotas 1
 *	PERIOD BEGIN USED GROUP PATH	BEGIN in seconds since 1970, USED in
 *	…				bytes; PATH, the rest, is * for all
 *	end LINES CHECKSUM		of all before it: FNV-1a, 64 bits
 */
#ifndef WEIR_RULES_LEDGER_H
#define WEIR_RULES_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/calendar_abi.h"
#include "rules/label.h"

#define LEDGER_SIZE_MAX	   (64U << 20)
#define LEDGER_ENTRIES_MAX 65536
#define LEDGER_PATH_MAX	   504

/*
 * BEGIN, in seconds: a first period may have begun before 1970, and no clock
 * can be set to beyond 2232.  As nanoseconds, and less an uptime, these fit
 * into 63 bits.  What an entry has beyond is written as the nearest of them.
 */
#define LEDGER_BEGIN_MIN (-366LL * 86400)
#define LEDGER_BEGIN_MAX 8500000000LL

struct ledger_entry {
	enum quota_period period;
	int64_t begin_s;
	uint64_t used_bytes;
	char group[LABEL_MAX + 1];
	char *path; /* "" for all cgroups of the group */
};

struct ledger {
	struct ledger_entry *entries;
	size_t n_entries;
};

void ledger_clear(struct ledger *ledger);

/* Adds a copy; -ENOMEM, or -E2BIG beyond LEDGER_ENTRIES_MAX. */
int ledger_add(struct ledger *ledger, const struct ledger_entry *entry);

/* By group, period and path: the order of ledger_sort. */
int ledger_compare(const struct ledger_entry *a, const struct ledger_entry *b);
void ledger_sort(struct ledger *ledger);

/* -EINVAL, and why says which line is not as it should be; -ENOMEM. */
int ledger_parse(const char *text, size_t size, struct ledger *ret_ledger,
		 struct err *why);

/* The text is allocated; -ENOMEM. */
int ledger_format(const struct ledger *ledger, char **ret_text,
		  size_t *ret_size);

#endif
