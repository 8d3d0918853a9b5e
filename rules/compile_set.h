/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of addresses or ports, and the prefixes that they are made of.
 * Only for compile*.c.
 */
#ifndef WEIR_RULES_COMPILE_SET_H
#define WEIR_RULES_COMPILE_SET_H

#include <stddef.h>

#include "rules/image.h"
#include "rules/policy.h"

typedef unsigned __int128 span_end;

/* Inclusive.  An address counts as the number that its 16 bytes are. */
struct span {
	span_end first, last;
};

struct spans {
	struct span *list;
	size_t n_list;
};

void spans_clear(struct spans *spans);

/*
 * IPv6 ranges leave ::ffff:0:0/96 out, where IPv4 has its place.  -ENOMEM.
 */
int spans_add_networks(struct spans *spans, const struct network *networks,
		       size_t n);
int spans_add_ports(struct spans *spans, const struct port_range *ports,
		    size_t n);

/* Sorts them, and joins those that overlap or touch. */
void spans_join(struct spans *spans);

#define ADDRESS_BITS 128
#define PORT_BITS    16

/* Prefixes in all sets together: about 64 bytes of the kernel's each. */
#define ELEMENTS_MAX (16 << 20)

/* Adds the prefixes of a set's spans to image->elements.  -ENOMEM, -E2BIG. */
int spans_emit(const struct spans *spans, unsigned int bits, uint32_t set,
	       struct image *image);

/*
 * Whether the spans are one prefix of addresses: fills in addr and mask of
 * a rule's side.
 */
bool spans_one_prefix(const struct spans *spans, struct row_side *side);

#endif
