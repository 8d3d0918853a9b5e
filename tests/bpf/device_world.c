/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/device_world.h"

#include <assert.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

void device_world_open(struct device_world *world)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = world->place);
	struct err err;

	strcpy(world->place, "/tmp/weir-device-XXXXXX");
	assert(unshare(CLONE_NEWNS) == 0);
	assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	assert(mkdtemp(world->place));
	assert(mount("bpf", world->place, "bpf", 0, NULL) == 0);
	world->programs = device_bpf__open_opts(&opts);
	assert(world->programs && device_bpf__load(world->programs) == 0);
	assert(tables_open(world->place, &world->tables, &err) == 0);
	world->live = image_new();
	assert(world->live);
}

void device_world_close(struct device_world *world)
{
	device_bpf__destroy(world->programs);
	tables_close(world->tables);
	image_free(world->live);
	umount2(world->place, MNT_DETACH);
	rmdir(world->place);
}

void device_world_use(struct device_world *world, struct image *image)
{
	struct err err;

	assert(tables_write(world->tables, image, world->live, &err) == 0);
	world->generation++;
	assert(tables_switch(world->tables, world->generation, &err) == 0);
	image_free(world->live);
	world->live = image;
}
