/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way a packet to some address would go. */
#ifndef WEIR_NETLINK_ROUTE_H
#define WEIR_NETLINK_ROUTE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "netlink/conn.h"

struct route {
	uint32_t ifindex; /* that it leaves by; lo for the host's own */
	bool has_src;
	struct in6_addr src; /* that it would come from; IPv4 mapped */
};

/* dst: IPv4 as ::ffff:a.b.c.d.  -ENETUNREACH and the like without a way. */
int route_find(struct conn *conn, const struct in6_addr *dst,
	       struct route *ret_route, struct err *err);

#endif
