/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What weir has in the kernel, opened: the maps, the programs, the policy in
 * force.  Everything is told from pins and netlink; no other notes are kept.
 */
#ifndef WEIR_CTL_KERNEL_H
#define WEIR_CTL_KERNEL_H

#include <limits.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cgroup/accounts.h"
#include "cgroup/programs.h"
#include "cgroup/scopes.h"
#include "cgroup/tables.h"
#include "ctl/command.h"
#include "rules/image.h"
#include "tc/loader.h"

struct kernel {
	const struct places *places;
	char mount[PATH_MAX]; /* of cgroup2 */
	bool loaded;	      /* the rest is there, but for loader and live */
	bool had_pins; /* whole or not: before anything of this was loaded */
	struct tables *tables;
	struct programs programs; /* those that some policy needed */
	struct loader loader;	  /* likewise; marks tell of devices */
	struct scopes scopes;
	struct accounts accounts;
	uint32_t generation; /* 0: no policy was ever in force */
	struct image *live;  /* empty where nothing is in force */
	bool in_place;	     /* of live: see tables_read */
};

/* Opens what is there; that there is nothing is no error. */
int kernel_open(const struct places *places, struct kernel *ret_kernel,
		struct err *err);

/*
 * The same under the lock, which *ret_lock is: for who will change something.
 * Where it fails no lock folder is left behind.
 */
int kernel_open_locked(const struct places *places, int *ret_lock,
		       struct kernel *ret_kernel, struct err *err);

/* Likewise, by who keeps the lock until it is closed: that takes less. */
int kernel_open_to_edit(const struct places *places, int *ret_lock,
			struct kernel *ret_kernel, struct err *err);

/* As kernel_open_locked, but a policy that another version of weir made counts
 * as empty. */
int kernel_open_to_clear(const struct places *places, int *ret_lock,
			 struct kernel *ret_kernel, struct err *err);

/*
 * The hooks that a policy's groups need, a bit each, and with any group those
 * that lift from sockets what policies before it have put there.
 */
uint32_t kernel_needs(const struct kernel *kernel, const struct image *image);

/* Loads what this policy needs and is not there yet: bpffs, maps, programs. */
int kernel_load(struct kernel *kernel, const struct image *image,
		struct err *err);
void kernel_close(struct kernel *kernel);

/* Reads the policy in force again. */
int kernel_read_live(struct kernel *kernel, struct err *err);

/* Takes all pins away, and the folders: the last step of clear. */
int kernel_unload(struct kernel *kernel, struct err *err);

#endif
