/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Very many rules at once. */
#include <pthread.h>
#include <sched.h>

#include "rules/rule.h"

/* Starting a thread takes as long as some hundred rules do. */
#define RULES_LEAST 1024
#define THREADS_MAX 8

struct part {
	const char *const *texts;
	struct rule *rules;
	size_t n;
};

static void *parse_part(void *data)
{
	const struct part *part = data;
	struct err ignored;
	size_t i;

	for (i = 0; i < part->n; i++)
		rule_parse(part->texts[i], &part->rules[i], &ignored);
	return NULL;
}

/* Of those that this process may use. */
static size_t count_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return CPU_COUNT(&set);
}

static size_t count_threads(size_t n)
{
	size_t most, threads = n / RULES_LEAST;

	if (threads < 2)
		return 1;
	most = count_processors();
	if (most > THREADS_MAX)
		most = THREADS_MAX;
	return threads < most ? threads : most;
}

void rules_parse(const char *const *texts, size_t n, struct rule *rules)
{
	size_t n_threads = count_threads(n), i;
	pthread_t threads[THREADS_MAX];
	struct part parts[THREADS_MAX];
	bool started[THREADS_MAX];

	if (!n)
		return;
	for (i = 0; i < n_threads; i++) {
		size_t first = n * i / n_threads;

		parts[i] = (struct part){ texts + first, rules + first,
					  n * (i + 1) / n_threads - first };
		started[i] = i + 1 < n_threads &&
			     pthread_create(&threads[i], NULL, parse_part,
					    &parts[i]) == 0;
		if (!started[i])
			parse_part(&parts[i]);
	}
	for (i = 0; i < n_threads; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
}
