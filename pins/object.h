/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BPF objects of ours, loaded once and pinned: a later apply finds them there
 * and only writes tables.  The folder's name has a hash of the object, so
 * that another version of weir loads its own beside it.
 *
 *	DIR/maps/NAME		all maps; the objects share them
 *	DIR/PREFIX-HASH/NAME	programs
 */
#ifndef WEIR_PINS_OBJECT_H
#define WEIR_PINS_OBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bpf_object;

struct object {
	const char *name;   /* "cgroup": in sentences, and in the kernel */
	const char *prefix; /* of the folder of its programs, "programs-" */
	const void *(*bytes)(size_t *ret_size); /* of the ELF file */
	uint64_t hash; /* of it, by the Makefile: it takes long to read */
	/* A map that has what it declares for each processor; NULL: none. */
	const char *per_cpu;
};

/* The folder that its programs are pinned in. */
void object_folder(const struct object *object, const char *dir,
		   char ret_path[static PATH_MAX]);

/*
 * Loads these of its programs and pins them, and those maps that are not there
 * yet: what a program takes to load is what the kernel takes to verify it.
 */
int object_load(const struct object *object, const char *dir,
		const char *const *programs, size_t n_programs,
		struct err *err);

/*
 * Of an object that is loaded to see whether the kernel takes it: its maps are
 * not those that are pinned, and are not pinned.
 */
int object_pin_nothing(struct bpf_object *loaded);

/* Removes the pins of other versions' programs. */
int object_tidy(const struct object *object, const char *dir, struct err *err);

/* Whether there are any. */
bool object_has_others(const struct object *object, const char *dir);

#endif
