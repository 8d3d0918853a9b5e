/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/mount.h"

#include <mntent.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

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
