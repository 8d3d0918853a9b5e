/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be called what: groups, chains and sets, interfaces, namespaces. */
#ifndef WEIR_RULES_LABEL_H
#define WEIR_RULES_LABEL_H

#include "base/err.h"

#define LABEL_MAX 63

/* [a-z0-9][a-z0-9_.-]*, at most LABEL_MAX.  -EINVAL with why. */
int label_check(const char *text, struct err *why);

/* A name that an interface can have. */
int interface_check(const char *text, struct err *why);

/* A name below /run/netns. */
int netns_check(const char *text, struct err *why);

#endif
