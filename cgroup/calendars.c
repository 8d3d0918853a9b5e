/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calendars in the kernel, by the host's clock and time zone. */
#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "cgroup/accounts.h"
#include "rules/calendar.h"

#define ZONE_FILE "/etc/localtime"

/* A clock that is set by less than that is as good as before. */
#define OFFSET_MAX_NS 50000000LL
#define WEEK_S	      (7 * 86400LL)

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * CALENDAR_SEC + now.tv_nsec;
}

static int64_t offset_ns(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* What calendars made now would be made of. */
static struct calendar_state state_now(void)
{
	struct calendar_state state = {
		.offset_ns = offset_ns(),
		.made_s = clock_ns(CLOCK_REALTIME) / CALENDAR_SEC,
	};
	struct stat st;

	if (stat(ZONE_FILE, &st) == 0) {
		state.zone_id = st.st_ino;
		state.zone_version =
			st.st_mtim.tv_sec * CALENDAR_SEC + st.st_mtim.tv_nsec;
	}
	return state;
}

static bool is_right(const struct calendar_state *state,
		     const struct calendar_state *now)
{
	return state->version && state->zone_id == now->zone_id &&
	       state->zone_version == now->zone_version &&
	       llabs(state->offset_ns - now->offset_ns) < OFFSET_MAX_NS &&
	       llabs(state->made_s - now->made_s) < WEEK_S;
}

static int read_state(const struct accounts *accounts,
		      struct calendar_state *ret_state, struct err *err)
{
	uint32_t zero = 0;
	int r = bpf_map_lookup_elem(accounts->state, &zero, ret_state);

	return r < 0 ? err_set(err, r, "read the calendars") : 0;
}

static int read_calendar(const struct accounts *accounts,
			 const struct calendar_state *state, uint32_t kind,
			 struct calendar *ret_calendar, struct err *err)
{
	uint32_t index = CALENDAR_INDEX(state->version, kind);
	int r = bpf_map_lookup_elem(accounts->calendars, &index, ret_calendar);

	return r < 0 ? err_set(err, r, "read the calendars") : 0;
}

/*
 * The time zone is the host's, whatever that of the caller: two callers must
 * not set the same calendars again and again.  Setting another one first makes
 * the C library read a file that has changed.  What the caller had is returned,
 * for zone_leave.
 */
static char *zone_enter(void)
{
	const char *caller = getenv("TZ");
	char *kept = caller ? strdup(caller) : NULL;

	setenv("TZ", "UTC0", 1);
	tzset();
	unsetenv("TZ");
	tzset();
	return kept;
}

static void zone_leave(char *kept)
{
	if (kept)
		setenv("TZ", kept, 1);
	tzset();
	free(kept);
}

static void make_here(uint32_t kinds, const struct calendar_state *state,
		      struct calendar calendars[static PERIODS])
{
	char *kept = zone_enter();
	uint32_t kind;

	for (kind = 0; kind < PERIODS; kind++)
		if (kinds >> kind & 1)
			calendar_make(kind, state->made_s, state->offset_ns,
				      &calendars[kind]);
	zone_leave(kept);
}

void accounts_period_now(uint32_t kind, struct calendar_period *ret_period)
{
	struct calendar_state state = state_now();
	int64_t begin_s, end_s;
	char *kept = zone_enter();

	calendar_bounds(kind, state.made_s, &begin_s, &end_s);
	zone_leave(kept);
	*ret_period = (struct calendar_period){
		.real_s = begin_s,
		.length_s = end_s - begin_s,
		.end_ns = end_s * CALENDAR_SEC - state.offset_ns,
	};
}

/* Into the slot that is not in force, and then the switch. */
static int write_calendars(const struct accounts *accounts,
			   const struct calendar calendars[static PERIODS],
			   const struct calendar_state *state, struct err *err)
{
	uint32_t kind, index, zero = 0;
	int r = 0;

	for (kind = 0; r == 0 && kind < PERIODS; kind++) {
		index = CALENDAR_INDEX(state->version, kind);
		r = bpf_map_update_elem(accounts->calendars, &index,
					&calendars[kind], 0);
	}
	if (r == 0)
		r = bpf_map_update_elem(accounts->state, &zero, state, 0);
	return r < 0 ? err_set(err, r, "write the calendars") : 0;
}

int accounts_set_calendars(const struct accounts *accounts, uint32_t kinds,
			   struct err *err)
{
	struct calendar calendars[PERIODS] = { 0 };
	struct calendar_state state = { 0 }, now = state_now();
	bool complete = true;
	uint32_t kind;
	int r;

	if (!kinds || accounts->state < 0)
		return 0;
	r = read_state(accounts, &state, err);
	for (kind = 0; r == 0 && kind < PERIODS; kind++) {
		r = read_calendar(accounts, &state, kind, &calendars[kind],
				  err);
		if (kinds >> kind & 1)
			complete = complete && calendars[kind].n_runs;
		else if (calendars[kind].n_runs)
			kinds |= 1U << kind;
	}
	if (r < 0 || (complete && is_right(&state, &now)))
		return r;
	make_here(kinds, &now, calendars);
	now.version = state.version + 1 ? state.version + 1 : 1;
	return write_calendars(accounts, calendars, &now, err);
}

int accounts_period(const struct accounts *accounts, uint32_t kind,
		    int64_t begin_s, struct calendar_period *ret_period,
		    int64_t *ret_end_s, struct err *err)
{
	struct calendar_state state = { 0 };
	struct calendar_period period;
	struct calendar calendar;
	int64_t begin_ns, at_ns = clock_ns(CLOCK_BOOTTIME);
	int r;

	if (accounts->state < 0 || kind >= PERIODS)
		return -ENOENT;
	r = read_state(accounts, &state, err);
	if (r == 0)
		r = read_calendar(accounts, &state, kind, &calendar, err);
	if (r < 0)
		return r;
	begin_ns = begin_s * CALENDAR_SEC - state.offset_ns;
	if (begin_ns > at_ns)
		at_ns = begin_ns;
	if (!calendar_at(&calendar, at_ns, &period))
		return -ENOENT;
	*ret_period = period;
	*ret_end_s = (period.end_ns + state.offset_ns) / CALENDAR_SEC;
	return 0;
}
