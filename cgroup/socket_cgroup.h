/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cgroup a TCP socket of our network namespace belongs to. */
#ifndef WEIR_CGROUP_SOCKET_CGROUP_H
#define WEIR_CGROUP_SOCKET_CGROUP_H

#include <limits.h>
#include <netinet/in.h>

/* Addresses of IPv4 as ::ffff:a.b.c.d, ports in host byte order. */
struct socket_ends {
	struct in6_addr own, other;
	uint16_t own_port, other_port;
};

/*
 * Its path below mount, "" for the root.  -ENOENT where there is no such
 * socket; -EOPNOTSUPP where the kernel does not tell (before 5.8).
 */
int socket_cgroup(const char *mount, const struct socket_ends *ends,
		  char ret_path[static PATH_MAX]);

#endif
