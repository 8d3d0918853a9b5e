/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "pins/folder.h"

#define STANDARD_BPFFS "/sys/fs/bpf"

static void close_mtabp(FILE **file)
{
	if (*file)
		endmntent(*file);
}

int mount_find_cgroup2(char ret_path[static PATH_MAX], struct err *err)
{
	CLEANUP(close_mtabp) FILE *file = setmntent("/proc/self/mounts", "re");
	char buffer[3 * PATH_MAX];
	struct mntent entry;
	bool v1 = false;

	if (!file)
		return err_set(err, neg_errno(), "open /proc/self/mounts");
	while (getmntent_r(file, &entry, buffer, sizeof(buffer))) {
		v1 |= strcmp(entry.mnt_type, "cgroup") == 0;
		if (strcmp(entry.mnt_type, "cgroup2") != 0 ||
		    strlen(entry.mnt_dir) >= PATH_MAX)
			continue;
		strcpy(ret_path, entry.mnt_dir);
		return 0;
	}
	if (v1)
		return err_say(
			err, -ENOENT,
			"only cgroup v1 is mounted here, and weir needs "
			"cgroup2: boot with "
			"systemd.unified_cgroup_hierarchy=1, or mount it "
			"(mount -t cgroup2 none /sys/fs/cgroup/unified)");
	return err_say(err, -ENOENT,
		       "cgroup2 is not mounted: mount -t cgroup2 none "
		       "/sys/fs/cgroup");
}

bool mount_is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int mount_bpffs(const char *target, struct err *err)
{
	if (mount("bpf", target, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=700") < 0)
		return err_set(err, neg_errno(),
			       "mount bpffs at '%s' (mount -t bpf bpf %s does "
			       "the same)",
			       target, target);
	return 0;
}

int mount_ensure_bpffs(const char *dir, char ret_mounted[static PATH_MAX],
		       struct err *err)
{
	const char *mounted = "";
	bool standard =
		strncmp(dir, STANDARD_BPFFS "/", sizeof(STANDARD_BPFFS)) == 0;
	int r;

	if (strlen(dir) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "'%s'", dir);
	if (standard && !mount_is_bpffs(STANDARD_BPFFS)) {
		r = mount_bpffs(STANDARD_BPFFS, err);
		if (r < 0)
			return r;
		mounted = STANDARD_BPFFS;
	}
	r = folder_make(dir, err);
	if (r < 0)
		return r;
	if (!mount_is_bpffs(dir)) {
		r = mount_bpffs(dir, err);
		if (r < 0)
			return r;
		mounted = dir;
	}
	strcpy(ret_mounted, mounted);
	return 0;
}

int mount_undo_bpffs(const char *mounted)
{
	return umount2(mounted, UMOUNT_NOFOLLOW) < 0 ? neg_errno() : 0;
}
