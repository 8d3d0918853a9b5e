/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/quotas.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "ctl/ledger_file.h"
#include "ctl/quota_owners.h"
#include "ctl/say.h"

/* A bit for each kind of period that some quota has. */
static uint32_t kinds_of(const struct image *image)
{
	uint32_t kinds = 0;
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (image->groups[i].quota.bytes)
			kinds |= 1U << image->groups[i].quota.period % PERIODS;
	return kinds;
}

int quota_account_name(const struct group_row *group, const char *path,
		       struct account_name *ret_name)
{
	return account_name_make(group->quota.uid, group->quota.period,
				 group->quota.all ? "" : path, ret_name);
}

/* The periods that go on; of a kind that is not known nothing is over. */
struct now {
	struct calendar_period periods[PERIODS];
	bool known[PERIODS];
};

static int read_now(const struct kernel *kernel, struct now *ret_now,
		    struct err *err)
{
	struct now now = { 0 };
	uint32_t kind;
	int64_t end_s;
	int r;

	for (kind = 0; kind < PERIODS; kind++) {
		r = accounts_period(&kernel->accounts, kind, 0,
				    &now.periods[kind], &end_s, err);
		now.known[kind] = r == 0;
		if (r < 0 && r != -ENOENT)
			return r;
	}
	*ret_now = now;
	return 0;
}

/* Entries may be of a kind that no quota in force has, and so no calendar. */
static void know_kinds_of(const struct ledger *ledger, struct now *now)
{
	size_t i;

	for (i = 0; i < ledger->n_entries; i++) {
		enum quota_period kind = ledger->entries[i].period;

		if (now->known[kind])
			continue;
		accounts_period_now(kind, &now->periods[kind]);
		now->known[kind] = true;
	}
}

static bool is_over(const struct now *now, uint32_t kind, int64_t begin_s)
{
	return now->known[kind] &&
	       calendar_is_over(begin_s, &now->periods[kind]);
}

/* ------------------------------------------------- from ledger to kernel */

static int restore(const struct kernel *kernel,
		   const struct quota_owners *owners,
		   const struct ledger_entry *entry, struct err *err)
{
	const struct group_row *group =
		quota_owner_called(owners, entry->group);
	struct account_entry live;
	struct account_name name;
	int r;

	if (!group ||
	    account_name_make(group->uid, entry->period, entry->path, &name) <
		    0 ||
	    !quota_owner_has(group, &name))
		return 0;
	r = accounts_find(&kernel->accounts, &name, &live, err);
	if (r != -ENOENT)
		return r;
	r = accounts_add(&kernel->accounts, &name, entry->used_bytes,
			 entry->begin_s, err);
	/* No room: as for a cgroup that is new, nothing is counted. */
	return r == -E2BIG ? 0 : r;
}

static int restore_all(const struct kernel *kernel, const struct image *image,
		       struct err *err)
{
	CLEANUP(ledger_clear) struct ledger ledger = { 0 };
	CLEANUP(quota_owners_clear) struct quota_owners owners = { 0 };
	struct now now;
	size_t i;
	int r;

	r = read_now(kernel, &now, err);
	if (r == 0 && quota_owners_list(image, &owners) < 0)
		r = err_set(err, -ENOMEM, "list quotas");
	if (r == 0)
		r = ledger_file_read(kernel->places->state, &ledger, err);
	for (i = 0; r == 0 && i < ledger.n_entries; i++) {
		const struct ledger_entry *entry = &ledger.entries[i];

		if (!is_over(&now, entry->period, entry->begin_s))
			r = restore(kernel, &owners, entry, err);
	}
	return r;
}

/* ------------------------------------------------- from kernel to ledger */

/* All accounts whose group is known, also those with nothing used. */
static int list_live(const struct account_list *accounts,
		     const struct quota_owners *is,
		     const struct quota_owners *was, struct ledger *ledger)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < accounts->n_list; i++) {
		struct account_entry *account = &accounts->list[i];
		const struct group_row *group =
			quota_owner_of(is, &account->name);
		const struct quota_owners *from = group ? is : was;
		struct ledger_entry entry = {
			.period = account->name.period,
			.begin_s = account->period_s,
			.used_bytes = account->used_bytes,
			.path = account->name.path,
		};

		if (!group)
			group = quota_owner_of(was, &account->name);
		if (!group)
			continue;
		strncpy(entry.group, image_string(from->image, group->name),
			sizeof(entry.group) - 1);
		r = ledger_add(ledger, &entry);
	}
	ledger_sort(ledger);
	/* Some may be there twice, as others were removed meanwhile. */
	return r == -E2BIG ? 0 : r;
}

/* What is to be known after a crash: not over, and something was used. */
static int keep(struct ledger *ledger, const struct ledger_entry *entry,
		const struct now *now)
{
	if (!entry->used_bytes || is_over(now, entry->period, entry->begin_s))
		return 0;
	return ledger_add(ledger, entry);
}

/*
 * Both are sorted.  Of an account that lives only that counts; others stay as
 * they were written until their period is over.
 */
static int merge(const struct ledger *live, const struct ledger *written,
		 const struct now *now, struct ledger *merged)
{
	size_t i, j = 0;
	int r = 0, order;

	for (i = 0; r == 0 && i < live->n_entries; i++)
		r = keep(merged, &live->entries[i], now);
	for (i = 0; r == 0 && i < written->n_entries; i++) {
		const struct ledger_entry *entry = &written->entries[i];

		order = 1;
		while (j < live->n_entries) {
			order = ledger_compare(&live->entries[j], entry);
			if (order >= 0)
				break;
			j++;
		}
		if (order != 0 || j == live->n_entries)
			r = keep(merged, entry, now);
	}
	ledger_sort(merged);
	/* The oldest of what nobody has are not worth to stop for. */
	return r == -E2BIG ? 0 : r;
}

static int save(const struct kernel *kernel,
		const struct account_list *accounts, const struct image *image,
		const struct image *was, struct err *err)
{
	CLEANUP(ledger_clear)
	struct ledger live = { 0 }, written = { 0 }, merged = { 0 };
	CLEANUP(quota_owners_clear) struct quota_owners is = { 0 }, had = { 0 };
	struct now now;
	int r;

	r = ledger_file_read(kernel->places->state, &written, err);
	if (r == 0)
		r = read_now(kernel, &now, err);
	if (r < 0)
		return r;
	know_kinds_of(&written, &now);
	ledger_sort(&written);
	r = quota_owners_list(image, &is);
	if (r == 0)
		r = quota_owners_list(was, &had);
	if (r == 0)
		r = list_live(accounts, &is, &had, &live);
	if (r == 0)
		r = merge(&live, &written, &now, &merged);
	if (r < 0)
		return err_set(err, r, "list what was used of quotas");
	return ledger_file_write(kernel->places->state, &merged, err);
}

/* --------------------------------------------------------------- tidying */

static bool is_found(const struct image *image,
		     const struct found_cgroups *found,
		     const struct account_name *name)
{
	size_t i;

	for (i = 0; i < found->n_list; i++)
		if (image->groups[found->list[i].group].quota.uid ==
			    name->group_uid &&
		    strcmp(found->list[i].path, name->path) == 0)
			return true;
	return false;
}

/* One of a cgroup that has gone is needed until its period is over. */
static bool is_needed(const struct quota_owners *owners,
		      const struct found_cgroups *found,
		      const struct account_entry *account,
		      const struct now *now)
{
	if (!quota_owner_of(owners, &account->name))
		return false;
	return !*account->name.path ||
	       !is_over(now, account->name.period, account->period_s) ||
	       is_found(owners->image, found, &account->name);
}

static int tidy(const struct kernel *kernel,
		const struct account_list *accounts, const struct image *image,
		const struct found_cgroups *found, struct err *err)
{
	CLEANUP(quota_owners_clear) struct quota_owners owners = { 0 };
	struct now now;
	size_t i;
	int r = read_now(kernel, &now, err);

	if (r == 0 && quota_owners_list(image, &owners) < 0)
		r = err_set(err, -ENOMEM, "list quotas");
	for (i = 0; r == 0 && i < accounts->n_list; i++)
		if (!is_needed(&owners, found, &accounts->list[i], &now))
			accounts_remove(&kernel->accounts, &accounts->list[i]);
	return r;
}

/* ---------------------------------------------------------- what is called */

/*
 * Who takes all quotas away, by clear for one, is not to be stopped by a ledger
 * that cannot be written.
 */
static int save_if_possible(const struct kernel *kernel,
			    const struct account_list *accounts,
			    const struct image *image, const struct image *was,
			    bool needed, struct err *err)
{
	int r = save(kernel, accounts, image, was, err);

	if (r == 0 || needed)
		return r;
	say("%s: what was used of quotas is forgotten", err->msg);
	return 0;
}

/* What is in force may have used some since the ledger was written. */
int quotas_prepare(const struct kernel *kernel, const struct image *image,
		   struct err *err)
{
	CLEANUP(account_list_clear) struct account_list accounts = { 0 };
	uint32_t kinds = kinds_of(image);
	int r;

	r = accounts_read(&kernel->accounts, &accounts, err);
	if (r == 0)
		r = accounts_set_calendars(&kernel->accounts, kinds, err);
	if (r == 0 && accounts.n_list)
		r = save_if_possible(kernel, &accounts, kernel->live,
				     kernel->live, kinds, err);
	crash_point();
	if (r == 0 && kinds)
		r = restore_all(kernel, image, err);
	return r;
}

int quotas_settle(const struct kernel *kernel, const struct image *image,
		  const struct image *was, const struct found_cgroups *found,
		  struct err *err)
{
	CLEANUP(account_list_clear) struct account_list accounts = { 0 };
	int r = accounts_read(&kernel->accounts, &accounts, err);

	if (r < 0 || !accounts.n_list)
		return r;
	r = save_if_possible(kernel, &accounts, image, was, kinds_of(image),
			     err);
	crash_point();
	return r < 0 ? r : tidy(kernel, &accounts, image, found, err);
}

int quotas_set_calendars(const struct kernel *kernel, struct err *err)
{
	return accounts_set_calendars(&kernel->accounts, kinds_of(kernel->live),
				      err);
}

int quotas_refresh(const struct kernel *kernel,
		   const struct found_cgroups *found, struct err *err)
{
	const struct image *live = kernel->live;
	int r = quotas_set_calendars(kernel, err);

	return r < 0 ? r : quotas_settle(kernel, live, live, found, err);
}

static int reset(const struct kernel *kernel,
		 const struct account_entry *account, struct err *err)
{
	struct calendar_period period = { 0 };
	int64_t end_s;
	int r = accounts_period(&kernel->accounts, account->name.period, 0,
				&period, &end_s, err);

	if (r < 0 && r != -ENOENT)
		return r;
	return accounts_reset(&kernel->accounts, account->id, period.real_s,
			      err);
}

int quotas_reset(const struct kernel *kernel, const struct group_row *group,
		 const char *path, struct err *err)
{
	CLEANUP(account_list_clear) struct account_list accounts = { 0 };
	const struct image *live = kernel->live;
	size_t i;
	int r;

	r = accounts_read(&kernel->accounts, &accounts, err);
	for (i = 0; r == 0 && i < accounts.n_list; i++) {
		const struct account_name *name = &accounts.list[i].name;

		if (name->group_uid == group->quota.uid &&
		    name->period == group->quota.period &&
		    (!path || strcmp(name->path, path) == 0))
			r = reset(kernel, &accounts.list[i], err);
	}
	account_list_clear(&accounts);
	if (r == 0)
		r = accounts_read(&kernel->accounts, &accounts, err);
	return r < 0 ? r : save(kernel, &accounts, live, live, err);
}
