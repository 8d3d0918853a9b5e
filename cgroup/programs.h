/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cgroup programs, pinned as pins/object.h says:
 *
 *	DIR/programs-HASH/NAME	programs
 *	DIR/links/ID-NAME	attachments, by id of the cgroup
 */
#ifndef WEIR_CGROUP_PROGRAMS_H
#define WEIR_CGROUP_PROGRAMS_H

#include <linux/bpf.h>

#include "base/err.h"

/* One hook that every anchor cgroup has a program at. */
struct hook {
	const char *program; /* in cgroup.bpf.c, and of the pin */
	enum bpf_attach_type type;
};

#define N_HOOKS 7

extern const struct hook hooks[N_HOOKS];

struct programs {
	int fds[N_HOOKS]; /* -1: this kernel has no such hook */
};

void programs_close(struct programs *programs);

/* -ENOENT, without a sentence, where they are not pinned in dir. */
int programs_open(const char *dir, struct programs *ret_programs,
		  struct err *err);

/* Opens the pinned programs, after loading and pinning what is missing. */
int programs_ensure(const char *dir, struct programs *ret_programs,
		    struct err *err);

/* Removes the pins of programs of other versions. */
int programs_tidy(const char *dir, struct err *err);

#endif
