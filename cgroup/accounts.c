/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/accounts.h"

#include <bpf/bpf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "pins/folder.h"

void accounts_close(struct accounts *accounts)
{
	close_fdp(&accounts->ids);
	close_fdp(&accounts->accounts);
	close_fdp(&accounts->calendars);
	close_fdp(&accounts->state);
}

int accounts_open(const char *dir, struct accounts *ret_accounts,
		  struct err *err)
{
	CLEANUP(accounts_close) struct accounts accounts = ACCOUNTS_NONE;
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = folder_find_pin(maps, "account_ids", &accounts.ids, err);
	if (r == 0)
		r = folder_find_pin(maps, "accounts", &accounts.accounts, err);
	if (r == 0)
		r = folder_find_pin(maps, "calendars", &accounts.calendars,
				    err);
	if (r == 0)
		r = folder_find_pin(maps, "calendar_state", &accounts.state,
				    err);
	if (r < 0)
		return r;
	*ret_accounts = accounts;
	accounts = ACCOUNTS_NONE;
	return 0;
}

void account_list_clear(struct account_list *list)
{
	free(list->list);
	*list = (struct account_list){ 0 };
}

int account_name_make(uint32_t group_uid, uint32_t period, const char *path,
		      struct account_name *ret_name)
{
	struct account_name name = { .group_uid = group_uid, .period = period };

	if (strlen(path) >= sizeof(name.path))
		return -ENAMETOOLONG;
	strcpy(name.path, path);
	*ret_name = name;
	return 0;
}

int accounts_find(const struct accounts *accounts,
		  const struct account_name *name,
		  struct account_entry *ret_entry, struct err *err)
{
	struct account_entry entry = { .name = *name };
	struct account account = { 0 };
	int r = -ENOENT;

	if (accounts->ids >= 0)
		r = bpf_map_lookup_elem(accounts->ids, name, &entry.id);
	if (r == 0)
		r = bpf_map_lookup_elem_flags(accounts->accounts, &entry.id,
					      &account, BPF_F_LOCK);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_set(err, r, "read the account of a quota");
	entry.used_bytes = account.used_bytes;
	entry.period_s = account.period_s;
	*ret_entry = entry;
	return 0;
}

int accounts_read(const struct accounts *accounts,
		  struct account_list *ret_list, struct err *err)
{
	CLEANUP(account_list_clear) struct account_list list = { 0 };
	struct account_name name, next;
	struct account_entry found, *entry;
	int r = -ENOENT;

	if (accounts->ids >= 0)
		r = bpf_map_get_next_key(accounts->ids, NULL, &next);
	while (r == 0 && list.n_list < 2 * ACCOUNTS_MAX) {
		name = next;
		r = accounts_find(accounts, &name, &found, err);
		if (r < 0 && r != -ENOENT)
			return r;
		entry = r == 0 ? ARRAY_ADD(&list, list) : NULL;
		if (r == 0 && !entry)
			return err_set(err, -ENOMEM, "read accounts");
		if (entry)
			*entry = found;
		r = bpf_map_get_next_key(accounts->ids, &name, &next);
	}
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read the accounts of quotas");
	*ret_list = list;
	list = (struct account_list){ 0 };
	return 0;
}

int accounts_add(const struct accounts *accounts,
		 const struct account_name *name, uint64_t used_bytes,
		 int64_t period_s, struct err *err)
{
	struct account account = { .used_bytes = used_bytes,
				   .period_s = period_s };
	uint64_t id = 0;
	int r;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(err, neg_errno(), "make an account");
	id |= 1;
	r = bpf_map_update_elem(accounts->accounts, &id, &account, BPF_NOEXIST);
	if (r < 0)
		return err_set(err, r, "make an account");
	r = bpf_map_update_elem(accounts->ids, name, &id, BPF_NOEXIST);
	if (r < 0)
		bpf_map_delete_elem(accounts->accounts, &id);
	if (r < 0 && r != -EEXIST)
		return err_set(err, r, "make an account");
	return 0;
}

/* A turn to another period meanwhile is not lost: the next packet makes it. */
int accounts_reset(const struct accounts *accounts, uint64_t id,
		   int64_t period_s, struct err *err)
{
	struct account account = { .period_s = period_s };
	int r = bpf_map_update_elem(accounts->accounts, &id, &account,
				    BPF_EXIST | BPF_F_LOCK);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "reset an account");
	return 0;
}

/* The name first: who finds it has an account. */
void accounts_remove(const struct accounts *accounts,
		     const struct account_entry *entry)
{
	bpf_map_delete_elem(accounts->ids, &entry->name);
	bpf_map_delete_elem(accounts->accounts, &entry->id);
}
