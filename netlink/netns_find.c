/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "netlink/netns.h"

/* The inode number of the first pid namespace, on every kernel. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

struct search {
	uint64_t id;
	int fd;		/* -1: not found yet */
	uint64_t *seen; /* inode numbers */
	size_t n_seen;
};

static void search_clear(struct search *search)
{
	close_fdp(&search->fd);
	free(search->seen);
}

static bool is_seen(const struct search *search, uint64_t inode)
{
	size_t i;

	for (i = 0; i < search->n_seen; i++)
		if (search->seen[i] == inode)
			return true;
	return false;
}

/* What may not be opened or entered is passed over: nothing could be done. */
static int look_at(struct search *search, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t inode, id, *seen;
	struct err ignored;

	if (fd < 0 || netns_inode(fd, &inode, &ignored) < 0 ||
	    is_seen(search, inode))
		return 0;
	seen = ARRAY_ADD(search, seen);
	if (!seen)
		return -ENOMEM;
	*seen = inode;
	if (netns_id(fd, &id, &ignored) == 0 && id == search->id)
		search->fd = TAKE_FD(fd);
	return 0;
}

static void close_mountsp(FILE **file)
{
	if (*file)
		endmntent(*file);
}

static int look_at_mounts(struct search *search)
{
	CLEANUP(close_mountsp)
	FILE *file = setmntent("/proc/self/mounts", "re");
	char buffer[3 * PATH_MAX];
	struct mntent entry;
	int r = 0;

	if (!file)
		return neg_errno();
	while (r == 0 && search->fd < 0 &&
	       getmntent_r(file, &entry, buffer, sizeof(buffer)))
		if (strcmp(entry.mnt_type, "nsfs") == 0)
			r = look_at(search, entry.mnt_dir);
	return r;
}

static int look_at_processes(struct search *search)
{
	CLEANUP(closedirp) DIR *dir = opendir("/proc");
	const struct dirent *entry;
	char path[PATH_MAX];
	int r = 0;

	if (!dir)
		return neg_errno();
	while (r == 0 && search->fd < 0 && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		r = look_at(search, path);
	}
	return r;
}

static bool sees_all_processes(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 &&
	       st.st_ino == FIRST_PID_NAMESPACE;
}

int netns_find(uint64_t id, int *ret_fd, struct err *err)
{
	CLEANUP(search_clear) struct search search = { .id = id, .fd = -1 };
	int r;

	r = look_at_mounts(&search);
	if (r == 0 && search.fd < 0)
		r = look_at_processes(&search);
	if (r < 0)
		return err_set(err, r, "look for a network namespace");
	if (search.fd < 0)
		return sees_all_processes() ? -ENOENT : -EXDEV;
	*ret_fd = TAKE_FD(search.fd);
	return 0;
}
