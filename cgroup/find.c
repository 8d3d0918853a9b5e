/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/find.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "rules/glob.h"

/* One walk, for one pattern. */
struct walk {
	const struct glob_row *glob;
	struct found_cgroups *found;
};

void found_cgroups_clear(struct found_cgroups *found)
{
	size_t i;

	for (i = 0; i < found->n_list; i++)
		free(found->list[i].path);
	free(found->list);
	*found = (struct found_cgroups){ 0 };
}

int find_cgroup_id(int fd, uint64_t *ret_id)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} buffer = { .handle.handle_bytes = sizeof(uint64_t) };
	int mount_id;

	if (name_to_handle_at(fd, "", &buffer.handle, &mount_id,
			      AT_EMPTY_PATH) < 0)
		return neg_errno();
	memcpy(ret_id, buffer.handle.f_handle, sizeof(*ret_id));
	return 0;
}

static int add_found(struct found_cgroups *found, int fd, const char *path,
		     uint32_t group, bool takes)
{
	struct found_cgroup *entry;
	AUTO_FREE char *copy = NULL;
	uint64_t id = 0;
	int r;

	r = find_cgroup_id(fd, &id);
	if (r < 0)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	entry = ARRAY_ADD(found, list);
	if (!entry)
		return -ENOMEM;
	entry->path = TAKE_PTR(copy);
	entry->id = id;
	entry->group = group;
	entry->takes = takes;
	return 0;
}

DIR *find_entries(int fd)
{
	AUTO_CLOSE int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir)
		TAKE_FD(copy);
	return dir;
}

/*
 * Looks at the folders in fd, which is path with length bytes, at level.
 * path has PATH_MAX bytes and is brought back to what it was.
 */
static int walk_folder(const struct walk *walk, int fd, char *path,
		       size_t length, uint32_t level)
{
	CLEANUP(closedirp) DIR *dir = find_entries(fd);
	struct dirent *entry;
	int r;

	if (!dir)
		return neg_errno();
	while ((entry = readdir(dir))) {
		AUTO_CLOSE int child = -1;
		size_t end;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		end = length + 1 + strlen(entry->d_name);
		if (end >= GLOB_PATH_MAX)
			continue;
		path[length] = '/';
		strcpy(path + length + 1, entry->d_name);
		child = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = 0;
		if (child >= 0 && level < walk->glob->level)
			r = walk_folder(walk, child, path, end, level + 1);
		else if (child >= 0 && glob_match(walk->glob, path, end) == 1)
			r = add_found(walk->found, child, path,
				      walk->glob->group, false);
		path[length] = '\0';
		if (r < 0)
			return r;
	}
	return 0;
}

uint32_t find_glob_base(const struct glob_row *glob, char *ret_base)
{
	uint32_t i, level = 0, slash = 0;

	for (i = 0; (glob->tokens[i] & GLOB_KIND) == GLOB_CHAR; i++) {
		ret_base[i] = (char)(glob->tokens[i] & 0xff);
		if (ret_base[i] != '/')
			continue;
		slash = i;
		level++;
	}
	ret_base[slash] = '\0';
	return level;
}

int find_open(const char *mount, const char *path)
{
	char full[PATH_MAX];
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", mount, path) >=
	    (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? neg_errno() : fd;
}

/* A cgroup that is not there, or is a file, is simply not found. */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ENODEV;
}

static int find_glob(const char *mount, const struct glob_row *glob,
		     struct found_cgroups *found)
{
	struct walk walk = { .glob = glob, .found = found };
	char path[PATH_MAX] = "";
	AUTO_CLOSE int fd = -1;
	uint32_t level;

	level = find_glob_base(glob, path);
	fd = find_open(mount, path);
	if (fd < 0)
		return is_absent(fd) ? 0 : fd;
	return walk_folder(&walk, fd, path, strlen(path), level);
}

static int find_path(const char *mount, const struct image *image,
		     const struct path_entry *entry,
		     struct found_cgroups *found)
{
	AUTO_CLOSE int fd = find_open(mount, entry->key.path);
	uint32_t group = entry->value.group;

	if (fd < 0)
		return is_absent(fd) ? 0 : fd;
	return add_found(found, fd, entry->key.path, group,
			 image_group_flags(image, group) & GROUP_LIMITED);
}

/* Of groups for one cgroup, the one that takes it from the others is first. */
static int by_claim(const void *a, const void *b)
{
	const struct found_cgroup *left = a, *right = b;
	int r = strcmp(left->path, right->path);

	if (r == 0)
		r = right->takes - left->takes;
	return r ? r : (int)left->group - (int)right->group;
}

/* Sorts by path; a cgroup that two patterns of a group match counts once. */
static void sort_found(struct found_cgroups *found)
{
	size_t i, kept = 0;

	if (!found->n_list)
		return;
	qsort(found->list, found->n_list, sizeof(*found->list), by_claim);
	for (i = 1; i < found->n_list; i++) {
		const struct found_cgroup *last = &found->list[kept];
		const struct found_cgroup *next = &found->list[i];

		if (strcmp(last->path, next->path) == 0 &&
		    (last->takes || last->group == next->group))
			free(found->list[i].path);
		else
			found->list[++kept] = found->list[i];
	}
	found->n_list = kept + 1;
}

int find_cgroups(const char *mount, const struct image *image,
		 struct found_cgroups *ret_found, struct err *err)
{
	CLEANUP(found_cgroups_clear) struct found_cgroups found = { 0 };
	size_t i;
	int r;

	for (i = 0; i < image->n_paths; i++) {
		r = find_path(mount, image, &image->paths[i], &found);
		if (r < 0)
			return err_set(err, r, "look at cgroup '%s'",
				       image->paths[i].key.path);
	}
	for (i = 0; i < image->n_globs; i++) {
		r = find_glob(mount, &image->globs[i], &found);
		if (r < 0)
			return err_set(err, r, "look for cgroups below '%s'",
				       mount);
	}
	sort_found(&found);
	*ret_found = found;
	found = (struct found_cgroups){ 0 };
	return 0;
}

/* Whether two groups claim one cgroup that neither may have beside the other.
 */
static bool conflict(const struct image *image, const struct found_cgroup *a,
		     const struct found_cgroup *b)
{
	uint32_t flags = image_group_flags(image, a->group) |
			 image_group_flags(image, b->group);

	return strcmp(a->path, b->path) == 0 && a->group != b->group &&
	       !(flags & GROUP_RUN);
}

bool find_is_disputed(const struct image *image,
		      const struct found_cgroups *found, size_t i)
{
	const struct found_cgroup *list = found->list;

	return (i > 0 && conflict(image, &list[i - 1], &list[i])) ||
	       (i + 1 < found->n_list &&
		conflict(image, &list[i], &list[i + 1]));
}

int find_conflict(const struct image *image, const struct found_cgroups *found,
		  struct err *err)
{
	size_t i;

	for (i = 1; i < found->n_list; i++) {
		const struct found_cgroup *a = &found->list[i - 1];
		const struct found_cgroup *b = &found->list[i];

		if (!conflict(image, a, b))
			continue;
		return err_say(
			err, -EEXIST,
			"cgroup '%s' is matched by group '%s' and by group "
			"'%s': let one of them match it",
			a->path,
			image_string(image, image->groups[a->group].name),
			image_string(image, image->groups[b->group].name));
	}
	return 0;
}
