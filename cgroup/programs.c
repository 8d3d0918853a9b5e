/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/programs.h"

#include <string.h>

#include "base/cleanup.h"
#include "cgroup/cgroup.skel.h"
#include "cgroup/cgroup_abi.h"
#include "pins/folder.h"
#include "pins/object.h"

#define CALL (MEMBER_FILTER_OUT | MEMBER_QUOTA_DENIES)

const struct hook hooks[N_HOOKS] = {
	{ "group_out", BPF_CGROUP_INET_EGRESS, MEMBER_LEAVES },
	{ "group_in", BPF_CGROUP_INET_INGRESS,
	  MEMBER_LIMIT_IN | MEMBER_FILTER_IN | MEMBER_QUOTA },
	{ "group_connect4", BPF_CGROUP_INET4_CONNECT, CALL },
	{ "group_connect6", BPF_CGROUP_INET6_CONNECT, CALL },
	{ "group_sendmsg4", BPF_CGROUP_UDP4_SENDMSG, CALL },
	{ "group_sendmsg6", BPF_CGROUP_UDP6_SENDMSG, CALL },
	{ "group_sockops", BPF_CGROUP_SOCK_OPS, MEMBER_LEAVES },
};

static const struct object object = { "cgroup", "programs-",
				      cgroup_bpf__elf_bytes, cgroup_bpf__hash,
				      "known_flows" };

void programs_close(struct programs *programs)
{
	size_t i;

	for (i = 0; i < N_HOOKS; i++)
		close_fdp(&programs->fds[i]);
}

uint32_t programs_needed(uint32_t asks)
{
	uint32_t needed = 0;
	size_t i;

	for (i = 0; i < N_HOOKS; i++)
		if (hooks[i].asked_by & asks)
			needed |= 1U << i;
	return needed;
}

bool programs_have(const struct programs *programs, uint32_t needed)
{
	size_t i;

	for (i = 0; i < N_HOOKS; i++)
		if (needed >> i & 1 && programs->fds[i] < 0)
			return false;
	return true;
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
		r = folder_find_pin(folder, hooks[i].program, &programs.fds[i],
				    err);
		if (r < 0)
			return r;
	}
	*ret_programs = programs;
	memset(&programs, -1, sizeof(programs));
	return 0;
}

int programs_ensure(const char *dir, uint32_t needed, struct err *err)
{
	CLEANUP(programs_close) struct programs programs;
	const char *missing[N_HOOKS];
	size_t i, n = 0;
	int r;

	memset(&programs, -1, sizeof(programs));
	r = programs_open(dir, &programs, err);
	if (r < 0)
		return r;
	for (i = 0; i < N_HOOKS; i++)
		if (needed >> i & 1 && programs.fds[i] < 0)
			missing[n++] = hooks[i].program;
	return object_load(&object, dir, missing, n, err);
}

int programs_tidy(const char *dir, struct err *err)
{
	return object_tidy(&object, dir, err);
}

bool programs_have_others(const char *dir)
{
	return object_has_others(&object, dir);
}
