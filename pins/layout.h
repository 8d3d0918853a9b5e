/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is pinned is laid out as this version of weir has it.  Another
 * version's maps are none to read or to load programs for; clear takes them.
 */
#ifndef WEIR_PINS_LAYOUT_H
#define WEIR_PINS_LAYOUT_H

#include <stddef.h>

#include "base/err.h"

struct bpf_object;

/* -EPROTO: says so of a map, and what to do. */
int layout_misfit(const char *map, struct err *err);

/* -EPROTO where the map's values have another size; fd -1 is fine. */
int layout_check(int fd, const char *map, size_t value_size, struct err *err);

/* The same for the pins that an object, opened and not loaded, would take. */
int layout_check_object(const struct bpf_object *opened, struct err *err);

#endif
