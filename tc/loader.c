/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/loader.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "pins/folder.h"
#include "pins/layout.h"
#include "pins/object.h"
#include "tc/device_abi.h"
#include "tc/device.skel.h"

static const struct object object = { "device", "tc-", device_bpf__elf_bytes,
				      device_bpf__hash, "known_flows" };

static const char *const programs[N_PROGRAMS] = {
	[PROGRAM_IN] = "device_in",
	[PROGRAM_OUT] = "device_out",
	[PROGRAM_WAIT] = "device_wait",
};

void loader_close(struct loader *loader)
{
	int i;

	for (i = 0; i < N_PROGRAMS; i++)
		close_fdp(&loader->program[i]);
	close_fdp(&loader->tallies);
	close_fdp(&loader->answers);
	close_fdp(&loader->marks);
}

static int program_id(int fd, uint32_t *ret_id, struct err *err)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return err_set(err, r, "look at a pinned program");
	*ret_id = info.id;
	return 0;
}

int loader_open(const char *dir, struct loader *ret_loader, struct err *err)
{
	CLEANUP(loader_close) struct loader loader;
	char folder[PATH_MAX];
	int i, r;

	memset(&loader, -1, sizeof(loader));
	snprintf(folder, sizeof(folder), "%s/maps", dir);
	r = folder_find_pin(folder, "device_tallies", &loader.tallies, err);
	if (r == 0)
		r = folder_find_pin(folder, "device_answers", &loader.answers,
				    err);
	if (r == 0)
		r = folder_find_pin(folder, "device_marks", &loader.marks, err);
	if (r == 0 && layout_check(loader.marks, "device_marks",
				   sizeof(struct device_mark), err) < 0)
		r = err_say(err, -EINVAL,
			    "another version of weir limits devices: only its "
			    "own weirctl clear can take them back");
	object_folder(&object, dir, folder);
	for (i = 0; r == 0 && i < N_PROGRAMS; i++) {
		r = folder_find_pin(folder, programs[i], &loader.program[i],
				    err);
		if (r == 0 && loader.program[i] >= 0)
			r = program_id(loader.program[i], &loader.program_id[i],
				       err);
	}
	if (r < 0)
		return r;
	*ret_loader = loader;
	memset(&loader, -1, sizeof(loader));
	return 0;
}

bool loader_is_whole(const struct loader *loader)
{
	int i;

	for (i = 0; i < N_PROGRAMS; i++)
		if (loader->program[i] < 0)
			return false;
	return loader->tallies >= 0 && loader->answers >= 0 &&
	       loader->marks >= 0;
}

bool loader_needed(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_devices; i++)
		if (image->devices[i].in_use)
			return true;
	for (i = 0; i < image->n_groups; i++)
		if (image_group_wants_queue(image, i))
			return true;
	return false;
}

int loader_ensure(const char *dir, struct err *err)
{
	CLEANUP(loader_close) struct loader loader;
	int r;

	memset(&loader, -1, sizeof(loader));
	r = loader_open(dir, &loader, err);
	if (r < 0 || loader_is_whole(&loader))
		return r;
	return object_load(&object, dir, programs, N_PROGRAMS, err);
}

int loader_tidy(const char *dir, struct err *err)
{
	return object_tidy(&object, dir, err);
}

bool loader_have_others(const char *dir)
{
	return object_has_others(&object, dir);
}
