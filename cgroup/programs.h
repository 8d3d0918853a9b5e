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
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/image.h"

/* One hook that an anchor cgroup can have a program at. */
struct hook {
	const char *program; /* in cgroup.bpf.c, and of the pin */
	enum bpf_attach_type type;
	uint32_t asked_by; /* MEMBER_*: what its program has to do with */
};

#define N_HOOKS 7

extern const struct hook hooks[N_HOOKS];

/* By hook; -1: no policy has needed it yet. */
struct programs {
	int fds[N_HOOKS];
};

/*
 * The hooks that are needed for what is asked (MEMBER_*), a bit each: what
 * nobody asks for is neither verified nor met by any packet.
 */
uint32_t programs_needed(uint32_t asks);

/* Whether all of these hooks have their program. */
bool programs_have(const struct programs *programs, uint32_t needed);

void programs_close(struct programs *programs);

/* Opens those that are pinned in dir. */
int programs_open(const char *dir, struct programs *ret_programs,
		  struct err *err);

/*
 * Loads and pins what is missing of the needed programs, and of the maps,
 * the tables of the policy among them, even where no program is.
 */
int programs_ensure(const char *dir, uint32_t needed, struct err *err);

/* Removes the pins of programs of other versions. */
int programs_tidy(const char *dir, struct err *err);

/* Whether those of another version are pinned. */
bool programs_have_others(const char *dir);

#endif
