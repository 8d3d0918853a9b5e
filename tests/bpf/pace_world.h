/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacing in the kernel, packet by packet, with time in the test's hands.
 * Each step is done by plain C as well, and all that it changed compared: so
 * an overflow that BPF has otherwise, or a division by zero, which BPF passes
 * over in silence, is found.
 */
#ifndef WEIR_TESTS_BPF_PACE_WORLD_H
#define WEIR_TESTS_BPF_PACE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bpf/pace_test.h"

/* The kernel's; a test may look, and set limits by world_limit() alone. */
extern struct pace_world *pace_world;

int world_set_up(void **state);
int world_tear_down(void **state);

/* Empties it; what it says of a failure begins with about. */
void world_begin(const char *about);
void world_limit(unsigned int scope, uint64_t rate_bytes, uint64_t burst_bytes);
/* A socket that is made anew in the place of another. */
void world_new_socket(uint32_t sock);

/* Whether the packet passed: all scopes paced, or the first one policed. */
bool world_send(const struct pace_step *step);
bool world_receive(const struct pace_step *step);
void world_rtt(uint32_t sock, uint32_t srtt_us);

/* How much is to be done: fewer where WEIR_VM is set. */
unsigned long world_rounds(unsigned long rounds);

struct pace_world *native_world(void);
void native_packet(void);
void native_police(void);
void native_hear(void);

#endif
