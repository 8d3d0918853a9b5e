/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tc/device.skel.h"

DEFINE_CLEANUP(struct device_bpf *, device_bpf__destroy);

#define FOLDER "tc-"

static const char *const programs[N_PROGRAMS] = {
	[PROGRAM_IN] = "device_in",
	[PROGRAM_OUT] = "device_out",
	[PROGRAM_WAIT] = "device_wait",
};

/* FNV-1a, 64 bits: tells versions of the object apart, nothing more. */
static void folder_name(char ret_name[static 32])
{
	uint64_t hash = 0xcbf29ce484222325;
	const unsigned char *bytes;
	size_t size;

	bytes = device_bpf__elf_bytes(&size);
	while (size--)
		hash = (hash ^ *bytes++) * 0x100000001b3;
	snprintf(ret_name, 32, FOLDER "%016llx", (unsigned long long)hash);
}

void loader_close(struct loader *loader)
{
	int i;

	for (i = 0; i < N_PROGRAMS; i++)
		close_fdp(&loader->program[i]);
	close_fdp(&loader->tallies);
	close_fdp(&loader->marks);
}

/* -ENOENT, without a sentence, where there is no such pin. */
static int open_pin(const char *dir, const char *folder, const char *name,
		    int *ret_fd, struct err *err)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, name);
	fd = bpf_obj_get(path);
	if (fd < 0 && fd != -ENOENT)
		return err_set(err, fd, "open pin '%s'", path);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int program_id(int fd, uint32_t *ret_id, struct err *err)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return err_set(err, r, "look at a pinned program");
	*ret_id = info.id;
	return 0;
}

int loader_open(const char *dir, struct loader *ret_loader, struct err *err)
{
	CLEANUP(loader_close) struct loader loader;
	char folder[32];
	int i, r;

	memset(&loader, -1, sizeof(loader));
	folder_name(folder);
	r = open_pin(dir, "maps", "device_tallies", &loader.tallies, err);
	if (r == 0)
		r = open_pin(dir, "maps", "device_marks", &loader.marks, err);
	for (i = 0; r == 0 && i < N_PROGRAMS; i++) {
		r = open_pin(dir, folder, programs[i], &loader.program[i], err);
		if (r == 0)
			r = program_id(loader.program[i], &loader.program_id[i],
				       err);
	}
	if (r < 0)
		return r;
	*ret_loader = loader;
	memset(&loader, -1, sizeof(loader));
	return 0;
}

/* ------------------------------------------------------------ loading */

static int make_folder(const char *dir, const char *name,
		       char ret_path[static PATH_MAX], struct err *err)
{
	snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST)
		return err_set(err, neg_errno(), "make folder '%s'", ret_path);
	return 0;
}

/* libbpf gives its callback no data to carry. */
static char last_line[400];

/* Its last warning says why, but for those that only say that it failed. */
static int keep_line(enum libbpf_print_level level, const char *fmt,
		     va_list args)
{
	char text[16384], *line, *rest = text;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line || strncmp(line, "processed ", 10) == 0 ||
		    strstr(line, "PROG LOAD LOG") ||
		    strstr(line, "failed to load") ||
		    strstr(line, "failed to pin"))
			continue;
		snprintf(last_line, sizeof(last_line), "%.399s", line);
	}
	return 0;
}

/* Those that a crash left there already are as good. */
static int pin_programs(const struct device_bpf *skel, const char *folder,
			struct err *err)
{
	char path[PATH_MAX + 16];
	int i, r;

	for (i = 0; i < N_PROGRAMS; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			skel->obj, programs[i]);

		snprintf(path, sizeof(path), "%s/%s", folder, programs[i]);
		r = bpf_program__pin(program, path);
		if (r < 0 && r != -EEXIST)
			return err_set(err, r, "pin program '%s'", path);
	}
	return 0;
}

static int load_and_pin(const char *dir, struct err *err)
{
	CLEANUP(device_bpf__destroyp) struct device_bpf *skel = NULL;
	char maps[PATH_MAX], folder[PATH_MAX], name[32];
	libbpf_print_fn_t print;
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	r = make_folder(dir, "maps", maps, err);
	if (r < 0)
		return r;
	folder_name(name);
	r = make_folder(dir, name, folder, err);
	if (r < 0)
		return r;
	last_line[0] = '\0';
	print = libbpf_set_print(keep_line);
	skel = device_bpf__open_opts(&opts);
	r = skel ? device_bpf__load(skel) : neg_errno();
	if (skel && r == 0)
		r = pin_programs(skel, folder, err);
	else
		err_set(err, r, "load the device programs%s%s",
			last_line[0] ? ": " : "", last_line);
	libbpf_set_print(print);
	return r;
}

int loader_ensure(const char *dir, struct loader *ret_loader, struct err *err)
{
	int r;

	r = loader_open(dir, ret_loader, err);
	if (r != -ENOENT)
		return r;
	r = load_and_pin(dir, err);
	if (r < 0)
		return r;
	r = loader_open(dir, ret_loader, err);
	if (r == -ENOENT)
		return err_set(err, r, "open the device programs in '%s'", dir);
	return r;
}

/* ------------------------------------------------------------ tidying */

static int remove_folder(const char *path, struct err *err)
{
	CLEANUP(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return err_set(err, neg_errno(), "open folder '%s'", path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return err_set(err, neg_errno(), "remove '%s/%s'", path,
				       entry->d_name);
	}
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(err, neg_errno(), "remove folder '%s'", path);
	return 0;
}

int loader_tidy(const char *dir, struct err *err)
{
	CLEANUP(closedirp) DIR *folder = opendir(dir);
	char name[32], path[PATH_MAX];
	struct dirent *entry;
	int r;

	if (!folder)
		return err_set(err, neg_errno(), "open folder '%s'", dir);
	folder_name(name);
	while ((entry = readdir(folder))) {
		if (strncmp(entry->d_name, FOLDER, strlen(FOLDER)) != 0 ||
		    strcmp(entry->d_name, name) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		r = remove_folder(path, err);
		if (r < 0)
			return r;
	}
	return 0;
}
