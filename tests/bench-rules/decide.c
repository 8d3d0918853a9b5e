/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel takes to decide packets by generated rules:
 *
 *	decide [KIND N]...
 *
 * A million packets, each of which hits a rule chosen at random, by
 * BPF_PROG_TEST_RUN; less what the same program takes that decides nothing.
 * Medians of five rounds in which the two take turns.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/array.h"
#include "rules/policy_text.h"
#include "tests/bench-rules/decide.h"
#include "tests/bench-rules/decide.skel.h"
#include "tests/bench-rules/ruleset.h"
#include "tests/bpf/matcher.h"

#define ROUNDS 5

static struct decide_bpf *programs;
static struct decide_packet *packets;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void load(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .pin_root_path = matcher_folder());

	programs = decide_bpf__open_opts(&opts);
	assert(programs);
	assert(decide_bpf__load(programs) == 0);
	packets = mmap(NULL, DECIDE_PACKETS * sizeof(*packets),
		       PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(programs->maps.packets), 0);
	assert(packets != MAP_FAILED);
}

static void write_packets(const struct ruleset *set)
{
	struct ruleset_trace trace = { .random = 1 };
	struct ruleset_packet packet;
	size_t i;

	for (i = 0; i < DECIDE_PACKETS; i++) {
		uint8_t *bytes = packets[i].bytes;
		uint32_t addresses[2];
		uint16_t ports[2];

		ruleset_packet(set, &trace, &packet);
		addresses[0] = htonl(packet.src);
		addresses[1] = htonl(packet.dst);
		ports[0] = htons(packet.sport);
		ports[1] = htons(packet.dport);
		bytes[0] = packet.protocol;
		memcpy(bytes + 3, addresses, sizeof(addresses));
		memcpy(bytes + 11, ports, sizeof(ports));
	}
}

static struct policy *policy_of(const struct ruleset *set)
{
	struct problems problems = { 0 };
	struct policy *policy = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert(out);
	fputs("[chain c]\npolicy = deny\n", out);
	ruleset_write_weir(set, out);
	fclose(out);
	assert(policy_read_text("rules", text, size, &problems, &policy) == 0);
	problems_clear(&problems);
	free(text);
	return policy;
}

static double run(const struct bpf_program *program)
{
	/* Long enough for any header. */
	static uint8_t frame[110] = {
		[12] = 8, [14] = 0x45, [17] = 96, [22] = 64, [46] = 0x50
	};
	/* Not by loopback, of which no chain here decides. */
	struct __sk_buff context = { .ifindex = if_nametoindex("t0") };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = DECIDE_PACKETS);

	assert(bpf_prog_test_run_opts(bpf_program__fd(program), &opts) == 0);
	return opts.duration;
}

static int by_size(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static void measure(const char *kind, size_t n)
{
	CLEANUP(ruleset_freep)
	struct ruleset *set = ruleset_make(ruleset_kind(kind), n, 1);
	CLEANUP(policy_freep) struct policy *policy = NULL;
	double ns[ROUNDS], start, used;
	size_t i;

	assert(set);
	ruleset_allow(set);
	write_packets(set);
	policy = policy_of(set);
	start = now_ms();
	matcher_use(policy);
	used = now_ms() - start;
	for (i = 0; i < ROUNDS; i++) {
		ns[i] = -run(programs->progs.decide_none);
		ns[i] += run(programs->progs.decide_all);
	}
	qsort(ns, ROUNDS, sizeof(*ns), by_size);
	printf("| %s | %zu | %.0f | %.0f |\n", kind, n, ns[ROUNDS / 2], used);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "exact", "acl", "fw", "ipc" };
	static const size_t sizes[] = { 10, 1000, 10000, 100000 };
	size_t i, k;

	matcher_set_up(NULL);
	load();
	puts("| rules | number | ns a decision | ms to compile and write |\n"
	     "| --- | --- | --- | --- |");
	for (i = 1; i + 1 < (size_t)argc; i += 2)
		measure(argv[i], strtoul(argv[i + 1], NULL, 0));
	for (i = 0; argc == 1 && i < ARRAY_SIZE(kinds); i++)
		for (k = 0; k < ARRAY_SIZE(sizes); k++)
			measure(kinds[i], sizes[k]);
	decide_bpf__destroy(programs);
	matcher_tear_down(NULL);
	return 0;
}
