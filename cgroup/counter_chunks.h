/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that counters are in; only for tables_counters.c. */
#ifndef WEIR_CGROUP_COUNTER_CHUNKS_H
#define WEIR_CGROUP_COUNTER_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/image_abi.h"

/*
 * A chunk as memory that the programs write: cell c of processor p is
 * cells[p * COUNTER_CHUNK + c].  To begin with all is 0 but cpus.
 */
struct chunk {
	uint32_t number;
	uint32_t cpus;		    /* how many the kernel may have */
	struct counter_cell *cells; /* NULL: none is open */
};

/*
 * Opens the chunk of that number in the map `counters`, in place of the one
 * that is open, unless it is.  -ENOENT where there is none, -EPROTO where it is
 * another version's.
 */
int chunk_go_to(struct chunk *chunk, int counters, uint32_t number);

void chunk_close(struct chunk *chunk);

/* Makes those of the COUNTER_CHUNKS that are wanted and not there, of zeroes.
 */
int chunks_ensure(int counters, const bool *wanted, uint32_t cpus);

#endif
