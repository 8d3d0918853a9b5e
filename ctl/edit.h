/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What apply, limit and run have in common: under the lock, another image is
 * made, planned and carried out in one step, again where the machine changed
 * meanwhile.
 */
#ifndef WEIR_CTL_EDIT_H
#define WEIR_CTL_EDIT_H

#include "ctl/command.h"
#include "ctl/kernel.h"

struct edit {
	/*
	 * Makes the image that is to be in force, and says what is wrong.
	 * Returns EXIT_DONE with *ret_image, or what to exit with.  May be
	 * called more than once.
	 */
	int (*make)(const struct call *call, void *what, struct kernel *kernel,
		    struct image **ret_image);
	void *what;
	/* Called when the lock is held, before anything is loaded; or NULL. */
	void (*locked)(void *what);
	/* Called when it is known what will change, before it does; or NULL. */
	void (*planned)(void *what, const struct kernel *kernel,
			const struct image *image);
	/* Called when the image is in force; or NULL. */
	int (*carried_out)(void *what, struct kernel *kernel, struct err *err);
	/* Called when what is of no more use; or NULL. */
	void (*forget)(void *what);
	/* Two groups that match one cgroup are an error. */
	bool refuses_conflict;
	/* Devices that wait, or are left as they are, are told of. */
	bool tells_waiting;
	bool settles;	   /* the process ends soon: see settle_later */
	bool quiet;	   /* does not print what was done */
	bool clears;	   /* takes the programs away where nothing is left */
	bool only_if_live; /* where no policy is in force, nothing is to do */
};

/* Returns what to exit with. */
int edit_policy(const struct call *call, const struct edit *edit);

#endif
