/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of addresses, ports or names that the lists of rules have.  Only for
 * compile*.c.
 */
#ifndef WEIR_RULES_COMPILE_SET_H
#define WEIR_RULES_COMPILE_SET_H

#include <stddef.h>

#include "rules/element.h"
#include "rules/image.h"
#include "rules/policy.h"

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
int spans_add_names(struct spans *spans, const struct element_list *names);

/* Sorts them, and joins those that overlap or touch. */
void spans_join(struct spans *spans);

/* As elements of a set, sorted; kind: SET_OF_*, but services.  -ENOMEM. */
int spans_to_elements(const struct spans *spans, unsigned int kind,
		      struct elements *ret_elements);

/*
 * Whether the network, or all spans, are one prefix of addresses: fills in addr
 * and mask of a rule's side.
 */
bool network_one_prefix(const struct network *network, struct row_side *side);
bool spans_one_prefix(const struct spans *spans, struct row_side *side);

#endif
