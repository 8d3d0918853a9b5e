/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/bpffs.h"

#include <dirent.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "pins/folder.h"

#define STANDARD_BPFFS "/sys/fs/bpf"

/*
 * Tells our mounts from others', from the moment they are there: set-group-id
 * for a group that may do nothing is of no use to anybody else.  A name as the
 * mount's source would say it better, but kernels before 5.17 forget that.
 */
#define OUR_MODE    02700
#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

bool bpffs_is_at(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static bool is_below_standard(const char *dir)
{
	return strncmp(dir, STANDARD_BPFFS "/", sizeof(STANDARD_BPFFS)) == 0;
}

static int mount_at(const char *target, struct err *err)
{
	char options[32];

	snprintf(options, sizeof(options), "mode=%o", OUR_MODE);
	if (mount("bpf", target, "bpf", MOUNT_FLAGS, options) < 0)
		return err_set(err, neg_errno(),
			       "mount bpffs at '%s' (mount -t bpf bpf %s does "
			       "the same)",
			       target, target);
	return 0;
}

int bpffs_ensure(const char *dir, struct err *err)
{
	int r = 0;

	if (is_below_standard(dir) && !bpffs_is_at(STANDARD_BPFFS))
		r = mount_at(STANDARD_BPFFS, err);
	if (r == 0)
		r = folder_make(dir, err);
	if (r < 0 || bpffs_is_at(dir))
		return r;
	return mount_at(dir, err);
}

/* The kernel sets the sticky bit by itself. */
static bool is_ours(const char *path)
{
	struct stat folder;

	return bpffs_is_at(path) && stat(path, &folder) == 0 &&
	       (folder.st_mode & ~(S_IFMT | S_ISVTX)) == OUR_MODE;
}

/* Of pins: names with a dot are the kernel's own. */
static bool is_empty(const char *path)
{
	CLEANUP(closedirp) DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (!strchr(entry->d_name, '.'))
			return false;
	return folder;
}

static int unmount(const char *path, struct err *err)
{
	if (!is_ours(path) || !is_empty(path))
		return 0;
	/* A folder on our mount inherits the mode, and is no mount: EINVAL. */
	if (umount(path) < 0 && errno != EINVAL)
		return err_set(err, neg_errno(), "unmount '%s'", path);
	return 0;
}

int bpffs_release(const char *dir, struct err *err)
{
	int r = unmount(dir, err);

	return r == 0 && is_below_standard(dir) ? unmount(STANDARD_BPFFS, err)
						: r;
}
