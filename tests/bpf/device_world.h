/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs of devices with tables of their own, for a test of them. */
#ifndef WEIR_TESTS_BPF_DEVICE_WORLD_H
#define WEIR_TESTS_BPF_DEVICE_WORLD_H

#include "cgroup/tables.h"
#include "rules/image.h"
#include "tc/device.skel.h"

struct device_world {
	struct device_bpf *programs;
	struct tables *tables;
	struct image *live; /* what is in force */
	uint32_t generation;
	char place[32]; /* a bpffs, in a mount namespace of the test's own */
};

void device_world_open(struct device_world *world);
void device_world_close(struct device_world *world);

/* Puts it in force, and takes it over. */
void device_world_use(struct device_world *world, struct image *image);

#endif
