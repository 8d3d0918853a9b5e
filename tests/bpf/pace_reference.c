/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/pace_reference.h"

#define SLACK_NS  (50 * REF_MS)
#define REORDERED 20000	       /* ns that processors may differ by */
#define BURST_MAX (1ULL << 34) /* bytes; nobody means more */
#define FAVOUR	  8	       /* users that one socket may count as */

static uint64_t credit_ns(const struct reference_scope *scope)
{
	uint64_t burst = scope->burst < BURST_MAX ? scope->burst : BURST_MAX;
	u128 ns = (u128)burst * REF_SEC / scope->rate;

	return ns < REF_CREDIT_MAX ? ns : REF_CREDIT_MAX;
}

static void set_next(struct reference_scope *scope, int64_t ns)
{
	scope->next = (s128)ns * scope->rate;
	scope->rounded = true;
}

/* Debt is owed in bytes; credit is not kept. */
static void change_rate(struct reference_scope *scope, uint64_t rate,
			uint64_t burst, uint64_t now)
{
	int64_t debt = scope->rate ? reference_debt(scope, now) : 0;
	u128 owed = debt > 0 ? (u128)debt * scope->rate : 0;

	scope->changed = scope->rate != 0;
	scope->rate = rate;
	scope->burst = burst;
	if (scope->changed)
		scope->next = (u128)now * rate + owed;
	else
		set_next(scope, now - credit_ns(scope));
	scope->above = 0;
	scope->most_above = 0;
}

void reference_turn(struct reference_scope *scope, uint64_t rate,
		    uint64_t burst, uint64_t now)
{
	if (rate != scope->rate || burst != scope->burst)
		change_rate(scope, rate, burst, now);
	if (reference_debt(scope, now) < -(int64_t)credit_ns(scope))
		set_next(scope, now - credit_ns(scope));
	if (now > scope->leaked_ns) {
		u128 leak = (u128)(now - scope->leaked_ns) * rate;

		scope->above -= leak < scope->above ? leak : scope->above;
		scope->leaked_ns = now;
	}
}

int64_t reference_debt(const struct reference_scope *scope, uint64_t now)
{
	return (int64_t)(scope->next / scope->rate) - (int64_t)now;
}

void reference_pass(struct reference_scope *scope, uint32_t wire)
{
	scope->next += (u128)wire * REF_SEC;
	scope->above += (u128)wire * REF_SEC;
	if (scope->above > scope->most_above)
		scope->most_above = scope->above;
	if (wire > scope->largest)
		scope->largest = wire;
}

bool reference_agrees(struct reference_scope *scope, uint64_t next_ns,
		      uint64_t now)
{
	int64_t off = (int64_t)next_ns - (int64_t)(scope->next / scope->rate);
	/* A remainder may be kept or not where the clock is set anew. */
	int64_t most = scope->rounded ? 1 : 0, least = -most;

	if (scope->changed)
		least = (int64_t)now - (int64_t)(scope->next / scope->rate);
	if (off < least || off > most)
		return false;
	if (off)
		scope->next = (s128)next_ns * scope->rate;
	scope->changed = false;
	return true;
}

double reference_bound(const struct reference_scope *scope, uint32_t sockets)
{
	double rate = scope->rate, slack = rate * SLACK_NS / REF_SEC;
	double segments = 32.0 + FAVOUR * (double)(sockets + 1);
	double burst = rate * credit_ns(scope) / REF_SEC + 1;

	return burst + slack + segments * REF_SEGMENT + scope->largest +
	       rate * REORDERED / REF_SEC;
}
