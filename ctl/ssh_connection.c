/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSH_CONNECTION, which sudo and su do not pass on to what they run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/ssh.h"

/* Shells, sudo and the like between weirctl and sshd. */
#define ANCESTORS_MAX 32

#define VARIABLE "SSH_CONNECTION="

/* The parent of a process; 0 where it has none or is gone. */
static int parent_of(int pid)
{
	CLEANUP(fclosep) FILE *status = NULL;
	char path[64], line[256];
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			return parent;
	return 0;
}

/* What the process was started with; "" where it has no such variable. */
static void read_variable(int pid, char ret_value[static SSH_CONNECTION_MAX])
{
	CLEANUP(fclosep) FILE *file = NULL;
	AUTO_FREE char *entry = NULL;
	size_t size = 0, n = strlen(VARIABLE);
	char path[64];

	ret_value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	file = fopen(path, "re");
	while (file && getdelim(&entry, &size, '\0', file) > 0) {
		if (strncmp(entry, VARIABLE, n) != 0)
			continue;
		snprintf(ret_value, SSH_CONNECTION_MAX, "%s", entry + n);
		return;
	}
}

bool ssh_connection(char ret_value[static SSH_CONNECTION_MAX])
{
	const char *own = getenv("SSH_CONNECTION");
	int i, pid = getppid();

	snprintf(ret_value, SSH_CONNECTION_MAX, "%s", own ? own : "");
	for (i = 0; !own && !*ret_value && pid > 1 && i < ANCESTORS_MAX; i++) {
		read_variable(pid, ret_value);
		pid = parent_of(pid);
	}
	return *ret_value != '\0';
}
