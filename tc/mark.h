/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marks of devices (struct device_mark), for the files of tc/. */
#ifndef WEIR_TC_MARK_H
#define WEIR_TC_MARK_H

#include <limits.h>

#include "tc/device.h"

/* All zero where there is none. */
int mark_read(const struct loader *loader, uint64_t netns, uint32_t ifindex,
	      struct device_mark *ret_mark, struct err *err);
int mark_write(const struct device *device, const struct device_mark *mark,
	       struct err *err);
int mark_remove(const struct loader *loader, uint64_t netns, uint32_t ifindex,
		struct err *err);

/* Makes sure of a mark with these flags, to be called before the deed. */
int mark_set(const struct device *device, uint32_t flags, struct err *err);
int mark_unset(const struct device *device, uint32_t flags, struct err *err);

/* The file that a root qdisc of somebody else's is kept in. */
void mark_saved_path(const char *state_dir, uint64_t netns, uint32_t ifindex,
		     char ret_path[static PATH_MAX]);

#endif
