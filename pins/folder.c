/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/folder.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "pins/bpffs.h"

/* On a bpffs that was mounted without options anybody may make what is his. */
static bool is_roots(const char *path, const struct stat *st)
{
	mode_t others = st->st_gid == 0 ? S_IWOTH : S_IWGRP | S_IWOTH;

	return st->st_uid == 0 &&
	       (!(st->st_mode & others) ||
		(st->st_mode & S_ISVTX && bpffs_is_at(path)));
}

int folder_check(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_set(err, neg_errno(),
						 "look at folder '%s'", path);
	if (is_roots(path, &st))
		return 0;
	return err_say(err, -EPERM,
		       "folder '%s' is not root's alone: name one that is, "
		       "such as mkdir -m 700 makes",
		       path);
}

int folder_make(const char *path, struct err *err)
{
	struct stat there;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &there) == 0) {
		if (S_ISDIR(there.st_mode))
			return folder_check(path, err);
		errno = ENOTDIR;
	}
	return err_set(err, neg_errno(), "make folder '%s'", path);
}

int folder_open_pin(const char *folder, const char *name, int *ret_fd,
		    struct err *err)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_set(err, fd, "open pin '%s'", path);
	*ret_fd = fd;
	return 0;
}

int folder_find_pin(const char *folder, const char *name, int *ret_fd,
		    struct err *err)
{
	int r = folder_open_pin(folder, name, ret_fd, err);

	return r == -ENOENT ? 0 : r;
}

int folder_remove(const char *path, struct err *err)
{
	AUTO_CLOSE int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir)
		return err_set(err, neg_errno(), "open folder '%s'", path);
	TAKE_FD(fd); /* dir closes it */
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return err_set(err, neg_errno(), "remove '%s/%s'", path,
				       entry->d_name);
	}
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(err, neg_errno(), "remove folder '%s'", path);
	return 0;
}

/* bpffs shows *.debug, files, at the root of each mount. */
static bool is_one_of(const struct dirent *entry, const char *prefix,
		      const char *but)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
	       strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
	       !(but && strcmp(entry->d_name, but) == 0);
}

bool folder_has(const char *dir, const char *prefix, const char *but)
{
	CLEANUP(closedirp) DIR *folder = opendir(dir);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (is_one_of(entry, prefix, but))
			return true;
	return false;
}

int folder_remove_all(const char *dir, const char *prefix, const char *keep,
		      struct err *err)
{
	CLEANUP(closedirp) DIR *folder = opendir(dir);
	char path[PATH_MAX];
	struct dirent *entry;
	int r;

	if (!folder)
		return errno == ENOENT ? 0
				       : err_set(err, neg_errno(),
						 "open folder '%s'", dir);
	while ((entry = readdir(folder))) {
		if (!is_one_of(entry, prefix, keep))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		r = folder_remove(path, err);
		if (r < 0)
			return r;
	}
	return 0;
}
