/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/anchor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cgroup/cgroup_abi.h"
#include "cgroup/find.h"
#include "pins/folder.h"

void anchors_clear(struct anchors *anchors)
{
	free(anchors->list);
	*anchors = (struct anchors){ 0 };
}

static void pin_path(char ret_path[static PATH_MAX], const char *dir,
		     uint64_t id, const struct hook *hook)
{
	snprintf(ret_path, PATH_MAX, "%s/links/%" PRIu64 "-%s", dir, id,
		 hook->program);
}

/* ------------------------------------------------- which are attached */

static struct anchor_point *point_of(struct anchors *anchors, uint64_t id)
{
	struct anchor_point *point;
	size_t i;

	for (i = 0; i < anchors->n_list; i++)
		if (anchors->list[i].id == id)
			return &anchors->list[i];
	point = ARRAY_ADD(anchors, list);
	if (point)
		point->id = id;
	return point;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

/* The program behind a pinned link; 0 where the link or its cgroup is gone. */
static uint32_t linked_program(const char *pin)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);
	AUTO_CLOSE int fd = bpf_obj_get(pin);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
	    !info.cgroup.cgroup_id)
		return 0;
	return info.prog_id;
}

static bool is_linked(const char *pin, int program_fd)
{
	uint32_t id = linked_program(pin);

	return id && id == program_id(program_fd);
}

static bool is_complete(const char *dir, uint64_t id,
			const struct programs *programs, uint32_t needed)
{
	char pin[PATH_MAX];
	size_t i;

	for (i = 0; i < N_HOOKS; i++) {
		if (!(needed >> i & 1))
			continue;
		pin_path(pin, dir, id, &hooks[i]);
		if (!is_linked(pin, programs->fds[i]))
			return false;
	}
	return true;
}

static int open_map(const char *dir, int *ret_fd, struct err *err)
{
	char maps[PATH_MAX];

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	return folder_open_pin(maps, "anchors", ret_fd, err);
}

/* Its generations; -ENOENT where nothing is attached. */
static int read_anchor(const char *dir, uint64_t id, struct anchor *ret_anchor)
{
	AUTO_CLOSE int fd = -1;
	struct err ignored;
	int r = open_map(dir, &fd, &ignored);

	return r < 0 ? r : bpf_map_lookup_elem(fd, &id, ret_anchor);
}

static int list_ids(const char *dir, struct anchors *anchors, struct err *err)
{
	CLEANUP(closedirp) DIR *links = NULL;
	struct dirent *entry;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/links", dir);
	links = opendir(path);
	if (!links && errno == ENOENT)
		return 0;
	if (!links)
		return err_set(err, neg_errno(), "open folder '%s'", path);
	while ((entry = readdir(links))) {
		char *end;
		uint64_t id = strtoull(entry->d_name, &end, 10);

		if (end == entry->d_name || *end != '-')
			continue;
		if (!point_of(anchors, id))
			return err_set(err, -ENOMEM, "list anchors");
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct anchor_point *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static void sort_anchors(struct anchors *anchors)
{
	if (anchors->n_list)
		qsort(anchors->list, anchors->n_list, sizeof(*anchors->list),
		      by_id);
}

int anchors_attached(const char *dir, const char *mount,
		     const struct programs *programs, uint32_t needed,
		     uint32_t generation, struct anchors *ret_anchors,
		     struct err *err)
{
	CLEANUP(anchors_clear) struct anchors anchors = { 0 };
	AUTO_CLOSE int mount_fd = -1;
	size_t i;
	int r;

	mount_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		return err_set(err, neg_errno(), "open '%s'", mount);
	r = list_ids(dir, &anchors, err);
	if (r < 0)
		return r;
	for (i = 0; i < anchors.n_list; i++) {
		struct anchor_point *point = &anchors.list[i];
		struct anchor anchor = { 0 };

		find_cgroup_path(mount_fd, mount, point->id, point->path,
				 sizeof(point->path));
		point->complete = is_complete(dir, point->id, programs, needed);
		r = read_anchor(dir, point->id, &anchor);
		point->retired = r < 0 ||
				 anchor.first_generation > generation ||
				 anchor.last_generation < generation;
	}
	sort_anchors(&anchors);
	*ret_anchors = anchors;
	anchors = (struct anchors){ 0 };
	return 0;
}

/* --------------------------------------------------- which are wanted */

/* Cuts the last component off; "" for the root. */
static void to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/*
 * The anchor for what lies at path, "" for the root: the nearest folder from
 * path up that exists.
 */
static int add_nearest(const char *mount, char *path, struct anchors *anchors,
		       struct err *err)
{
	struct anchor_point *point;
	AUTO_CLOSE int fd = -1;
	uint64_t id;
	int r;

	while ((fd = find_open(mount, path)) < 0) {
		if ((fd != -ENOENT && fd != -ENOTDIR && fd != -ENODEV) ||
		    !*path)
			return err_set(err, fd, "open cgroup '%s'", path);
		to_parent(path);
	}
	r = find_cgroup_id(fd, &id);
	if (r < 0)
		return err_set(err, r, "get the id of cgroup '%s'", path);
	point = point_of(anchors, id);
	if (!point)
		return err_set(err, -ENOMEM, "list anchors");
	snprintf(point->path, sizeof(point->path), "%s", *path ? path : "/");
	return 0;
}

/*
 * The root has no folder above it, and what is just below it is as lasting
 * as cgroups are: they are their own anchors where they exist.
 */
static int add_path(const char *mount, const char *match,
		    struct anchors *anchors, struct err *err)
{
	char path[CGROUP_PATH_MAX];

	snprintf(path, sizeof(path), "%s", match);
	if (strchr(path + 1, '/') || strcmp(path, "/") == 0)
		to_parent(path);
	return add_nearest(mount, path, anchors, err);
}

/*
 * The cgroup of a run does not come back: it is its own anchor, and what else
 * is in the folder above it meets no program.
 */
static int add_run(const char *mount, const char *match,
		   struct anchors *anchors, struct err *err)
{
	char path[CGROUP_PATH_MAX];

	snprintf(path, sizeof(path), "%s", match);
	return add_nearest(mount, path, anchors, err);
}

static int add_glob(const char *mount, const struct glob_row *glob,
		    struct anchors *anchors, struct err *err)
{
	char base[CGROUP_PATH_MAX];

	find_glob_base(glob, base);
	return add_nearest(mount, base, anchors, err);
}

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	if (strcmp(above, "/") == 0)
		return strcmp(path, "/") != 0;
	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/* Leaves the topmost only: what is below them meets their programs anyway. */
static void keep_topmost(struct anchors *anchors)
{
	size_t i, j, kept = 0;

	for (i = 0; i < anchors->n_list; i++) {
		struct anchor_point *point = &anchors->list[i];

		for (j = 0; j < anchors->n_list; j++)
			if (is_below(point->path, anchors->list[j].path))
				break;
		point->complete = j == anchors->n_list;
	}
	for (i = 0; i < anchors->n_list; i++)
		if (anchors->list[i].complete)
			anchors->list[kept++] = anchors->list[i];
	anchors->n_list = kept;
}

int anchors_wanted(const char *mount, const struct image *image,
		   struct anchors *ret_anchors, struct err *err)
{
	CLEANUP(anchors_clear) struct anchors anchors = { 0 };
	size_t i;
	int r;

	for (i = 0; i < image->n_paths; i++) {
		const struct path_entry *entry = &image->paths[i];

		if (image_group_flags(image, entry->value.group) & GROUP_RUN)
			r = add_run(mount, entry->key.path, &anchors, err);
		else
			r = add_path(mount, entry->key.path, &anchors, err);
		if (r < 0)
			return r;
	}
	for (i = 0; i < image->n_globs; i++) {
		r = add_glob(mount, &image->globs[i], &anchors, err);
		if (r < 0)
			return r;
	}
	keep_topmost(&anchors);
	sort_anchors(&anchors);
	*ret_anchors = anchors;
	anchors = (struct anchors){ 0 };
	return 0;
}

/* ---------------------------------------------------------- changing */

static int write_anchor(const char *dir, uint64_t id,
			const struct anchor *anchor, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	r = open_map(dir, &fd, err);
	if (r == -ENOENT)
		return err_set(err, r, "open the anchors in '%s'", dir);
	if (r < 0)
		return r;
	r = bpf_map_update_elem(fd, &id, anchor, BPF_EXIST);
	if (r < 0)
		return err_set(err, r, "set the generations of an anchor");
	return 0;
}

/* Attaches one program, or gives its link the present one. */
static int attach_hook(const char *pin, int cgroup_fd, int program_fd,
		       enum bpf_attach_type type)
{
	AUTO_CLOSE int link = bpf_obj_get(pin);
	int r;

	if (is_linked(pin, program_fd))
		return 0;
	if (link >= 0 && bpf_link_update(link, program_fd, NULL) == 0)
		return 0;
	close_fdp(&link);
	unlink(pin); /* of a cgroup that is gone */
	link = bpf_link_create(program_fd, cgroup_fd, type, NULL);
	if (link < 0)
		return link;
	r = bpf_obj_pin(link, pin);
	return r;
}

/*
 * Before 5.11 the kernel charges what an attachment takes to this limit;
 * libbpf raises it, but only where it makes a map or loads a program.
 */
static void raise_memlock(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &all); /* attaching tells, if it matters */
}

int anchor_attach(const char *dir, const char *mount,
		  const struct anchor_point *point,
		  const struct programs *programs, uint32_t needed,
		  uint32_t first, struct err *err)
{
	struct anchor anchor = { first, UINT32_MAX }, old;
	char pin[PATH_MAX];
	AUTO_CLOSE int fd = -1;
	size_t i;
	int r;

	raise_memlock();
	snprintf(pin, sizeof(pin), "%s/links", dir);
	r = folder_make(pin, err);
	if (r < 0)
		return r;
	fd = find_open(mount, strcmp(point->path, "/") ? point->path : "");
	if (fd < 0)
		return err_set(err, fd, "open cgroup '%s'", point->path);
	/* One that is in force already stays so. */
	if (read_anchor(dir, point->id, &old) == 0 && old.first_generation &&
	    old.first_generation < first && old.last_generation >= first - 1)
		anchor.first_generation = old.first_generation;
	for (i = 0; i < N_HOOKS; i++) {
		if (!(needed >> i & 1))
			continue;
		pin_path(pin, dir, point->id, &hooks[i]);
		r = attach_hook(pin, fd, programs->fds[i], hooks[i].type);
		if (r < 0)
			return err_set(err, r, "attach %s to cgroup '%s'",
				       hooks[i].program, point->path);
	}
	return write_anchor(dir, point->id, &anchor, err);
}

int anchor_retire(const char *dir, uint64_t id, uint32_t last, struct err *err)
{
	struct anchor anchor;
	int r;

	r = read_anchor(dir, id, &anchor);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "read the generations of an anchor");
	anchor.last_generation = last;
	r = write_anchor(dir, id, &anchor, err);
	return r == -ENOENT ? 0 : r; /* its cgroup has gone by now */
}

int anchor_detach(const char *dir, uint64_t id, struct err *err)
{
	char pin[PATH_MAX];
	size_t i;

	for (i = 0; i < N_HOOKS; i++) {
		pin_path(pin, dir, id, &hooks[i]);
		if (unlink(pin) < 0 && errno != ENOENT)
			return err_set(err, neg_errno(), "remove '%s'", pin);
	}
	return 0;
}
