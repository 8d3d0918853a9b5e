/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/map_memory.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/number.h"

/* As the kernel tells whoever has it open. */
int map_memory(int fd, uint64_t *sum)
{
	AUTO_CLOSE int info = -1;
	char path[64], text[1024];
	const char *line;
	uint64_t bytes;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n < 0)
		return neg_errno();
	text[n] = '\0';
	line = strstr(text, "memlock:\t");
	if (!line)
		return -EPROTO;
	line += strlen("memlock:\t");
	if (number_scan(&line, UINT64_MAX, &bytes) < 0)
		return -EPROTO;
	*sum += bytes;
	return 0;
}

int map_memory_inside(int outer, uint32_t place, uint32_t but, uint64_t *sum,
		      uint32_t *ret_id)
{
	AUTO_CLOSE int inner = -1;
	uint32_t id;
	int r;

	*ret_id = 0;
	r = bpf_map_lookup_elem(outer, &place, &id);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret_id = id;
	if (id == but)
		return 0;
	inner = bpf_map_get_fd_by_id(id);
	if (inner == -ENOENT) /* it was replaced just now */
		return 0;
	return inner < 0 ? inner : map_memory(inner, sum);
}
