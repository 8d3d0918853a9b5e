/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which mechanism makes each kind of limit true on a kernel. */
#ifndef WEIR_CTL_MECHANISM_H
#define WEIR_CTL_MECHANISM_H

#include <stdbool.h>

struct mechanism {
	const char *limit;
	const char *shaper; /* what does it best, NULL: otherwise */
	const char *otherwise;
	const char *needs[4]; /* features that shaper takes */
	const char *asked;    /* what `shaper =` may ask for instead, or NULL */
	const char *asked_needs[4];
};

/* Ends with a NULL limit. */
extern const struct mechanism mechanisms[];

/* The limit's mechanism where the kernel has what `has` says; "-": none. */
const char *mechanism_choose(const struct mechanism *mechanism,
			     bool (*has)(const char *feature));

/* What may be asked for instead, where the kernel has it; NULL: nothing. */
const char *mechanism_asked(const struct mechanism *mechanism,
			    bool (*has)(const char *feature));

#endif
