/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ways to print what was counted. */
#ifndef WEIR_CTL_STATS_H
#define WEIR_CTL_STATS_H

#include "ctl/snapshot.h"

/* Whether an object of this name was asked for. */
bool stats_wanted(const struct call *call, const char *name);

/* "12.3 MB" */
const char *stats_bytes_text(uint64_t bytes, char text[static 32]);

void stats_print(const struct call *call, const struct snapshot *snapshot);
int stats_print_json(const struct call *call, const struct snapshot *snapshot);

#endif
