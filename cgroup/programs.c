/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/programs.h"

#include <string.h>

#include "base/cleanup.h"
#include "cgroup/cgroup.skel.h"
#include "pins/folder.h"
#include "pins/object.h"

const struct hook hooks[N_HOOKS] = {
	{ "group_out", BPF_CGROUP_INET_EGRESS },
	{ "group_in", BPF_CGROUP_INET_INGRESS },
	{ "group_connect4", BPF_CGROUP_INET4_CONNECT },
	{ "group_connect6", BPF_CGROUP_INET6_CONNECT },
	{ "group_sendmsg4", BPF_CGROUP_UDP4_SENDMSG },
	{ "group_sendmsg6", BPF_CGROUP_UDP6_SENDMSG },
	{ "group_sockops", BPF_CGROUP_SOCK_OPS },
};

static const struct object object = { "cgroup", "programs-",
				      cgroup_bpf__elf_bytes };

void programs_close(struct programs *programs)
{
	size_t i;

	for (i = 0; i < N_HOOKS; i++)
		close_fdp(&programs->fds[i]);
}

int programs_open(const char *dir, struct programs *ret_programs,
		  struct err *err)
{
	CLEANUP(programs_close) struct programs programs;
	char folder[PATH_MAX];
	size_t i;
	int r;

	memset(&programs, -1, sizeof(programs));
	object_folder(&object, dir, folder);
	for (i = 0; i < N_HOOKS; i++) {
		r = folder_open_pin(folder, hooks[i].program, &programs.fds[i],
				    err);
		if (r < 0)
			return r;
	}
	*ret_programs = programs;
	memset(&programs, -1, sizeof(programs));
	return 0;
}

int programs_ensure(const char *dir, struct programs *ret_programs,
		    struct err *err)
{
	int r;

	r = programs_open(dir, ret_programs, err);
	if (r != -ENOENT)
		return r;
	r = object_load(&object, dir, err);
	if (r < 0)
		return r;
	r = programs_open(dir, ret_programs, err);
	if (r == -ENOENT)
		return err_set(err, r, "open the cgroup programs in '%s'", dir);
	return r;
}

int programs_tidy(const char *dir, struct err *err)
{
	return object_tidy(&object, dir, err);
}
