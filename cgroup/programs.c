/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cgroup/load.h"
#include "cgroup/cgroup.skel.h"

const struct hook hooks[N_HOOKS] = {
	{ "group_out", BPF_CGROUP_INET_EGRESS },
	{ "group_in", BPF_CGROUP_INET_INGRESS },
	{ "group_connect4", BPF_CGROUP_INET4_CONNECT },
	{ "group_connect6", BPF_CGROUP_INET6_CONNECT },
	{ "group_sendmsg4", BPF_CGROUP_UDP4_SENDMSG },
	{ "group_sendmsg6", BPF_CGROUP_UDP6_SENDMSG },
	{ "group_sockops", BPF_CGROUP_SOCK_OPS },
};

DEFINE_CLEANUP(struct cgroup_bpf *, cgroup_bpf__destroy);

static void folder_name(char ret_name[static 32])
{
	size_t size;
	const void *bytes = cgroup_bpf__elf_bytes(&size);

	snprintf(ret_name, 32, "programs-%016llx",
		 (unsigned long long)load_hash(bytes, size));
}

void programs_close(struct programs *programs)
{
	size_t i;

	for (i = 0; i < N_HOOKS; i++)
		close_fdp(&programs->fds[i]);
}

/* -ENOENT where one is missing. */
static int open_pinned(const char *folder, struct programs *ret_programs)
{
	CLEANUP(programs_close) struct programs programs;
	char path[PATH_MAX];
	size_t i;

	memset(&programs, -1, sizeof(programs));
	for (i = 0; i < N_HOOKS; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, hooks[i].program);
		programs.fds[i] = bpf_obj_get(path);
		if (programs.fds[i] < 0)
			return programs.fds[i];
	}
	*ret_programs = programs;
	memset(&programs, -1, sizeof(programs));
	return 0;
}

static int pin_all(struct cgroup_bpf *skel, const char *folder, struct err *err)
{
	char path[PATH_MAX];
	size_t i;
	int r;

	for (i = 0; i < N_HOOKS; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			skel->obj, hooks[i].program);

		snprintf(path, sizeof(path), "%s/%s", folder, hooks[i].program);
		r = bpf_program__pin(program, path);
		if (r < 0 && r != -EEXIST)
			return err_set(err, r, "pin program '%s'", path);
	}
	return 0;
}

static int load_and_pin(const char *dir, const char *folder, struct err *err)
{
	CLEANUP(cgroup_bpf__destroyp) struct cgroup_bpf *skel = NULL;
	char maps[PATH_MAX];
	struct load_log log;
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = load_make_folder(maps, err);
	if (r < 0)
		return r;
	r = load_make_folder(folder, err);
	if (r < 0)
		return r;
	load_log_begin(&log);
	skel = cgroup_bpf__open_opts(&opts);
	r = skel ? cgroup_bpf__load(skel) : neg_errno();
	if (!skel || r < 0)
		return load_log_end(&log, r, "load the cgroup programs", err);
	load_log_end(&log, 0, "", err);
	return pin_all(skel, folder, err);
}

int programs_ensure(const char *dir, struct programs *ret_programs,
		    struct err *err)
{
	char name[32], folder[PATH_MAX];
	int r;

	folder_name(name);
	snprintf(folder, sizeof(folder), "%s/%s", dir, name);
	if (open_pinned(folder, ret_programs) == 0)
		return 0;
	r = load_and_pin(dir, folder, err);
	if (r < 0)
		return r;
	r = open_pinned(folder, ret_programs);
	if (r < 0)
		return err_set(err, r, "open the programs in '%s'", folder);
	return 0;
}

int programs_open(const char *dir, struct programs *ret_programs,
		  struct err *err)
{
	char name[32], folder[PATH_MAX];
	int r;

	folder_name(name);
	snprintf(folder, sizeof(folder), "%s/%s", dir, name);
	r = open_pinned(folder, ret_programs);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "open the programs in '%s'", folder);
	return r;
}

int programs_tidy(const char *dir, struct err *err)
{
	CLEANUP(closedirp) DIR *folder = opendir(dir);
	char name[32], path[PATH_MAX];
	struct dirent *entry;
	int r;

	if (!folder)
		return err_set(err, neg_errno(), "open folder '%s'", dir);
	folder_name(name);
	while ((entry = readdir(folder))) {
		if (strncmp(entry->d_name, "programs-", 9) != 0 ||
		    strcmp(entry->d_name, name) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		r = load_remove_folder(path, err);
		if (r < 0)
			return r;
	}
	return 0;
}
