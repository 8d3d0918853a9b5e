/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accounts of quotas in the kernel, seen from user space. */
#ifndef WEIR_CGROUP_ACCOUNTS_H
#define WEIR_CGROUP_ACCOUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroup/quota_abi.h"

struct accounts {
	int ids; /* the map's descriptor, likewise below */
	int accounts;
	int calendars;
	int state;
};

#define ACCOUNTS_NONE ((struct accounts){ -1, -1, -1, -1 })

/* Maps that are not there, as another version had none, are -1. */
int accounts_open(const char *dir, struct accounts *ret_accounts,
		  struct err *err);
void accounts_close(struct accounts *accounts);

struct account_entry {
	struct account_name name;
	uint64_t id;
	uint64_t used_bytes;
	int64_t period_s;
};

struct account_list {
	struct account_entry *list;
	size_t n_list;
};

void account_list_clear(struct account_list *list);

/* All there are; those that come or go meanwhile may be missing. */
int accounts_read(const struct accounts *accounts,
		  struct account_list *ret_list, struct err *err);

/* -ENOENT, without a sentence, where there is none of that name. */
int accounts_find(const struct accounts *accounts,
		  const struct account_name *name,
		  struct account_entry *ret_entry, struct err *err);

/* A new one, unless there is one of that name. */
int accounts_add(const struct accounts *accounts,
		 const struct account_name *name, uint64_t used_bytes,
		 int64_t period_s, struct err *err);

/* Says of an account that nothing has passed in a period. */
int accounts_reset(const struct accounts *accounts, uint64_t id,
		   int64_t period_s, struct err *err);

void accounts_remove(const struct accounts *accounts,
		     const struct account_entry *entry);

/* uid, kind of period and path, "" for all cgroups; -ENAMETOOLONG. */
int account_name_make(uint32_t group_uid, uint32_t period, const char *path,
		      struct account_name *ret_name);

/*
 * Sees to it that the calendars of these kinds (bits) hold: where there are
 * none, where the clock or the time zone was set, and once a week.
 */
int accounts_set_calendars(const struct accounts *accounts, uint32_t kinds,
			   struct err *err);

/*
 * The period of a kind that goes on now, or the one that began at begin_s if
 * that is a later one; *ret_end_s is when it ends, of CLOCK_REALTIME.  -ENOENT,
 * without a sentence, where there is no calendar of the kind.
 */
int accounts_period(const struct accounts *accounts, uint32_t kind,
		    int64_t begin_s, struct calendar_period *ret_period,
		    int64_t *ret_end_s, struct err *err);

/* The one that goes on now, of a kind that no calendar need be there for. */
void accounts_period_now(uint32_t kind, struct calendar_period *ret_period);

#endif
