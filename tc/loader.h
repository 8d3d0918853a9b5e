/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tc programs, pinned in DIR/tc-HASH as pins/object.h says.  Pins outlive
 * what is closed here.
 */
#ifndef WEIR_TC_LOADER_H
#define WEIR_TC_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rules/image.h"
#include "tc/device_abi.h"

enum {
	PROGRAM_IN = SIDE_IN,
	PROGRAM_OUT = SIDE_OUT,
	PROGRAM_WAIT, /* behind PROGRAM_IN: sends to the ifb */
	N_PROGRAMS,
};

/* The tc programs and their own maps. */
struct loader {
	int program[N_PROGRAMS]; /* by PROGRAM_*, or SIDE_* */
	uint32_t program_id[N_PROGRAMS];
	int tallies; /* device_tallies */
	int answers; /* device_answers */
	int marks;   /* device_marks */
};

/* Whether this policy's devices need the programs. */
bool loader_needed(const struct image *image);

/* Loads and pins the programs and their maps, unless they are there. */
int loader_ensure(const char *dir, struct err *err);

/* Opens what is pinned in dir; -1 for what is not. */
int loader_open(const char *dir, struct loader *ret_loader, struct err *err);
bool loader_is_whole(const struct loader *loader);
void loader_close(struct loader *loader);

/* Removes the pins of other versions' programs. */
int loader_tidy(const char *dir, struct err *err);

/* Whether those of another version are pinned. */
bool loader_have_others(const char *dir);

#endif
