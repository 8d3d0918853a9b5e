/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, networks and ranges of both families, as text and back. */
#ifndef WEIR_RULES_ADDRESS_H
#define WEIR_RULES_ADDRESS_H

#include <stddef.h>

#include "base/err.h"
#include "rules/policy.h"

/*
 * ADDR, ADDR/LEN or ADDR-ADDR.  -EINVAL, and why says what would do: host
 * bits beyond the prefix, a range that runs backwards and an IPv4 address
 * in IPv6 clothes are refused.
 */
int network_parse(const char *text, struct network *ret_network,
		  struct err *why);

/* Two IPv6 addresses, '-' and NUL. */
#define NETWORK_TEXT_MAX 96

/* As ADDR or ADDR/LEN where it is a network, else as a range. */
void network_format(const struct network *network,
		    char ret_text[static NETWORK_TEXT_MAX]);

/* IPv4 before IPv6, then by first and last address. */
int network_compare(const void *a, const void *b);

/* Sorts, and leaves out what occurs twice. */
void networks_sort(struct network *networks, size_t *n);

/* Likewise; neighbours and what overlaps become one. */
void networks_merge(struct network *networks, size_t *n);

#endif
