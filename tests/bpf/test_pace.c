/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic of pacing, by BPF_PROG_TEST_RUN: what its comments and
 * docs/shaping.md promise, at random and at the ends of what can be asked.
 * WEIR_SEED repeats a run, WEIR_ROUNDS makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "tests/bpf/pace_reference.h"
#include "tests/bpf/pace_world.h"
#include "tests/bpf/random_policy.h"

#define KBIT	  125ULL /* bytes per second */
#define GBIT	  125000000ULL
#define HOUR	  (3600 * REF_SEC)
#define START	  (1000 * REF_SEC)
#define PACKETS	  400 /* of a sequence */
#define MOST	  24  /* sockets of one */
#define HEADERS	  66  /* of a segment: link, IP, TCP with a timestamp */
#define SEGMENT	  1448
#define UNCLAMPED INT32_MAX

static char about[64]; /* the sequence that is run */

struct sequence {
	struct random random;
	struct reference_scope scopes[PACE_SCOPES];
	uint64_t rates[PACE_SCOPES], now;
	uint32_t n_scopes, n_sockets;
	uint32_t strays; /* packets whose time is not that of the others */
};

/* ---------------------------------------------------------- random input */

/* From low on, each power of two below high as likely. */
static uint64_t random_scale(struct random *random, uint64_t low, uint64_t high)
{
	uint32_t powers = 0;
	uint64_t at;

	while (low << powers < high)
		powers++;
	at = low << random_below(random, powers + 1);
	at += at / 1024 * random_below(random, 1024);
	return at < high ? at : high;
}

static void random_limit(struct sequence *s, uint32_t scope)
{
	uint64_t rate = random_scale(&s->random, KBIT, 400 * GBIT);
	uint64_t burst = random_scale(&s->random, 1, rate * 10);

	switch (random_below(&s->random, 12)) {
	case 0:
		rate = KBIT;
		break;
	case 1:
		rate = 400 * GBIT;
		break;
	case 2:
		rate = 100000 * GBIT; /* the most that can be said */
		break;
	case 3:
		burst = 1ULL << 40;
		break;
	case 4:
		burst = 1;
		break;
	}
	s->rates[scope] = rate;
	world_limit(scope, rate, burst);
}

static void random_size(struct random *random, struct pace_step *step)
{
	uint32_t segments = 1;

	switch (random_below(random, 4)) {
	case 0: /* an acknowledgement, or a very small one */
		step->payload = random_below(random, 3) * 12;
		break;
	case 1:
		step->payload = 1 + random_below(random, SEGMENT);
		break;
	default:
		segments = 1 + random_below(random, 45);
		step->payload = segments * SEGMENT;
	}
	step->wire = step->payload + segments * HEADERS;
	step->unsent = step->payload;
	if (random_below(random, 2))
		step->unsent += random_below(random, 1 << 22);
}

/* Time goes on about as fast as the rate of one scope needs. */
static void random_time(struct sequence *s, const struct pace_step *step)
{
	struct random *random = &s->random;
	uint64_t rate = s->rates[random_below(random, s->n_scopes)];
	double usual = 1e9 * step->wire / rate;

	switch (random_below(random, 400)) {
	case 0:
		s->now += random_scale(random, REF_SEC, 48 * HOUR);
		return;
	case 1:
		s->now += random_below(random, 300 * REF_MS);
		return;
	}
	/* Most send too much. */
	s->now += usual * random_below(random, 1000) / 800;
}

/* -------------------------------------------------------- what is promised */

static void check_scope(struct sequence *s, uint32_t i, uint64_t now)
{
	const struct pace *pace = &pace_world->scopes[i];
	struct reference_scope *ref = &s->scopes[i];
	double packet = 65536e9 / ref->rate, late = 200e3;
	double most_fair = 2.0 * ref->rate * (packet + late) / packet + 1;

	if (!reference_agrees(ref, pace->next_ns, now))
		fail_msg("%s: next_ns of scope %u is off by %lld ns", about, i,
			 (long long)(pace->next_ns - ref->next / ref->rate));
	if (pace->fair < 1 || pace->fair > most_fair)
		fail_msg("%s: fair is %llu, the rate %lu", about, pace->fair,
			 ref->rate);
	if (pace->users > 8ULL * PACE_USER * (s->n_sockets + s->strays + 1))
		fail_msg("%s: %u/1024 users of %u sockets", about, pace->users,
			 s->n_sockets);
	assert_in_range(pace->epoch_ns, REF_MS, 200 * REF_MS);
	if (ref->most_above / REF_SEC > reference_bound(ref, s->n_sockets))
		fail_msg("%s: %.0f bytes passed above the rate, not %.0f",
			 about, (double)ref->most_above / REF_SEC,
			 reference_bound(ref, s->n_sockets));
}

/* The socket wants the least fair rate of its scopes. */
static void check_socket(const struct sequence *s, uint32_t sock)
{
	uint64_t least = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < s->n_scopes; i++)
		if (pace_world->scopes[i].fair < least)
			least = pace_world->scopes[i].fair;
	assert_int_equal(pace_world->socks[sock].wanted, least);
	assert_in_range(pace_world->socks[sock].tight, 0, s->n_scopes - 1);
}

static void check_told(uint32_t sock)
{
	const struct pace_told *told = &pace_world->told[sock];

	assert_int_equal(told->wrong, 0);
	if (told->rate)
		assert_in_range(told->rate, 8, UINT32_MAX);
	if (told->clamp && told->clamp != UNCLAMPED)
		assert_in_range(told->clamp, 2, 64);
}

/* ------------------------------------------------------------ a sequence */

static void random_packet_of(struct sequence *s, struct pace_step *step)
{
	random_size(&s->random, step);
	random_time(s, step);
	step->scopes = s->n_scopes;
	step->sock = random_below(&s->random, s->n_sockets + 1);
	if (step->sock == s->n_sockets) {
		step->sock = PACE_NO_TCP;
		step->payload = step->wire - 14;
	}
	step->now = s->now;
	/* By another processor's clock. */
	if (random_below(&s->random, 8) == 0) {
		step->now -= random_below(&s->random, 5000);
		s->strays++;
	}
}

static bool has_credit(const struct sequence *s, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < s->n_scopes; i++)
		if (!s->scopes[i].rate ||
		    s->scopes[i].rate != pace_world->limits[i].rate_bytes ||
		    s->scopes[i].burst != pace_world->limits[i].burst_bytes ||
		    reference_debt(&s->scopes[i], now) > 0)
			return false;
	return true;
}

static void send_one(struct sequence *s)
{
	struct pace_step step = { 0 };
	uint32_t i, last;
	bool passed;

	random_packet_of(s, &step);
	passed = world_send(&step);
	if (!passed && step.sock != PACE_NO_TCP && has_credit(s, step.now))
		fail_msg("%s: TCP is dropped where there is credit", about);
	last = pace_world->step.dropped;
	/* From the inside out, until one drops. */
	for (i = s->n_scopes; i-- > last;) {
		const struct limit_row *limit = &pace_world->limits[i];

		reference_turn(&s->scopes[i], limit->rate_bytes,
			       limit->burst_bytes, step.now);
		if (passed || i != last)
			reference_pass(&s->scopes[i], step.wire);
		check_scope(s, i, step.now);
	}
	if (passed && step.sock != PACE_NO_TCP)
		check_socket(s, step.sock);
}

static void run_sequence(struct sequence *s)
{
	uint32_t i;

	s->now = START;
	s->n_scopes = 1 + random_below(&s->random, PACE_SCOPES);
	s->n_sockets = 1 + random_below(&s->random, MOST);
	for (i = 0; i < s->n_scopes; i++)
		random_limit(s, i);
	for (i = 0; i < PACKETS; i++) {
		uint32_t sock = random_below(&s->random, s->n_sockets);

		send_one(s);
		if (random_below(&s->random, 3) == 0) {
			world_rtt(sock, random_scale(&s->random, 20, 500000));
			check_told(sock);
		}
		if (random_below(&s->random, 50) == 0) {
			world_new_socket(sock);
			s->strays++;
		}
		if (random_below(&s->random, 200) == 0)
			random_limit(s, random_below(&s->random, s->n_scopes));
	}
}

static unsigned long seed(void)
{
	const char *text = getenv("WEIR_SEED");

	return text && *text ? strtoul(text, NULL, 0)
			     : (unsigned long)time(NULL);
}

static void what_is_promised_holds_at_random(void **state)
{
	unsigned long first = seed(), rounds = world_rounds(3000), i;

	(void)state;
	print_message("WEIR_SEED=%lu, %lu sequences\n", first, rounds);
	for (i = 0; i < rounds; i++) {
		struct sequence s = { .random.state = (first + i) * 2 + 1 };
		random_below(&s.random, 2);
		snprintf(about, sizeof(about), "WEIR_SEED=%lu", first + i);
		world_begin(about);
		run_sequence(&s);
	}
}

/* ---------------------------------------------------------- at the ends */

static uint64_t charge(uint64_t now, uint32_t sock, uint32_t payload)
{
	struct pace_step step = {
		.now = now,
		.sock = sock,
		.wire = payload + HEADERS,
		.payload = payload,
		.unsent = 1 << 20,
		.scopes = 1,
	};

	return world_send(&step);
}

static void nothing_is_lost_where_a_packet_takes_no_nanosecond(void **state)
{
	uint64_t rate = 100000 * GBIT, now = START, i, n = 100000;
	uint64_t began;

	(void)state;
	world_begin("100 Tbit/s");
	world_limit(0, rate, rate / 1000);
	charge(now, 0, 1);
	began = pace_world->scopes[0].next_ns;
	for (i = 0; i < n; i++)
		assert_true(charge(now, 0, 1));
	assert_in_range(pace_world->scopes[0].next_ns - began,
			n * 67 * REF_SEC / rate, n * 67 * REF_SEC / rate + 1);
}

static void after_hours_there_is_the_burst_and_no_more(void **state)
{
	static const uint64_t rates[] = { KBIT, 1000 * KBIT, 400 * GBIT };
	uint64_t i, now, sent;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t burst = rates[i] / 10 + 30000;

		world_begin("idle for days");
		world_limit(0, rates[i], burst);
		charge(START, 0, SEGMENT);
		now = START + 100 * HOUR;
		sent = 0;
		/* What is not told a rate meets the bound early. */
		while (charge(now, 0, 64000))
			sent += 64000 + HEADERS;
		assert_true(sent >= burst);
		assert_true(sent <= burst + rates[i] / 100 + 2 * 64066 + 3028);
	}
}

static void debt_is_no_longer_at_a_lower_rate_than_all_may_wait(void **state)
{
	uint64_t now = START, debt;

	(void)state;
	world_begin("from 10 Gbit/s to 100 kbit/s");
	world_limit(0, 10 * GBIT, 1 << 20);
	while (charge(now, 0, 64000))
		;
	world_limit(0, 100 * KBIT, 15140);
	charge(now + REF_MS, 0, 64000);
	debt = pace_world->scopes[0].next_ns - now;
	/* A bound of 50 ms, or 16 segments and a few, at the new rate. */
	assert_in_range(debt, 0, 50 * 1514 * REF_SEC / (100 * KBIT));
}

static void datagrams_get_the_rate_evenly(void **state)
{
	uint64_t rate = 10 * GBIT / 100, now = START, end, bytes = 0, last = 0;
	uint64_t gap = 0, i;

	(void)state;
	world_begin("datagrams at twice the rate");
	world_limit(0, rate, rate / 25);
	for (end = START + 4 * REF_SEC; now < end;
	     now += 606 * REF_SEC / rate) {
		if (!charge(now, PACE_NO_TCP, 1200))
			continue;
		if (now < START + REF_SEC)
			continue;
		bytes += 1200 + HEADERS;
		if (last && now - last > gap)
			gap = now - last;
		last = now;
	}
	i = bytes / 3 * 1000 / rate;
	assert_in_range(i, 990, 1002);
	assert_in_range(gap, 0, 5 * REF_MS);
}

/* They are sent at twice the rate from now on: what passes until end. */
static uint64_t flood(uint64_t *now, uint64_t end, uint64_t rate)
{
	uint64_t bytes = 0;

	for (; *now < end; *now += 606 * REF_SEC / rate)
		if (charge(*now, PACE_NO_TCP, 1200))
			bytes += 1200 + HEADERS;
	return bytes;
}

static void a_short_pause_of_who_floods_is_made_good(void **state)
{
	uint64_t rate = 10 * GBIT / 100, now = START, bytes;

	(void)state;
	world_begin("datagrams at twice the rate, and a pause");
	world_limit(0, rate, rate / 25);
	flood(&now, START + REF_SEC, rate);
	now += 8 * REF_MS;
	bytes = flood(&now, START + REF_SEC + 20 * REF_MS, rate);
	/* A little more for a moment: the credit raises fair, too. */
	assert_in_range(bytes * 50 * 1000 / rate, 970, 1100);
}

static void datagrams_are_not_silent_when_a_crowd_has_gone(void **state)
{
	uint64_t rate = 10 * GBIT / 1000, now = START, end, last, gap = 0;
	struct pace_world *worlds[] = { pace_world, native_world() };
	size_t i;

	(void)state;
	world_begin("a thousand users, and none");
	world_limit(0, rate, rate / 25);
	charge(now, PACE_NO_TCP, 1200);
	/* As a thousand sockets leave it. */
	for (i = 0; i < ARRAY_SIZE(worlds); i++) {
		struct pace *pace = &worlds[i]->scopes[0];

		pace->users = pace->all = 1000 * PACE_USER;
		pace->count = pace->count_before = 1000;
		pace->fair = rate / 1000;
	}
	for (end = now + 3 * REF_SEC, last = now; now < end;
	     now += 606 * REF_SEC / rate) {
		if (now - last > gap)
			gap = now - last;
		if (charge(now, PACE_NO_TCP, 1200))
			last = now;
	}
	assert_in_range(gap, 0, 300 * REF_MS);
}

static void the_more_there_are_the_less_is_a_message_favoured(void **state)
{
	static const struct {
		uint64_t rate;
		uint32_t sockets, favour;
	} cases[] = {
		{ GBIT, 1, 1 },	       { GBIT, 3, 8 },
		{ GBIT, 64, 2 },       { GBIT, 300, 1 },
		{ GBIT / 10, 4, 8 },   { GBIT / 10, 64, 1 },
		{ 10 * GBIT, 64, 2 },  { GBIT / 50, 3, 8 },
		{ 1000 * KBIT, 2, 1 },
	};
	size_t i;
	uint32_t j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		world_begin("some send");
		world_limit(0, cases[i].rate, cases[i].rate);
		for (j = 0; j < cases[i].sockets; j++)
			charge(START, j, 1000);
		charge(START + REF_SEC / 2, 0, 1000);
		assert_int_equal(pace_world->scopes[0].favour, cases[i].favour);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_promised_holds_at_random),
		cmocka_unit_test(
			nothing_is_lost_where_a_packet_takes_no_nanosecond),
		cmocka_unit_test(after_hours_there_is_the_burst_and_no_more),
		cmocka_unit_test(
			debt_is_no_longer_at_a_lower_rate_than_all_may_wait),
		cmocka_unit_test(datagrams_get_the_rate_evenly),
		cmocka_unit_test(a_short_pause_of_who_floods_is_made_good),
		cmocka_unit_test(
			datagrams_are_not_silent_when_a_crowd_has_gone),
		cmocka_unit_test(
			the_more_there_are_the_less_is_a_message_favoured),
	};

	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
