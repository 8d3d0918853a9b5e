/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of flows in the kernel: each a map of its own in the array of maps
 * `flows`, for a group or a device that looks at states.  Layout and indexes:
 * rules/flow_abi.h.  A table outlives the policies that name it; only
 * flow_tables_tidy takes it away.
 */
#ifndef WEIR_CGROUP_FLOW_TABLES_H
#define WEIR_CGROUP_FLOW_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/image.h"

/*
 * Part of tables_write: makes the tables that image has and live has not, and
 * those again that are to have another size, or windows, or are not as live has
 * them; their flows go over.  What is opened in the milliseconds of that is
 * lost.  live may be NULL, or image.
 */
int flow_tables_write(int flows, const struct image *image,
		      const struct image *live, struct err *err);

/*
 * When image is in force: gives its tables their times, and takes away those
 * that only was had.
 */
int flow_tables_tidy(int flows, const struct image *image,
		     const struct image *was, struct err *err);

/* Puts an empty table, for so many flows, where nobody needs another. */
int flow_table_put(int flows, uint32_t share, const struct flow_room *room,
		   uint32_t usual, bool windows, struct err *err);

/* The share of a row; 0 where it looks at no states. */
uint32_t flow_share_of_group(const struct group_row *row);
uint32_t flow_share_of_device(const struct image *image, size_t index);

struct flow_figures {
	uint64_t limit;	 /* how many flows were asked for; 0: no table */
	uint64_t held;	 /* are there now */
	uint64_t proven; /* of these */
	uint64_t opened, evicted, expired, full; /* as in struct flow_head */
};

/* All zero for share 0. */
int flow_figures_read(int flows, uint32_t share, struct flow_figures *ret,
		      struct err *err);

/* Adds what the kernel has given for image's tables, bytes. */
int flow_tables_memory(int flows, const struct image *image, uint64_t *sum);

/* A table, mapped; for tests, too. */
struct flow_map {
	union flow_block *blocks; /* NULL: there is no table */
	uint32_t n;		  /* all of them: the head, lines, windows */
};

/* How many lines there are, from block 1 on. */
uint32_t flow_map_lines(const struct flow_map *map);

int flow_map_open(int flows, uint32_t share, struct flow_map *ret_map);
void flow_map_close(struct flow_map *map);

/* Ticks, as BPF counts them. */
uint32_t flow_ticks_now(void);

#endif
