/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/pace_sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SEC	   1000000000ULL
#define MS	   1000000ULL
#define SEGMENT	   1448
#define HEADERS	   66
#define GSO_MAX	   65536U
#define WINDOW_MAX 100000 /* segments */
#define WRITES	   4

enum {
	TRY,
	ACKED,
	HELLO
};

/* ------------------------------------------------------- the event queue */

static void put(struct sim *sim, uint64_t at, uint32_t kind, uint32_t sock,
		uint32_t segments)
{
	struct sim_event event = { at, kind, sock, segments };
	size_t i = sim->n_events++;

	if (sim->n_events > sim->room) {
		sim->room = sim->room ? 2 * sim->room : 1024;
		sim->events =
			realloc(sim->events, sim->room * sizeof(*sim->events));
		assert(sim->events);
	}
	for (; i && sim->events[(i - 1) / 2].at > at; i = (i - 1) / 2)
		sim->events[i] = sim->events[(i - 1) / 2];
	sim->events[i] = event;
}

static struct sim_event take(struct sim *sim)
{
	struct sim_event first = sim->events[0];
	struct sim_event last = sim->events[--sim->n_events];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->n_events) {
		if (child + 1 < sim->n_events &&
		    sim->events[child + 1].at < sim->events[child].at)
			child++;
		if (sim->events[child].at >= last.at)
			break;
		sim->events[i] = sim->events[child];
		i = child;
	}
	sim->events[i] = last;
	return first;
}

/* Only the last one that was asked for counts. */
static void try_at(struct sim *sim, uint32_t sock, uint64_t at)
{
	sim->senders[sock].due_ns = at;
	put(sim, at, TRY, sock, 0);
}

/* ----------------------------------------------------------------- TCP */

/* 0: not paced. */
static uint64_t pacing_rate(const struct sim *sim, uint32_t sock)
{
	uint32_t told = pace_world->told[sock].rate;

	if (told == UINT32_MAX || sim->senders[sock].tried < 10)
		return 0;
	return told;
}

/* What its application has for it, in bytes. */
static uint64_t unsent(const struct sim *sim, const struct sender *sender)
{
	double has;

	if (sender->stop_ns && sim->now >= sender->stop_ns)
		return 0;
	if (sender->message && sim->now < sender->ready_ns)
		return 0;
	if (sender->message)
		return sender->message - sender->written % sender->message;
	if (!sender->app_rate)
		return 4 << 20;
	/* Every 10 ms. */
	has = (double)((sim->now - sender->begin_ns) / (10 * MS) * 10 * MS) /
	      SEC * sender->app_rate;
	return has > sender->written ? (uint64_t)has - sender->written : 0;
}

static uint32_t window(const struct sim *sim, uint32_t sock)
{
	uint32_t clamp = pace_world->told[sock].clamp;
	uint32_t mine = sim->senders[sock].window;

	return clamp && clamp < mine ? clamp : mine;
}

/* Segments of a burst, as tcp_tso_autosize() has it. */
static uint32_t burst(const struct sim *sim, uint32_t sock)
{
	uint64_t rate = pacing_rate(sim, sock), bytes = GSO_MAX;
	uint64_t rtt_us = sim->senders[sock].rtt_ns / 1000;

	if (rate) {
		bytes = rate >> 10;
		if (rtt_us >> 9 < 32)
			bytes += GSO_MAX >> (rtt_us >> 9);
	}
	if (bytes > GSO_MAX)
		bytes = GSO_MAX;
	return bytes / SEGMENT > 2 ? bytes / SEGMENT : 2;
}

static bool emit(struct sim *sim, uint32_t sock, uint32_t payload,
		 uint32_t segments, uint32_t left)
{
	struct pace_step step = {
		.now = sim->now,
		.sock = sock,
		.payload = payload,
		.wire = payload + segments * HEADERS,
		.unsent = left,
		.scopes = 1,
	};

	if (payload)
		sim->senders[sock].tried += segments;
	if (!world_send(&step))
		return false;
	sim->wire += step.wire;
	sim->senders[sock].wire += step.wire;
	return true;
}

/* When the next may go; what a timer was late is made good. */
static void pace_next(struct sim *sim, uint32_t sock, uint32_t payload)
{
	struct sender *sender = &sim->senders[sock];
	uint64_t rate = pacing_rate(sim, sock), took, late;

	if (!rate) {
		sender->stamp_ns = sim->now;
		return;
	}
	took = payload * SEC / rate;
	late = sim->now - sender->stamp_ns;
	if (!sender->stamp_ns || late > took / 2)
		late = sender->stamp_ns ? took / 2 : 0;
	sender->stamp_ns = sim->now + took - late;
}

/*
 * An ACK, or a timer, asks again; it is coarse.  So does each write, until the
 * buffer is full: of a new connection, the next few.
 */
static void refused(struct sim *sim, uint32_t sock)
{
	struct sender *sender = &sim->senders[sock];
	uint64_t wait = 200 * MS;

	sim->drops++;
	sender->drops++;
	if (sender->writes < WRITES) {
		sender->writes++;
		try_at(sim, sock, sim->now + 10000);
		return;
	}
	if (sender->refused++)
		wait = 500 * MS;
	if (sender->refused > sim->refused)
		sim->refused = sender->refused;
	try_at(sim, sock,
	       sim->now + wait + random_below(&sim->random, 12 * MS));
}

/* Whether there was something to send. */
static bool send_burst(struct sim *sim, uint32_t sock)
{
	struct sender *sender = &sim->senders[sock];
	uint32_t may = window(sim, sock), segments = burst(sim, sock);
	uint64_t has = unsent(sim, sender), payload;

	if (!has || sender->in_flight >= may)
		return false;
	if (segments > may - sender->in_flight)
		segments = may - sender->in_flight;
	if (segments > 1 && segments > may / 2)
		segments = may / 2 ? may / 2 : 1;
	/* The timer asks with one. */
	if (sender->refused)
		segments = 1;
	payload = (uint64_t)segments * SEGMENT;
	if (payload > has)
		payload = has;
	segments = (payload + SEGMENT - 1) / SEGMENT;
	if (!emit(sim, sock, payload, segments, has)) {
		refused(sim, sock);
		return false;
	}
	sender->refused = 0;
	sender->in_flight += segments;
	sender->written += payload;
	if (sender->message && payload == has)
		sender->ready_ns = sim->now + sender->pause_ns;
	pace_next(sim, sock, payload);
	put(sim, sim->now + sender->rtt_ns, ACKED, sock, segments);
	return true;
}

static void try(struct sim *sim, uint32_t sock)
{
	struct sender *sender = &sim->senders[sock];

	if (!sender->established)
		return;
	while (sender->stamp_ns <= sim->now)
		if (!send_burst(sim, sock))
			break;
	if (sender->stamp_ns > sim->now)
		try_at(sim, sock,
		       sender->stamp_ns +
			       random_below(&sim->random, sim->late_ns + 1));
	else if (sender->ready_ns > sim->now)
		try_at(sim, sock, sender->ready_ns);
	else if (sender->app_rate && sender->due_ns <= sim->now)
		try_at(sim, sock, sim->now + 10 * MS);
}

static void hear(struct sim *sim, uint32_t sock)
{
	world_rtt(sock, sim->senders[sock].rtt_ns / 1000);
}

static void happen(struct sim *sim, const struct sim_event *event)
{
	struct sender *sender = &sim->senders[event->sock];

	switch (event->kind) {
	case HELLO:
		if (!sender->begin_ns) {
			sender->begin_ns = sim->now;
			if (emit(sim, event->sock, 0, 1, 0)) {
				put(sim, sim->now + sender->rtt_ns, HELLO,
				    event->sock, 0);
				return;
			}
			sender->begin_ns = 0;
			put(sim, sim->now + SEC, HELLO, event->sock, 0);
			return;
		}
		sender->established = true;
		hear(sim, event->sock);
		break;
	case ACKED:
		sender->in_flight -= event->segments;
		if (sender->window < WINDOW_MAX)
			sender->window += event->segments;
		hear(sim, event->sock);
		break;
	case TRY:
		if (sender->due_ns != event->at)
			return;
		break;
	}
	if (sender->stamp_ns <= sim->now)
		try(sim, event->sock);
}

void sim_begin(struct sim *sim, const char *about, uint64_t rate,
	       uint64_t burst_bytes)
{
	memset(sim, 0, sizeof(*sim));
	sim->now = 1000 * SEC;
	sim->random.state = rate + 1;
	sim->late_ns = 50000;
	world_begin(about);
	world_limit(0, rate, burst_bytes);
}

void sim_end(struct sim *sim)
{
	free(sim->events);
	sim->events = NULL;
}

void sim_connect(struct sim *sim, uint32_t sock, uint64_t at_ns,
		 uint64_t rtt_ns, uint64_t app_rate)
{
	struct sender *sender = &sim->senders[sock];

	memset(sender, 0, sizeof(*sender));
	world_new_socket(sock);
	sender->rtt_ns = rtt_ns;
	sender->app_rate = app_rate;
	sender->window = 10;
	put(sim, at_ns, HELLO, sock, 0);
}

void sim_run_until(struct sim *sim, uint64_t at_ns)
{
	while (sim->n_events && sim->events[0].at <= at_ns) {
		struct sim_event event = take(sim);

		sim->now = event.at;
		happen(sim, &event);
	}
	sim->now = at_ns;
}
