/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pins/layout.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>

#include "base/cleanup.h"

int layout_misfit(const char *map, struct err *err)
{
	return err_say(
		err, -EPROTO,
		"what is in force is of another version of weir, whose "
		"map '%s' is laid out otherwise: run weirctl clear, then "
		"weirctl apply",
		map);
}

static int map_info(int fd, const char *map, struct bpf_map_info *ret_info,
		    struct err *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return err_set(err, r, "look at map '%s'", map);
	*ret_info = info;
	return 0;
}

int layout_check(int fd, const char *map, size_t value_size, struct err *err)
{
	struct bpf_map_info info;
	int r;

	if (fd < 0)
		return 0;
	r = map_info(fd, map, &info, err);
	if (r < 0)
		return r;
	return info.value_size == value_size ? 0 : layout_misfit(map, err);
}

/* As libbpf decides whether it can take a pinned map. */
static bool is_as_declared(const struct bpf_map *map,
			   const struct bpf_map_info *info)
{
	return info->type == bpf_map__type(map) &&
	       info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       info->max_entries == bpf_map__max_entries(map) &&
	       info->map_flags == bpf_map__map_flags(map);
}

static int check_pin(const struct bpf_map *map, struct err *err)
{
	const char *name = bpf_map__name(map), *pin = bpf_map__pin_path(map);
	AUTO_CLOSE int fd = pin ? bpf_obj_get(pin) : -ENOENT;
	struct bpf_map_info info;
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open pin '%s'", pin);
	r = map_info(fd, name, &info, err);
	if (r < 0)
		return r;
	return is_as_declared(map, &info) ? 0 : layout_misfit(name, err);
}

int layout_check_object(const struct bpf_object *opened, struct err *err)
{
	const struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, opened) {
		r = check_pin(map, err);
		if (r < 0)
			break;
	}
	return r;
}
