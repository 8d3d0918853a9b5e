/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups of running commands, as another change of the policy finds them.
 * A command whose weirctl was killed cleans up nothing: who comes next does.
 */
#ifndef WEIR_CTL_RUNS_H
#define WEIR_CTL_RUNS_H

#include "ctl/kernel.h"

/*
 * A copy of the policy in force to be changed: without containers' veths,
 * which world_read adds again, and without commands that have ended.  Their
 * cgroups are removed, but with dry_run.  Refuses (-EXDEV) where its devices
 * are in another network namespace.
 */
int runs_in_force(const struct kernel *kernel, bool dry_run,
		  struct image **ret_image, struct err *err);

/* Takes those that run over into an image made from files. */
int runs_keep(const struct kernel *kernel, bool dry_run, struct image *image,
	      struct err *err);

#endif
