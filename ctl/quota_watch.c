/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/quota_watch.h"

#include <stdlib.h>
#include <time.h>

#include "base/array.h"

/* Of a quota: half of the percent that may be lost in a crash. */
#define PART_MAX 200

#define WRITE_AFTER_MS 60000

/* Looks are this often, and more often while a quota is used up quickly. */
#define LOOK_MS	      100
#define LOOK_OFTEN_MS 10

/* Of many accounts a look takes long: so many times as long until the next. */
#define LOOK_PAUSE 20

void quota_watch_clear(struct quota_watch *watch)
{
	free(watch->accounts);
	free(watch->quotas);
	*watch = (struct quota_watch){ .look_ms = -1 };
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int by_uid(const void *a, const void *b)
{
	const struct watched_quota *left = a, *right = b;

	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

int quota_watch_learn(struct quota_watch *watch, const struct image *image,
		      struct err *err)
{
	struct watched_quota *quota;
	size_t i;

	free(watch->quotas);
	watch->quotas = NULL;
	watch->n_quotas = 0;
	for (i = 0; i < image->n_groups; i++) {
		const struct quota_row *row = &image->groups[i].quota;

		if (!row->bytes || row->uid != image->groups[i].uid)
			continue;
		quota = ARRAY_ADD(watch, quotas);
		if (!quota)
			return err_set(err, -ENOMEM, "list quotas");
		*quota = (struct watched_quota){ row->uid, row->period,
						 row->bytes };
	}
	if (watch->n_quotas)
		qsort(watch->quotas, watch->n_quotas, sizeof(*quota), by_uid);
	return 0;
}

static uint64_t quota_of(const struct quota_watch *watch,
			 const struct account_name *name)
{
	struct watched_quota key = { .uid = name->group_uid }, *found;

	found = bsearch(&key, watch->quotas, watch->n_quotas, sizeof(key),
			by_uid);
	return found && found->period == name->period ? found->bytes : 0;
}

static int by_id(const void *a, const void *b)
{
	const struct watched_account *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/* What was used since then; all of it where it began anew. */
static uint64_t since(uint64_t used, uint64_t then)
{
	return used >= then ? used - then : used;
}

static void judge(struct quota_watch *watch, uint64_t quota_bytes,
		  const struct watched_account *is,
		  const struct watched_account *was, bool *some)
{
	uint64_t part = quota_bytes / PART_MAX;
	uint64_t unwritten = since(is->seen, is->written);

	*some = *some || unwritten;
	/* Used up, and that is known; not of a period that has begun since. */
	if (!quota_bytes ||
	    (is->written > quota_bytes && is->seen >= is->written))
		return;
	watch->due = watch->due || unwritten > part;
	if (unwritten && since(is->seen, was->seen) > part / 8)
		watch->look_ms = LOOK_OFTEN_MS;
}

/* One look at an account, in the list of this look. */
static int add_account(struct quota_watch *watch, struct quota_watch *looked,
		       const struct account_entry *entry, bool *some,
		       struct err *err)
{
	struct watched_account key = { .id = entry->id }, none = { 0 }, *was,
			       *is;

	was = watch->n_accounts ? bsearch(&key, watch->accounts,
					  watch->n_accounts, sizeof(key), by_id)
				: NULL;
	if (!was)
		was = &none;
	is = ARRAY_ADD(looked, accounts);
	if (!is)
		return err_set(err, -ENOMEM, "list accounts");
	*is = (struct watched_account){ entry->id, entry->used_bytes,
					was->written };
	judge(watch, quota_of(watch, &entry->name), is, was, some);
	return 0;
}

void quota_watch_took(struct quota_watch *watch, int64_t began_ms,
		      int64_t ended_ms)
{
	int64_t rest_ms = (ended_ms - began_ms) * LOOK_PAUSE;

	watch->rest_until_ms = ended_ms + rest_ms;
	if (watch->look_ms < rest_ms)
		watch->look_ms = rest_ms < INT32_MAX ? rest_ms : INT32_MAX;
}

bool quota_watch_rests(struct quota_watch *watch, int64_t now_ms)
{
	int64_t left_ms = watch->rest_until_ms - now_ms;

	if (left_ms <= 0)
		return false;
	watch->look_ms = left_ms < INT32_MAX ? left_ms : INT32_MAX;
	return true;
}

int quota_watch_look(struct quota_watch *watch, const char *dir,
		     struct err *err)
{
	CLEANUP(account_list_clear) struct account_list list = { 0 };
	CLEANUP(accounts_close) struct accounts maps = ACCOUNTS_NONE;
	CLEANUP(quota_watch_clear) struct quota_watch looked = { 0 };
	int64_t began_ms = now_ms();
	bool some = false;
	size_t i;
	int r;

	watch->look_ms = -1;
	watch->due = false;
	if (!watch->n_quotas || quota_watch_rests(watch, began_ms))
		return 0;
	watch->look_ms = LOOK_MS;
	r = accounts_open(dir, &maps, err);
	if (r == 0)
		r = accounts_read(&maps, &list, err);
	for (i = 0; r == 0 && i < list.n_list; i++)
		r = add_account(watch, &looked, &list.list[i], &some, err);
	if (r < 0)
		return r;
	if (looked.n_accounts)
		qsort(looked.accounts, looked.n_accounts,
		      sizeof(*looked.accounts), by_id);
	free(watch->accounts);
	watch->accounts = TAKE_PTR(looked.accounts);
	watch->n_accounts = looked.n_accounts;
	quota_watch_took(watch, began_ms, now_ms());
	watch->due = watch->due ||
		     (some && now_ms() - watch->written_ms > WRITE_AFTER_MS);
	return 0;
}

void quota_watch_written(struct quota_watch *watch)
{
	size_t i;

	for (i = 0; i < watch->n_accounts; i++)
		watch->accounts[i].written = watch->accounts[i].seen;
	watch->written_ms = now_ms();
	watch->due = false;
}
