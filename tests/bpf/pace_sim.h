/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP senders in one paced scope, simulated: their windows, bursts and timers
 * as Linux has them, time by an event queue, pacing by the kernel's BPF.
 */
#ifndef WEIR_TESTS_BPF_PACE_SIM_H
#define WEIR_TESTS_BPF_PACE_SIM_H

#include "tests/bpf/pace_world.h"
#include "tests/bpf/random_policy.h"

struct sender {
	uint64_t rtt_ns;
	uint64_t app_rate; /* bytes of payload per second; 0: greedy */
	uint64_t message;  /* or bytes at a time, … */
	uint64_t pause_ns; /* … so long after the last of it was sent */
	uint64_t ready_ns; /* end of that pause */
	uint64_t stop_ns;  /* sends no more from then on; 0: goes on */

	uint64_t wire;	    /* bytes that passed, so far */
	uint32_t drops;	    /* packets of payload */
	uint32_t refused;   /* … by its timer, since one passed */
	uint32_t writes;    /* that tried again */
	uint32_t in_flight; /* segments */
	uint32_t window;
	uint32_t tried;	  /* segments, of all its life, refused ones too */
	uint64_t written; /* bytes that its application wrote and TCP sent */
	uint64_t begin_ns;
	uint64_t stamp_ns; /* when pacing lets the next one go */
	uint64_t due_ns;   /* of its event "try"; 0: none */
	bool established;
};

struct sim {
	uint64_t now;
	struct random random;
	struct sender senders[PACE_SOCKETS];
	uint64_t wire; /* all that passed */
	uint32_t drops;
	uint32_t refused; /* the most that a sender was */
	uint32_t late_ns; /* timers: up to so much */

	struct sim_event {
		uint64_t at;
		uint32_t kind, sock, segments;
	} * events;
	size_t n_events, room;
};

void sim_begin(struct sim *sim, const char *about, uint64_t rate,
	       uint64_t burst);
void sim_end(struct sim *sim);

/* A connection that begins at a time. */
void sim_connect(struct sim *sim, uint32_t sock, uint64_t at_ns,
		 uint64_t rtt_ns, uint64_t app_rate);

void sim_run_until(struct sim *sim, uint64_t at_ns);

#endif
