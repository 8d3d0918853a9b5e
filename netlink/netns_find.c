/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for a namespace where it shows itself: as a process's, and as a mount
 * in any mount namespace that a process is in.
 *
 * Only what could be looked at is known to be another.  Of what could not be,
 * it is still known which one it is, as a file; so a process that may not be
 * opened (pid 1, of a machine that guards it) does no harm while its namespace
 * is shown by some other.  Whatever else could not be looked at may be the one.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "netlink/netns.h"

/* The inode number of the first pid namespace, on every kernel. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

/* A file of nsfs, or one of proc that each namespace has of its own. */
struct file_id {
	dev_t dev;
	ino_t ino; /* 0: not even that is known */
};

struct file_ids {
	struct file_id *list;
	size_t n_list;
};

struct search {
	uint64_t id;
	int fd;			/* -1: not found yet */
	struct file_ids looked; /* at; for each namespace one or two */
	struct file_ids missed; /* they show one that was not looked at */
	struct file_ids mounts; /* mount namespaces that are through */
};

static void search_clear(struct search *search)
{
	close_fdp(&search->fd);
	free(search->looked.list);
	free(search->missed.list);
	free(search->mounts.list);
}

static bool file_ids_have(const struct file_ids *ids, struct file_id id)
{
	size_t i;

	for (i = 0; i < ids->n_list; i++)
		if (ids->list[i].ino == id.ino && ids->list[i].dev == id.dev)
			return true;
	return false;
}

static int file_ids_add(struct file_ids *ids, struct file_id id)
{
	struct file_id *entry;

	if (file_ids_have(ids, id))
		return 0;
	entry = ARRAY_ADD(ids, list);
	if (!entry)
		return -ENOMEM;
	*entry = id;
	return 0;
}

static int file_id_of(const char *path, struct file_id *ret_id)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return neg_errno();
	*ret_id = (struct file_id){ st.st_dev, st.st_ino };
	return 0;
}

/* Such a process has ended: it shows nothing. */
static bool has_ended(int code)
{
	return code == -ENOENT || code == -ESRCH || code == -EINVAL;
}

static int look_at(struct search *search, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err ignored;
	struct stat st;
	uint64_t id;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return neg_errno();
	if (file_ids_have(&search->looked,
			  (struct file_id){ st.st_dev, st.st_ino }))
		return 0;
	r = netns_id(fd, &id, &ignored);
	if (r < 0)
		return r;
	if (id == search->id)
		search->fd = TAKE_FD(fd);
	return file_ids_add(&search->looked,
			    (struct file_id){ st.st_dev, st.st_ino });
}

/* Anybody may see net/dev, which is another file in each namespace. */
static int look_at_process(struct search *search, const char *pid)
{
	struct file_id dev = { 0 };
	char path[PATH_MAX];
	int looked, r;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	looked = look_at(search, path);
	if (looked == -ENOMEM)
		return looked;
	snprintf(path, sizeof(path), "/proc/%s/net/dev", pid);
	r = file_id_of(path, &dev);
	if (has_ended(r) || (looked == 0 && r < 0))
		return 0;
	return file_ids_add(looked < 0 ? &search->missed : &search->looked,
			    dev);
}

/* mountinfo has blanks as \040. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int c;

	for (; *text; *to++ = *text++)
		if (sscanf(text, "\\%3o", &c) == 1) {
			text += 3;
			*text = (char)c;
		}
	*to = '\0';
}

/* A line of mountinfo: "43 42 0:4 net:[4026532177] /run/netns/x rw …". */
static int look_at_mount(struct search *search, const char *pid,
			 const char *line)
{
	unsigned int major, minor;
	struct file_id shown, id;
	char mounted[PATH_MAX], path[2 * PATH_MAX];
	unsigned long ino;
	int r;

	if (sscanf(line, "%*u %*u %u:%u net:[%lu] %4095s", &major, &minor, &ino,
		   mounted) != 4)
		return 0;
	shown = (struct file_id){ makedev(major, minor), ino };
	if (file_ids_have(&search->looked, shown))
		return 0;
	unescape(mounted);
	snprintf(path, sizeof(path), "/proc/%s/root%s", pid, mounted);
	/* Another mount may hide it, or anything lie there by now. */
	r = file_id_of(path, &id);
	if (r == 0 && id.dev == shown.dev && id.ino == shown.ino)
		r = look_at(search, path);
	if (r == -ENOMEM)
		return r;
	return file_ids_add(&search->missed, shown);
}

/* Those that one process sees, unless another saw them. */
static int look_at_mounts(struct search *search, const char *pid)
{
	CLEANUP(fclosep) FILE *file = NULL;
	AUTO_FREE char *line = NULL;
	struct file_id mounts;
	char path[PATH_MAX];
	size_t size = 0;
	int r;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	r = file_id_of(path, &mounts);
	if (r == 0 && file_ids_have(&search->mounts, mounts))
		return 0;
	if (r == 0 && file_ids_add(&search->mounts, mounts) < 0)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	file = fopen(path, "re");
	if (!file)
		return has_ended(neg_errno())
			       ? 0
			       : file_ids_add(&search->missed,
					      (struct file_id){ 0 });
	r = 0;
	while (r == 0 && search->fd < 0 && getline(&line, &size, file) > 0)
		r = look_at_mount(search, pid, line);
	return r;
}

static int look_around(struct search *search)
{
	CLEANUP(closedirp) DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return neg_errno();
	while (r == 0 && search->fd < 0 && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		r = look_at_process(search, entry->d_name);
		if (r == 0 && search->fd < 0)
			r = look_at_mounts(search, entry->d_name);
	}
	return r;
}

static bool sees_all_processes(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 &&
	       st.st_ino == FIRST_PID_NAMESPACE;
}

/* What was missed at one place may have been looked at elsewhere. */
static bool looked_at_all(const struct search *search)
{
	size_t i;

	for (i = 0; i < search->missed.n_list; i++)
		if (!file_ids_have(&search->looked, search->missed.list[i]))
			return false;
	return sees_all_processes();
}

int netns_find(uint64_t id, int *ret_fd, struct err *err)
{
	CLEANUP(search_clear) struct search search = { .id = id, .fd = -1 };
	int r;

	r = look_around(&search);
	if (r < 0)
		return err_set(err, r, "look for a network namespace");
	if (search.fd < 0)
		return looked_at_all(&search) ? -ENOENT : -EXDEV;
	*ret_fd = TAKE_FD(search.fd);
	return 0;
}
