/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status and stats show of a quota. */
#ifndef WEIR_CTL_QUOTA_FIGURES_H
#define WEIR_CTL_QUOTA_FIGURES_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/kernel.h"

struct quota_figures {
	uint64_t used_bytes; /* in the period that goes on */
	int64_t end_s;	     /* when that ends, CLOCK_REALTIME; 0: not known */
	bool used_up;
};

/* Of the group's quota at the cgroup; zeroes where it has none. */
int quota_figures_read(const struct kernel *kernel,
		       const struct group_row *group, const char *path,
		       struct quota_figures *ret_figures, struct err *err);

/*
 * A line "quota 100gb/month: 12.3 GB used, until 2026-12-01 00:00" behind the
 * indent; none where there is no quota.
 */
void quota_figures_show(const char *indent, const struct quota_row *quota,
			const struct quota_figures *figures);

/* An object for the key "quota". */
json_t *quota_figures_json(const struct quota_row *quota,
			   const struct quota_figures *figures);

#endif
