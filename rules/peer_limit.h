/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits by address, as text: "@backup 5mbit, 10.0.0.0/8 none". */
#ifndef WEIR_RULES_PEER_LIMIT_H
#define WEIR_RULES_PEER_LIMIT_H

#include "base/err.h"
#include "rules/policy.h"

/*
 * A list of addresses and what they have, in the order in which they are
 * tried.  -EINVAL or -ENOMEM with why, and limits is empty then.
 */
int peer_limits_parse(const char *value, struct peer_limits *limits,
		      struct err *why);
void peer_limits_clear(struct peer_limits *limits);

#endif
