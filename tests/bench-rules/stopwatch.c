/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stopwatch NETNS COUNT COMMAND...: runs a command COUNT times in a network
 * namespace (a file), one after the other, and prints the median of how long
 * the whole process took, in ms.  {} in an argument is the turn: 0, 1, …
 * Ends as the first that fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"

#define COUNT_MAX 1000
#define WORDS_MAX 64

extern char **environ;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* The word with the turn in the place of {}; lives as long as the program. */
static char *word_of(char *word, int turn)
{
	char *mark = strstr(word, "{}"), *text = NULL;

	if (!mark)
		return word;
	if (asprintf(&text, "%.*s%d%s", (int)(mark - word), word, turn,
		     mark + 2) < 0)
		return word;
	return text;
}

static int run(char **words, int turn, double *ret_ms)
{
	char *argv[WORDS_MAX + 1] = { NULL };
	double begun;
	int i, status;
	pid_t pid;

	for (i = 0; i < WORDS_MAX && words[i]; i++)
		argv[i] = word_of(words[i], turn);
	begun = now_ms();
	errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (errno) {
		perror(argv[0]);
		return 127;
	}
	if (waitpid(pid, &status, 0) < 0)
		return 127;
	*ret_ms = now_ms() - begun;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
	AUTO_CLOSE int fd = argc > 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	int n = argc > 3 ? atoi(argv[2]) : 0, i, status;
	double ms[COUNT_MAX] = { 0 };

	if (n < 1 || n > COUNT_MAX || fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		fprintf(stderr, "usage: stopwatch NETNS COUNT COMMAND...\n");
		return 2;
	}
	for (i = 0; i < n; i++) {
		status = run(argv + 3, i, &ms[i]);
		if (status)
			return status;
	}
	qsort(ms, n, sizeof(*ms), by_size);
	fprintf(stdout, "stopwatch %.3f\n", ms[n / 2]);
	return 0;
}
