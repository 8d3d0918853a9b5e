/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of flow_tables.h share.  Only for flow_*.c. */
#ifndef WEIR_CGROUP_FLOW_TABLES_OWN_H
#define WEIR_CGROUP_FLOW_TABLES_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "cgroup/flow_tables.h"

/* The table that a row is to have. */
struct flow_want {
	uint32_t share;
	uint32_t usual; /* room where none is asked for */
	const struct flow_room *room;
	bool windows; /* has windows, too */
	bool is_due;  /* the map is to be put there, or none where fd is -1 */
	int fd;
};

/* Those of an image, whose rows it borrows. */
struct flow_wants {
	struct flow_want *list;
	size_t n_list;
	uint32_t has[FLOW_SHARES]; /* by share: the place in the list, and 1 */
};

struct flow_wants *flow_wants_new(void);
void flow_wants_free(struct flow_wants *wants);
DEFINE_CLEANUP(struct flow_wants *, flow_wants_free);

/* image may be NULL.  -ENOMEM. */
int flow_wants_collect(const struct image *image, struct flow_wants *wants);
const struct flow_want *flow_wants_find(const struct flow_wants *wants,
					uint32_t share);

/* Puts, or takes away, all that are due, and closes them. */
int flow_wants_put(int flows, struct flow_wants *wants, struct err *err);

void flow_times_set(struct flow_head *head, const struct flow_room *room);

#endif
