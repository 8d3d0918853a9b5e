/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet costs: traffic SCENE NAME=VALUE...
 *
 *	from to		files of the namespaces that send and receive
 *	cgroup home	folders: of the sockets that rules hold for, the others
 *	client server	addresses of the two
 *	kind rules seed	of the rule set that is in force
 *	flows packets samples seconds processor
 *
 * Prints, as JSON, ns of CPU for a packet (of TCP: for a connection), the
 * median and the least of the samples, and how many packets came.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench-rules/traffic.h"

#define SAMPLES_MAX 1000

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("processor %d", processor);
}

static void option_set(struct options *options, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		die("%s has no value", word);
	*value++ = '\0';
	if (strcmp(word, "from") == 0)
		options->from = value;
	else if (strcmp(word, "to") == 0)
		options->to = value;
	else if (strcmp(word, "cgroup") == 0)
		options->cgroup = value;
	else if (strcmp(word, "home") == 0)
		options->home = value;
	else if (strcmp(word, "client") == 0)
		options->client = value;
	else if (strcmp(word, "server") == 0)
		options->server = value;
	else if (strcmp(word, "kind") == 0)
		options->kind = ruleset_kind(value);
	else if (strcmp(word, "rules") == 0)
		options->rules = strtoul(value, NULL, 0);
	else if (strcmp(word, "seed") == 0)
		options->seed = strtoull(value, NULL, 0);
	else if (strcmp(word, "flows") == 0)
		options->flows = strtoul(value, NULL, 0);
	else if (strcmp(word, "packets") == 0)
		options->packets = strtoul(value, NULL, 0);
	else if (strcmp(word, "samples") == 0)
		options->samples = strtoul(value, NULL, 0);
	else if (strcmp(word, "seconds") == 0)
		options->seconds = strtod(value, NULL);
	else if (strcmp(word, "processor") == 0)
		stay_on(atoi(value));
	else
		die("%s is not an option", word);
}

static const struct scene *scene_find(const char *name)
{
	size_t i;

	for (i = 0; i < n_scenes; i++)
		if (strcmp(scenes[i].name, name) == 0)
			return &scenes[i];
	die("%s is not a scene", name);
}

/* Nothing is counted: what comes first is slower. */
static void warm_up(struct ground *ground, const struct scene *scene)
{
	struct tally tally = { 0 };

	scene->pick(ground, BATCH);
	scene->play(ground, 0, BATCH, &tally);
	scene->play(ground, 0, BATCH, &tally);
}

/* ns of CPU for a packet; fewer packets where they take too long. */
static double sample(struct ground *ground, const struct scene *scene,
		     struct tally *tally)
{
	const struct options *options = ground->options;
	struct tally here = { 0 };
	double end, begun;
	size_t first = 0;

	scene->pick(ground, options->packets);
	end = seconds_of(CLOCK_MONOTONIC) + options->seconds / options->samples;
	begun = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	while (first < options->packets && seconds_of(CLOCK_MONOTONIC) < end) {
		size_t n = options->packets - first;

		if (n > BATCH)
			n = BATCH;
		scene->play(ground, first, n, &here);
		first += n;
	}
	begun = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begun;
	tally->sent += here.sent;
	tally->passed += here.passed;
	return begun * 1e9 / here.sent;
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static void measure(struct ground *ground, const struct scene *scene)
{
	double ns[SAMPLES_MAX] = { 0 };
	struct tally tally = { 0 };
	size_t i, n = ground->options->samples;

	warm_up(ground, scene);
	for (i = 0; i < n; i++)
		ns[i] = sample(ground, scene, &tally);
	qsort(ns, n, sizeof(*ns), by_size);
	printf("{\"ns\": %.1f, \"least\": %.1f, \"sent\": %zu, "
	       "\"passed\": %zu}\n",
	       ns[n / 2], ns[0], tally.sent, tally.passed);
}

int main(int argc, char **argv)
{
	CLEANUP(ruleset_freep) struct ruleset *set = NULL;
	struct options options = { .kind = RULESET_EXACT,
				   .rules = 1,
				   .seed = 1,
				   .flows = 100000,
				   .packets = 20000,
				   .samples = 9,
				   .seconds = 2 };
	struct ground ground = { .options = &options, .raw = -1 };
	const struct scene *scene;
	int i;

	if (argc < 2)
		die("usage: traffic SCENE NAME=VALUE...");
	scene = scene_find(argv[1]);
	for (i = 2; i < argc; i++)
		option_set(&options, argv[i]);
	if (options.samples < 1 || options.samples > SAMPLES_MAX ||
	    options.packets < BATCH || !options.from || !options.to ||
	    !options.cgroup || !options.home || !options.client ||
	    !options.server)
		die("an option is missing or out of bounds");
	ground.set = set =
		ruleset_make(options.kind, options.rules, options.seed);
	ground.packets = calloc(options.packets, sizeof(*ground.packets));
	if (!set || !ground.packets)
		die("memory");
	ground.client = ntohl(inet_addr(options.client));
	ground.server = ntohl(inet_addr(options.server));
	/* The same packets for everybody. */
	ground.random = options.seed * 2 + 1;
	ground.sequence = ground.random;
	for (i = 0; i < RULESET_PORTS; i++)
		ground.servers[i] = -1;
	scene->prepare(&ground);
	measure(&ground, scene);
	free(ground.packets);
	return 0;
}
