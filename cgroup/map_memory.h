/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory the kernel has given for a map, by its own account. */
#ifndef WEIR_CGROUP_MAP_MEMORY_H
#define WEIR_CGROUP_MAP_MEMORY_H

#include <stdint.h>

/* Adds it to *sum, bytes. */
int map_memory(int fd, uint64_t *sum);

/*
 * Likewise, of the map at a place of an array of maps, unless its id is `but`.
 * *ret_id is its id; 0 where there is none.
 */
int map_memory_inside(int outer, uint32_t place, uint32_t but, uint64_t *sum,
		      uint32_t *ret_id);

#endif
