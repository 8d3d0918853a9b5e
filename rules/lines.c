/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/utf8.h"

#define CHUNK 65536

/* What is read into at first: of a plain file, enough for all of it. */
static size_t first_room(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size > max)
		return CHUNK;
	return st.st_size + CHUNK;
}

static int read_whole(int fd, size_t max, char **ret_text, size_t *ret_size,
		      struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t size = 0, room = 0;
	ssize_t n;

	for (;;) {
		if (room - size < CHUNK / 2) {
			char *bigger;

			room = room ? room * 2 : first_room(fd, max);
			bigger = array_resize(text, size, room);
			if (!bigger)
				return err_set(err, -ENOMEM, "read");
			text = bigger;
		}
		n = read(fd, text + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, neg_errno(), "read");
		if (n == 0)
			break;
		size += n;
		if (size > max)
			return err_say(err, -EFBIG,
				       "read: more than %zu MiB, which is all "
				       "that fits",
				       max >> 20);
	}
	text[size] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/*
 * Waits for what opened a FIFO without a writer: a byte, or the end of what
 * was written.  False where neither came in time.
 */
static bool fifo_wait(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&ready, 1, TEXT_FIFO_SECONDS * 1000);
	while (r < 0 && errno == EINTR);
	return r != 0;
}

/*
 * A FIFO is opened without waiting for its writer, because that would be for
 * good.  One that has a writer who is silent is read all the same.
 */
int text_read(const char *path, size_t max, char **ret_text, size_t *ret_size,
	      struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = -1;
	bool in_time = true;
	struct stat st;
	int r;

	if (strcmp(path, "-") == 0)
		return read_whole(STDIN_FILENO, max, ret_text, ret_size, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, neg_errno(), "open");
	if (S_ISFIFO(st.st_mode))
		in_time = fifo_wait(fd);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return err_set(err, neg_errno(), "open");
	r = read_whole(fd, max, &text, ret_size, err);
	if (r < 0)
		return r;
	if (!in_time && *ret_size == 0)
		return err_say(err, -ETIMEDOUT,
			       "open: nothing writes to this FIFO (waited %d "
			       "seconds)",
			       TEXT_FIFO_SECONDS);
	*ret_text = TAKE_PTR(text);
	return 0;
}

int text_read_plain(const char *path, size_t max, char **ret_text,
		    size_t *ret_size, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, neg_errno(), "open");
	if (fstat(fd, &st) < 0)
		return err_set(err, neg_errno(), "open");
	if (S_ISDIR(st.st_mode))
		return err_set(err, -EISDIR, "open");
	if (!S_ISREG(st.st_mode))
		return err_say(err, -EINVAL, "open: not a plain file");
	return read_whole(fd, max, ret_text, ret_size, err);
}

bool text_is_utf16(const char *text, size_t size)
{
	return size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
			     memcmp(text, "\xfe\xff", 2) == 0);
}

void lines_begin(struct lines *lines, char *text, size_t size)
{
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	*lines = (struct lines){ .next = text, .end = text + size };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool lines_next(struct lines *lines)
{
	char *begin = lines->next, *end;

	if (begin == lines->end)
		return false;
	end = memchr(begin, '\n', lines->end - begin);
	lines->next = end ? end + 1 : lines->end;
	if (!end)
		end = lines->end;
	while (end > begin && is_blank(end[-1]))
		end--;
	while (begin < end && is_blank(*begin))
		begin++;
	*end = '\0'; /* a blank, the line's end, or the text's own NUL */
	lines->line = begin;
	lines->n_line = end - begin;
	lines->number++;
	return true;
}

int line_check(const struct lines *lines, const char *file,
	       struct problems *problems)
{
	const unsigned char *p = (const unsigned char *)lines->line;
	const unsigned char *end = p + lines->n_line;

	while (p < end) {
		int code = utf8_take(&p, end);

		if (code == 0)
			return problem_add(problems, file, lines->number,
					   "the line has a NUL byte");
		if (code < 0)
			return problem_add(problems, file, lines->number,
					   "the line is not UTF-8 (byte "
					   "0x%02x)",
					   *p);
		if (utf8_is_control(code))
			return problem_add(problems, file, lines->number,
					   "the line has a control character "
					   "(U+%04X)",
					   code);
		if (utf8_is_invisible(code))
			return problem_add(problems, file, lines->number,
					   "the line has an invisible "
					   "character (U+%04X)",
					   code);
	}
	return 0;
}
