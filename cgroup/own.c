/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/own.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cgroup/find.h"

/* The caller's cgroup, "" for the root. */
static int own_place(char ret_path[static PATH_MAX], struct err *err)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 8];

	if (!file)
		return err_set(err, neg_errno(), "open /proc/self/cgroup");
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line + 3, "/..", 3) == 0)
			return err_say(err, -ENOENT,
				       "this process is in a cgroup outside of "
				       "its cgroup namespace: weir cannot make "
				       "one below it");
		snprintf(ret_path, PATH_MAX, "%s", line[4] ? line + 3 : "");
		return 0;
	}
	return err_say(err, -ENOENT, "this process is in no cgroup2");
}

/* Descends, and removes folders on the way back. */
static int remove_below(int fd, int depth)
{
	CLEANUP(closedirp) DIR *dir = find_entries(fd);
	struct dirent *entry;

	if (!dir)
		return neg_errno();
	while ((entry = readdir(dir))) {
		AUTO_CLOSE int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child >= 0 && depth < PATH_MAX / 2)
			remove_below(child, depth + 1);
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			return neg_errno();
	}
	return 0;
}

/* "populated 1" in cgroup.events, which must be read from its beginning. */
static bool is_populated(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return false; /* the cgroup has gone */
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

static int open_events(const char *mount, const char *path)
{
	AUTO_CLOSE int fd = find_open(mount, path);

	if (fd < 0)
		return -1;
	return openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
}

bool own_is_busy(const char *mount, const char *path)
{
	AUTO_CLOSE int events = open_events(mount, path);

	return events >= 0 && is_populated(events);
}

/* The path comes out of a table: whatever it says, others' stay. */
static bool is_own(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && strncmp(slash + 1, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
}

int own_remove(const char *mount, const char *path)
{
	AUTO_CLOSE int fd = -1;
	char full[PATH_MAX];

	if (!is_own(path))
		return -EINVAL;
	if (own_is_busy(mount, path))
		return -EBUSY;
	fd = find_open(mount, path);
	if (fd >= 0)
		remove_below(fd, 0);
	snprintf(full, sizeof(full), "%s%s", mount, path);
	if (rmdir(full) < 0 && errno != ENOENT)
		return neg_errno();
	return 0;
}

void own_wait(const char *mount, const char *path)
{
	AUTO_CLOSE int events = open_events(mount, path);
	struct pollfd wait = { .fd = events, .events = POLLPRI };

	/* A look now and then does no harm should a notice be missed. */
	while (events >= 0 && is_populated(events))
		poll(&wait, 1, 10000);
}

/* Those whose weirctl is gone, where they are empty. */
static void sweep(int parent)
{
	CLEANUP(closedirp) DIR *dir = find_entries(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const size_t n = strlen(OWN_PREFIX);
		long pid;

		if (strncmp(entry->d_name, OWN_PREFIX, n) != 0)
			continue;
		pid = strtol(entry->d_name + n, NULL, 10);
		if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			unlinkat(parent, entry->d_name, AT_REMOVEDIR);
	}
}

int own_make(const char *mount, const char *tag,
	     char ret_path[static CGROUP_PATH_MAX], struct err *err)
{
	AUTO_CLOSE int parent = -1;
	char place[PATH_MAX], name[NAME_MAX];
	int fd, r;

	r = own_place(place, err);
	if (r < 0)
		return r;
	parent = find_open(mount, place);
	if (parent < 0)
		return err_set(err, parent, "open cgroup '%s'", place);
	sweep(parent);
	snprintf(name, sizeof(name), OWN_PREFIX "%s", tag);
	if (strlen(place) + strlen(name) + 2 > CGROUP_PATH_MAX)
		return err_say(err, -ENAMETOOLONG,
			       "the path of this process's cgroup is too long "
			       "to make one below it ('%.80s…')",
			       place);
	if (mkdirat(parent, name, 0755) < 0)
		return err_set(err, neg_errno(), "make a cgroup below '%s'",
			       *place ? place : "/");
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, neg_errno(), "open cgroup '%s/%s'", place,
			       name);
	snprintf(ret_path, CGROUP_PATH_MAX, "%s/%s", place, name);
	return fd;
}

int own_join(int fd)
{
	AUTO_CLOSE int procs = -1;

	procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) < 0)
		return neg_errno();
	return 0;
}
