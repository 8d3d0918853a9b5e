/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/pace_world.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/pace_test.skel.h"

struct pace_world *pace_world;

static struct pace_test_bpf *programs;
static int packet_fd, police_fd, hear_fd;
static char what[256];

static void explain(void)
{
	const struct pace_step *step = &native_world()->step;
	size_t i;

	fprintf(stderr, "%s: at %llu ns, %u bytes (%u) of socket %d\n", what,
		step->now, step->wire, step->payload, (int)step->sock);
	for (i = 0; i < step->scopes; i++)
		fprintf(stderr, "scope %zu: %llu bytes/s, burst %llu\n", i,
			native_world()->limits[i].rate_bytes,
			native_world()->limits[i].burst_bytes);
}

/* The arithmetic has done what C does not define. */
static void trap(int signal)
{
	explain();
	fprintf(stderr, "signal %d: a division by zero or an overflow\n",
		signal);
	_exit(1);
}

int world_set_up(void **state)
{
	(void)state;
	programs = pace_test_bpf__open();
	assert(programs);
	/* No program uses it; without a bpffs it cannot be pinned. */
	assert(bpf_map__set_autocreate(programs->maps.sockets, false) == 0);
	assert(bpf_map__set_pin_path(programs->maps.sockets, NULL) == 0);
	assert(pace_test_bpf__load(programs) == 0);
	pace_world = &programs->bss->world;
	packet_fd = bpf_program__fd(programs->progs.pace_packet);
	police_fd = bpf_program__fd(programs->progs.police_packet);
	hear_fd = bpf_program__fd(programs->progs.pace_hear);
	return 0;
}

int world_tear_down(void **state)
{
	(void)state;
	pace_test_bpf__destroy(programs);
	return 0;
}

void world_begin(const char *about)
{
	snprintf(what, sizeof(what), "%s", about);
	/* cmocka has handlers of its own, for each test. */
	signal(SIGFPE, trap);
	signal(SIGILL, trap);
	memset(pace_world, 0, sizeof(*pace_world));
	memset(native_world(), 0, sizeof(*native_world()));
	pace_world->ops.mss_cache = native_world()->ops.mss_cache = 1448;
}

void world_limit(unsigned int scope, uint64_t rate_bytes, uint64_t burst_bytes)
{
	struct limit_row limit = {
		.rate_bytes = rate_bytes,
		.burst_bytes = burst_bytes,
	};

	pace_world->limits[scope] = limit;
	native_world()->limits[scope] = limit;
}

void world_new_socket(uint32_t sock)
{
	struct pace_world *native = native_world();

	memset(&pace_world->socks[sock], 0, sizeof(struct pace_sock));
	memset(&native->socks[sock], 0, sizeof(struct pace_sock));
	memset(&pace_world->told[sock], 0, sizeof(struct pace_told));
	memset(&native->told[sock], 0, sizeof(struct pace_told));
}

static void run(int fd)
{
	static uint8_t frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = 1);

	assert(bpf_prog_test_run_opts(fd, &opts) == 0);
}

static void compare(const void *kernel, const void *native, size_t size,
		    const char *name)
{
	if (memcmp(kernel, native, size) == 0)
		return;
	explain();
	fprintf(stderr, "%s is not what plain C makes of it\n", name);
	abort();
}

static void step_both(const struct pace_step *step, int fd,
		      void (*native)(void))
{
	struct pace_world *other = native_world();
	uint32_t sock = step->sock;

	pace_world->step = other->step = *step;
	native();
	run(fd);
	compare(&pace_world->step, &other->step, sizeof(*step), "the result");
	compare(pace_world->scopes, other->scopes, sizeof(other->scopes),
		"a scope");
	compare(&pace_world->police, &other->police, sizeof(other->police),
		"what is policed");
	if (sock >= PACE_SOCKETS)
		return;
	compare(&pace_world->socks[sock], &other->socks[sock],
		sizeof(struct pace_sock), "a socket");
	compare(&pace_world->told[sock], &other->told[sock],
		sizeof(struct pace_told), "what a socket was told");
}

bool world_send(const struct pace_step *step)
{
	step_both(step, packet_fd, native_packet);
	return pace_world->step.passed;
}

bool world_receive(const struct pace_step *step)
{
	step_both(step, police_fd, native_police);
	return pace_world->step.passed;
}

void world_rtt(uint32_t sock, uint32_t srtt_us)
{
	struct pace_step step = { .sock = sock, .srtt_us = srtt_us };

	step_both(&step, hear_fd, native_hear);
}

unsigned long world_rounds(unsigned long rounds)
{
	const char *text = getenv("WEIR_ROUNDS");

	if (text && *text)
		return strtoul(text, NULL, 0);
	return getenv("WEIR_VM") ? rounds / 20 + 1 : rounds;
}
