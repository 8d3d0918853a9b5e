/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one side of a packet has an address or port that a row names. */
#ifndef WEIR_RULES_SIDE_BPF_H
#define WEIR_RULES_SIDE_BPF_H

#include "rules/packet.bpf.h"
#include "rules/set.bpf.h"

/* Odd where the side has the address (SET_HAS*), else 0.  slot: SLOT_AND_PORT.
 */
static __always_inline __u32 side_has(const struct row_side *side,
				      const union address *address, __u32 slot)
{
	const __u64 *addr = (const __u64 *)side->addr;
	const __u64 *mask = (const __u64 *)side->mask;

	if (side->set != NONE)
		return set_has_address(slot, side->set, address->halves[0],
				       address->halves[1]);
	return is_zero(((address->halves[0] & mask[0]) ^ addr[0]) |
		       ((address->halves[1] & mask[1]) ^ addr[1]));
}

/* The same of a port. */
static __always_inline __u32 side_has_port(const struct row_side *side,
					   __u16 port, __u32 slot)
{
	if (side->port_set != NONE)
		return set_has_port(slot, side->port_set, port);
	return port >= side->port_first && port <= side->port_last;
}

#endif
