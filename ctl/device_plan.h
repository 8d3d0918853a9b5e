/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done to devices: the difference between the rows of an image
 * and what the kernel has, as small steps that can be repeated and undone.
 */
#ifndef WEIR_CTL_DEVICE_PLAN_H
#define WEIR_CTL_DEVICE_PLAN_H

#include "ctl/world.h"
#include "tc/device_share.h"

enum step_kind {
	/* Before the switch: no packet sees anything of these. */
	STEP_POOL,
	STEP_ROOT,
	STEP_IFB,
	STEP_CLASS,  /* of a turn that is not in force, with all below it */
	STEP_SHARES, /* classes of who is new, below one that is in force */
	STEP_TALLY,
	STEP_FILTER,
	STEP_WAIT,
	STEP_XDP, /* drops nothing that the filter would not */
	/* After it. */
	STEP_REMOVE_FILTER,
	STEP_REMOVE_XDP,
	STEP_REMOVE_WAITS,
	STEP_REMOVE_CLASS,
	STEP_REPLACE_ROOT, /* HTB by fq */
	STEP_FIT_SHARES,   /* what each has for sure; classes of who has gone */
	STEP_REMOVE_ROOT,
	STEP_REMOVE_IFB,
	STEP_REMOVE_ALL,
	STEP_FORGET,
};

struct device_step {
	enum step_kind kind;
	size_t device; /* in device_plan.devices */
	int side;      /* SIDE_*, where the step has one */
	int turn;      /* of a class */
	uint32_t pool; /* its row, where the step is about the way there */
	bool is_new;   /* or in the place of fq: undone when the apply fails */
	bool done;
};

struct planned_device {
	struct device device;
	struct device_have have;
	struct device_trace trace; /* where it was found by its mark */
	char *name;		   /* "eth0", or "eth0 in netns x" */
	/* By SIDE_*: who shares its limit now, and who is to. */
	struct class_shares before[2], shares[2];
	bool takeover;
	bool has_xdp; /* our program is there */
};

struct device_steps {
	struct device_step *list;
	size_t n_list;
};

struct device_plan {
	struct planned_device *devices;
	size_t n_devices;
	struct device_steps before, after; /* the switch */
	struct device_traces left;	   /* may live where nobody can look */
};

/*
 * Compares.  Fills the namespace, ifindex and classes into the rows of image;
 * those of devices that are not there stay 0.  Refuses (-EBUSY) to replace a
 * qdisc of somebody else's without takeover.  Views of world must outlive the
 * plan.
 */
int device_plan_make(const struct kernel *kernel, struct world *world,
		     struct image *image, struct device_plan *ret_plan,
		     struct err *err);
void device_plan_clear(struct device_plan *plan);

/* Add a step before or after the switch, for the device that was added last. */
int device_plan_add_before(struct device_plan *plan, enum step_kind kind,
			   int side, int turn, bool is_new);
int device_plan_add_after(struct device_plan *plan, enum step_kind kind,
			  int side, int turn);

/* One line: "device 'eth0': add the class for out, 200mbit". */
void device_step_describe(const struct device_plan *plan,
			  const struct device_step *step,
			  const struct image *image, char *text, size_t size);

/*
 * Carries out steps of the plan, before or after; an ifb's ifindex is filled
 * into the row of image.  A device that has gone meanwhile is -ENODEV.
 */
int device_steps_do(struct device_plan *plan, struct device_steps *steps,
		    struct image *image, struct err *err);

/* Takes back the steps before the switch that were done, as far as it goes. */
void device_plan_undo(struct device_plan *plan);

#endif
