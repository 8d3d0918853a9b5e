/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/bpffs.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "pins/folder.h"

#define STANDARD_BPFFS "/sys/fs/bpf"

bool bpffs_is_at(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int mount_at(const char *target, struct err *err)
{
	if (mount("bpf", target, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=700") < 0)
		return err_set(err, neg_errno(),
			       "mount bpffs at '%s' (mount -t bpf bpf %s does "
			       "the same)",
			       target, target);
	return 0;
}

int bpffs_ensure(const char *dir, char ret_mounted[static PATH_MAX],
		 struct err *err)
{
	const char *mounted = "";
	bool standard =
		strncmp(dir, STANDARD_BPFFS "/", sizeof(STANDARD_BPFFS)) == 0;
	int r;

	if (strlen(dir) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "'%s'", dir);
	if (standard && !bpffs_is_at(STANDARD_BPFFS)) {
		r = mount_at(STANDARD_BPFFS, err);
		if (r < 0)
			return r;
		mounted = STANDARD_BPFFS;
	}
	r = folder_make(dir, err);
	if (r < 0)
		return r;
	if (!bpffs_is_at(dir)) {
		r = mount_at(dir, err);
		if (r < 0)
			return r;
		mounted = dir;
	}
	strcpy(ret_mounted, mounted);
	return 0;
}

int bpffs_unmount(const char *mounted)
{
	return umount2(mounted, UMOUNT_NOFOLLOW) < 0 ? neg_errno() : 0;
}
