/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ledger_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/crash.h"
#include "ctl/say.h"
#include "pins/folder.h"

static void file_path(const char *state, const char *suffix,
		      char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/quotas%s", state, suffix);
}

static int read_fd(int fd, char **ret_text, size_t *ret_size)
{
	AUTO_FREE char *text = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (!S_ISREG(st.st_mode) || st.st_size > LEDGER_SIZE_MAX)
		return -EFBIG;
	text = malloc(st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (size < (size_t)st.st_size) {
		n = read(fd, text + size, st.st_size - size);
		if (n < 0)
			return neg_errno();
		if (n == 0)
			break;
		size += n;
	}
	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* *ret_text is NULL where there is no file. */
static int read_text(const char *path, char **ret_text, size_t *ret_size,
		     struct err *err)
{
	AUTO_CLOSE int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r = fd < 0 ? neg_errno() : read_fd(fd, ret_text, ret_size);

	if (r == -ENOENT)
		return 0;
	if (r == -EFBIG)
		return err_say(err, r, "'%s' is no file of quotas", path);
	return r < 0 ? err_set(err, r, "read '%s'", path) : 0;
}

/* Nothing of it is believed. */
static int put_aside(const char *state, const char *path, const struct err *why,
		     struct err *err)
{
	char aside[PATH_MAX];

	file_path(state, ".damaged", aside);
	say("%s: %s: what was used of quotas is not known from it (it is kept "
	    "as %s)",
	    path, why->msg, aside);
	if (rename(path, aside) < 0)
		return err_set(err, neg_errno(), "rename '%s'", path);
	return 0;
}

int ledger_file_read(const char *state, struct ledger *ret_ledger,
		     struct err *err)
{
	AUTO_FREE char *text = NULL;
	char path[PATH_MAX];
	struct err why;
	size_t size;
	int r;

	file_path(state, "", path);
	*ret_ledger = (struct ledger){ 0 };
	r = read_text(path, &text, &size, err);
	if (r < 0 || !text)
		return r;
	r = ledger_parse(text, size, ret_ledger, &why);
	if (r == -EINVAL)
		return put_aside(state, path, &why, err);
	return r < 0 ? err_set(err, r, "read '%s'", path) : 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(fd, text, size);
		if (n < 0)
			return neg_errno();
		text += n;
		size -= n;
	}
	return fsync(fd) < 0 ? neg_errno() : 0;
}

/* The folder's entry is to outlive a crash, too. */
static int sync_folder(const char *state)
{
	AUTO_CLOSE int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? neg_errno() : 0;
}

static int replace(const char *state, const char *path, const char *text,
		   size_t size)
{
	AUTO_CLOSE int fd = -1;
	char temporary[PATH_MAX];
	int r;

	file_path(state, ".new", temporary);
	fd = open(temporary,
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return neg_errno();
	r = write_all(fd, text, size);
	crash_point();
	if (r == 0 && rename(temporary, path) < 0)
		r = neg_errno();
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	return sync_folder(state);
}

int ledger_file_write(const char *state, const struct ledger *ledger,
		      struct err *err)
{
	AUTO_FREE char *text = NULL, *was = NULL;
	size_t size, was_size = 0;
	char path[PATH_MAX];
	struct err ignored;
	int r;

	file_path(state, "", path);
	if (ledger_format(ledger, &text, &size) < 0)
		return err_set(err, -ENOMEM, "write '%s'", path);
	r = read_text(path, &was, &was_size, &ignored);
	if (r == 0 && was && was_size == size && memcmp(was, text, size) == 0)
		return 0;
	if (r == 0 && !was && !ledger->n_entries)
		return 0;
	r = folder_make(state, err);
	if (r < 0)
		return r;
	r = replace(state, path, text, size);
	return r < 0 ? err_set(err, r, "write '%s'", path) : 0;
}
