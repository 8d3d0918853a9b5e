/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/find.h"

void find_cgroup_path(int mount_fd, const char *mount, uint64_t id,
		      char *ret_path, size_t size)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} buffer = { .handle = { .handle_bytes = sizeof(id),
				 .handle_type = 0xfe } }; /* FILEID_KERNFS */
	char link[64], path[PATH_MAX];
	AUTO_CLOSE int fd = -1;
	size_t prefix = strlen(mount);
	ssize_t length;

	ret_path[0] = '\0';
	memcpy(buffer.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount_fd, &buffer.handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < (ssize_t)prefix)
		return;
	path[length] = '\0';
	if (strstr(path, " (deleted)"))
		return;
	snprintf(ret_path, size, "%s", path[prefix] ? path + prefix : "/");
}
