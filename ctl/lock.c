/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lock.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "pins/folder.h"

/* How often the file may be taken away while we wait for it. */
#define TRIES 100

/* Whether path still names the file that fd is open on. */
static bool is_same_file(int fd, const char *path)
{
	struct stat open_file, named_file;

	return fstat(fd, &open_file) == 0 && stat(path, &named_file) == 0 &&
	       open_file.st_ino == named_file.st_ino &&
	       open_file.st_dev == named_file.st_dev;
}

/*
 * clear removes the file with the folder, so whoever waited for it holds a
 * lock on nothing: then begin again.
 */
int lock_take(const char *folder, struct err *err)
{
	char path[PATH_MAX];
	int try, r;

	snprintf(path, sizeof(path), "%s/lock", folder);
	for (try = 0; try < TRIES; try++) {
		AUTO_CLOSE int fd = -1;

		r = folder_make(folder, err);
		if (r < 0)
			return r;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_set(err, neg_errno(), "open '%s'", path);
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return err_set(err, neg_errno(), "lock '%s'",
					       path);
		if (is_same_file(fd, path))
			return TAKE_FD(fd);
	}
	return err_say(err, -EBUSY, "lock '%s': it keeps being removed", path);
}

void lock_remove(const char *folder)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", folder);
	unlink(path);
	rmdir(folder);
}
