/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to classify packets, compared in user space on generated rules:
 *
 *	classifiers [N...]	10000 and 100000 without arguments
 *
 * Each finds the same rule for the same packets, or this ends.  A look-up is
 * the median of five rounds in which all take turns, over a million packets
 * that each hit a rule chosen at random.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "tests/bench-rules/rival.h"

#define PACKETS (1 << 20)
#define ROUNDS	5

static const struct rival *const rivals[] = { &rival_bits, &rival_tuples,
					      &rival_tree, &rival_weir };

enum {
	N_RIVALS = ARRAY_SIZE(rivals)
};

struct result {
	void *built;
	uint64_t bytes;
	double build_ms, ns[ROUNDS];
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static int by_size(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_size);
	return values[ROUNDS / 2];
}

/* Every 64th packet: linear search would take minutes for all. */
static void compare_rivals(const struct result *results,
			   const struct ruleset_packet *packets)
{
	size_t i, k;

	for (i = 0; i < PACKETS; i += 64) {
		uint32_t wanted = rival_weir.find(results[N_RIVALS - 1].built,
						  &packets[i]);

		for (k = 0; k < N_RIVALS; k++) {
			if (!results[k].built ||
			    rivals[k]->find(results[k].built, &packets[i]) ==
				    wanted)
				continue;
			fprintf(stderr, "%s differs\n", rivals[k]->name);
			exit(1);
		}
	}
}

static double time_finds(const struct rival *rival, const void *built,
			 const struct ruleset_packet *packets)
{
	double start = now_ns();
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < PACKETS; i++)
		sum += rival->find(built, &packets[i]);
	__asm__ volatile("" : : "r"(sum));
	return (now_ns() - start) / PACKETS;
}

static void print_result(const char *kind, size_t n, const struct rival *rival,
			 struct result *result)
{
	printf("| %s | %zu | %s | ", kind, n, rival->name);
	if (result->built)
		printf("%.0f | %.1f | %.0f |\n", median(result->ns),
		       result->bytes / 1e6, result->build_ms);
	else
		printf("– | above %.0f | – |\n", result->bytes / 1e6);
}

static void measure(const char *kind, size_t n, struct ruleset_packet *packets)
{
	CLEANUP(ruleset_freep)
	struct ruleset *set = ruleset_make(ruleset_kind(kind), n, 1);
	struct ruleset_trace trace = { .random = 1 };
	struct result results[N_RIVALS] = { 0 };
	size_t i, k, round;
	double start;

	if (!set)
		abort();
	for (i = 0; i < PACKETS; i++)
		ruleset_packet(set, &trace, &packets[i]);
	for (k = 0; k < N_RIVALS; k++) {
		start = now_ns();
		results[k].built = rivals[k]->build(set, &results[k].bytes);
		results[k].build_ms = (now_ns() - start) / 1e6;
	}
	compare_rivals(results, packets);
	for (round = 0; round < ROUNDS; round++)
		for (k = 0; k < N_RIVALS; k++)
			if (results[k].built)
				results[k].ns[round] = time_finds(
					rivals[k], results[k].built, packets);
	for (k = 0; k < N_RIVALS; k++) {
		print_result(kind, n, rivals[k], &results[k]);
		if (results[k].built)
			rivals[k]->free(results[k].built);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "exact", "acl", "fw", "ipc" };
	static const char *const sizes[] = { "10000", "100000" };
	const char *const *list = argc > 1 ? (const char *const *)argv + 1
					   : sizes;
	size_t n = argc > 1 ? (size_t)argc - 1 : ARRAY_SIZE(sizes), i, k;
	struct ruleset_packet *packets = calloc(PACKETS, sizeof(*packets));

	if (!packets)
		abort();
	puts("| rules | number | way | ns a look-up | MB | ms to build |\n"
	     "| --- | --- | --- | --- | --- | --- |");
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (k = 0; k < n; k++)
			measure(kinds[i], strtoul(list[k], NULL, 0), packets);
	free(packets);
	return 0;
}
