/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/object.h"

#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "pins/folder.h"
#include "pins/layout.h"
#include "pins/log.h"

#define NAME_MAX_SIZE 48

DEFINE_CLEANUP(struct bpf_object *, bpf_object__close);

static void folder_name(const struct object *object,
			char ret_name[static NAME_MAX_SIZE])
{
	snprintf(ret_name, NAME_MAX_SIZE, "%.31s%016llx", object->prefix,
		 (unsigned long long)object->hash);
}

void object_folder(const struct object *object, const char *dir,
		   char ret_path[static PATH_MAX])
{
	char name[NAME_MAX_SIZE];

	folder_name(object, name);
	snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
}

static void choose_programs(struct bpf_object *opened,
			    const char *const *programs, size_t n_programs)
{
	struct bpf_program *program;
	size_t i;

	bpf_object__for_each_program(program, opened) {
		for (i = 0; i < n_programs; i++)
			if (strcmp(bpf_program__name(program), programs[i]) ==
			    0)
				break;
		bpf_program__set_autoload(program, i < n_programs);
	}
}

/* A map of the kernel's own kind for that takes no locks. */
static int stretch_map(struct bpf_object *opened, const char *name)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_map *map;

	map = bpf_object__find_map_by_name(opened, name);
	if (!map || cpus < 0)
		return map ? cpus : neg_errno();
	return bpf_map__set_max_entries(map, bpf_map__max_entries(map) * cpus);
}

/* Those that a crash left there already are as good. */
static int pin_programs(struct bpf_object *loaded, const char *folder,
			struct err *err)
{
	struct bpf_program *program;
	char path[PATH_MAX];
	int r;

	bpf_object__for_each_program(program, loaded) {
		if (!bpf_program__autoload(program))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder,
			 bpf_program__name(program));
		r = bpf_program__pin(program, path);
		if (r < 0 && r != -EEXIST)
			return err_set(err, r, "pin program '%s'", path);
	}
	return 0;
}

int object_load(const struct object *object, const char *dir,
		const char *const *programs, size_t n_programs, struct err *err)
{
	CLEANUP(bpf_object__closep) struct bpf_object *loaded = NULL;
	char maps[PATH_MAX], folder[PATH_MAX], what[64];
	CLEANUP(log_end) struct log log;
	const void *bytes;
	size_t size;
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = object->name,
		    .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	object_folder(object, dir, folder);
	r = folder_make(maps, err);
	if (r == 0)
		r = folder_make(folder, err);
	if (r < 0)
		return r;
	bytes = object->bytes(&size);
	loaded = bpf_object__open_mem(bytes, size, &opts);
	if (loaded) {
		if (object->per_cpu)
			r = stretch_map(loaded, object->per_cpu);
		if (r < 0)
			return err_set(err, r, "make room for each processor");
		r = layout_check_object(loaded, err);
		if (r < 0)
			return r;
		choose_programs(loaded, programs, n_programs);
	}
	r = loaded ? bpf_object__load(loaded) : neg_errno();
	if (!loaded || r < 0) {
		snprintf(what, sizeof(what), "load the %s programs",
			 object->name);
		return log_set(&log, err, r, what);
	}
	return pin_programs(loaded, folder, err);
}

int object_pin_nothing(struct bpf_object *loaded)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, loaded) {
		r = bpf_map__set_pin_path(map, NULL);
		if (r < 0)
			break;
	}
	return r;
}

int object_tidy(const struct object *object, const char *dir, struct err *err)
{
	char name[NAME_MAX_SIZE];

	folder_name(object, name);
	return folder_remove_all(dir, object->prefix, name, err);
}

bool object_has_others(const struct object *object, const char *dir)
{
	char name[NAME_MAX_SIZE];

	folder_name(object, name);
	return folder_has(dir, object->prefix, name);
}
