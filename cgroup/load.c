/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

uint64_t load_hash(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint64_t hash = 0xcbf29ce484222325;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

int load_make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, neg_errno(), "make folder '%s'", path);
	return 0;
}

int load_remove_folder(const char *path, struct err *err)
{
	CLEANUP(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0
				       : err_set(err, neg_errno(),
						 "open folder '%s'", path);
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

int load_open_map(const char *dir, const char *name, int *ret_fd,
		  struct err *err)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_set(err, fd, "open map '%s'", path);
	*ret_fd = fd;
	return 0;
}

/* libbpf gives its callback no data to carry. */
static struct load_log *current;

/* The verifier's last line, or libbpf's, is the one that says why. */
static int keep_line(enum libbpf_print_level level, const char *fmt,
		     va_list args)
{
	char text[16384], *line, *rest = text;

	if (level != LIBBPF_WARN || !current)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line || strncmp(line, "processed ", 10) == 0 ||
		    strstr(line, "END PROG LOAD LOG") ||
		    strstr(line, "failed to load") ||
		    strstr(line, "failed to pin"))
			continue;
		snprintf(current->last, sizeof(current->last), "%.399s", line);
	}
	return 0;
}

void load_log_begin(struct load_log *log)
{
	*log = (struct load_log){ 0 };
	current = log;
	libbpf_set_print(keep_line);
}

int load_log_end(struct load_log *log, int code, const char *what,
		 struct err *err)
{
	current = NULL;
	if (code >= 0)
		return code;
	if (!log->last[0])
		return err_set(err, code, "%s", what);
	return err_set(err, code, "%s: %s", what, log->last);
}
