/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports and ranges of ports. */
#ifndef WEIR_RULES_PORT_H
#define WEIR_RULES_PORT_H

#include <stddef.h>

#include "base/err.h"
#include "rules/policy.h"

/* P or P-P.  -EINVAL, and why says what would do. */
int port_parse(const char *text, struct port_range *ret_range, struct err *why);

/* The port of a service that everybody knows by name, or 0. */
unsigned int port_of_service(const char *name);

#define PORT_TEXT_MAX 12

void port_format(const struct port_range *range,
		 char ret_text[static PORT_TEXT_MAX]);

/* Sorts, and leaves out what occurs twice. */
void ports_sort(struct port_range *ports, size_t *n);

/* Likewise; neighbours and what overlaps become one. */
void ports_merge(struct port_range *ports, size_t *n);

#endif
