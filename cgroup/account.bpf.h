/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts: finding that of a cgroup by its path, and the turn from a period to
 * the next, by calendars that reach years ahead: nothing has to run for that.
 */
#ifndef WEIR_CGROUP_ACCOUNT_BPF_H
#define WEIR_CGROUP_ACCOUNT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/quota_abi.h"

/* BPF and user space add, user space removes: the id of an account. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ACCOUNTS_MAX);
	__type(key, struct account_name);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} account_ids SEC(".maps");

/* Likewise, and BPF counts.  Key: an id, a random number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ACCOUNTS_MAX);
	__type(key, __u64);
	__type(value, struct account);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} accounts SEC(".maps");

/* User space writes, BPF reads.  Index: CALENDAR_INDEX. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALENDAR_SLOTS *PERIODS);
	__type(key, __u32);
	__type(value, struct calendar);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} calendars SEC(".maps");

/* User space writes: the switch to other calendars.  BPF reads the version. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct calendar_state);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} calendar_state SEC(".maps");

/* Zeroes, as bytes: a lock may not be handed to a helper as a value. */
struct new_account {
	__u64 words[sizeof(struct account) / sizeof(__u64)];
};

/*
 * The id of the account of that name, made where there is none.  0: there is
 * no room.
 */
static __always_inline __u64 account_get(const struct account_name *name)
{
	struct new_account zeroes = { 0 };
	__u64 id, *found = bpf_map_lookup_elem(&account_ids, name);

	if (found)
		return *found;
	id = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	if (bpf_map_update_elem(&accounts, &id, &zeroes, BPF_NOEXIST) < 0)
		return 0;
	if (bpf_map_update_elem(&account_ids, name, &id, BPF_NOEXIST) == 0)
		return id;
	/* Another packet was first, or there is no room. */
	bpf_map_delete_elem(&accounts, &id);
	found = bpf_map_lookup_elem(&account_ids, name);
	return found ? *found : 0;
}

static __always_inline __u32 calendar_version(void)
{
	__u32 zero = 0;
	volatile struct calendar_state *state =
		bpf_map_lookup_elem(&calendar_state, &zero);

	return state ? state->version : 0;
}

/*
 * Brings an account into the period that now_ns is in.  One that is of a later
 * period, as the clock was set back since, or is not set yet after booting,
 * stays as it is until time has caught up with it.  Returns 0.
 *
 * A race that is accepted: a packet that passes at the turn may count in either
 * period.
 */
__noinline int account_turn(__u64 id, __u32 kind, __s64 now_ns)
{
	__u32 version = calendar_version(), index, i;
	struct account *account = bpf_map_lookup_elem(&accounts, &id);
	struct calendar_period period;
	struct calendar *calendar;

	if (kind >= PERIODS)
		return 0;
	index = CALENDAR_INDEX(version, kind);
	calendar = bpf_map_lookup_elem(&calendars, &index);
	if (!account || !calendar || !calendar->n_runs)
		return 0;
	for (i = 1; i < CALENDAR_RUNS; i++)
		if (i >= calendar->n_runs || calendar->runs[i].boot_ns > now_ns)
			break;
	calendar_find(&calendar->runs[(i - 1) % CALENDAR_RUNS],
		      i < calendar->n_runs && i < CALENDAR_RUNS
			      ? calendar->runs[i % CALENDAR_RUNS].boot_ns
			      : 0,
		      now_ns, &period);
	bpf_spin_lock(&account->lock);
	if (calendar_is_over(account->period_s, &period)) {
		account->period_s = period.real_s;
		account->used_bytes = 0;
	}
	account->end_ns = period.end_ns;
	account->calendar = version;
	bpf_spin_unlock(&account->lock);
	return 0;
}

/* Whether it is time for that, or there are other calendars.  Returns 0. */
__noinline int account_look(__u64 id, __u32 kind)
{
	struct account *account = bpf_map_lookup_elem(&accounts, &id);
	__s64 now_ns = bpf_ktime_get_boot_ns();

	if (account && (account->calendar != calendar_version() ||
			now_ns >= account->end_ns))
		account_turn(id, kind, now_ns);
	return 0;
}

#endif
