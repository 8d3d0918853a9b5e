/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links: the network interfaces of one namespace. */
#ifndef WEIR_NETLINK_LINK_H
#define WEIR_NETLINK_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/conn.h"

#define LINK_KIND_MAX 32
#define LINK_NO_NSID  (-1)

struct link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[LINK_KIND_MAX]; /* "veth", "ifb", …; "" for hardware */
	uint32_t peer;	   /* IFLA_LINK: of a veth, its other end; or 0 */
	int32_t peer_nsid; /* namespace of peer; LINK_NO_NSID: this one */
	uint32_t master;   /* bridge or bond that it is in, or 0 */
	uint32_t group;	   /* ip link's "group" */
	uint32_t mtu;
	uint32_t tx_queues;
	uint32_t tx_queue_len;
	uint32_t flags;	      /* IFF_* */
	uint16_t type;	      /* ARPHRD_*: 1 is Ethernet */
	uint8_t operstate;    /* IF_OPER_*: 6 is up, 0 unknown */
	bool has_xdp;	      /* a program, run by the driver or not */
	uint32_t xdp_program; /* id of the one that the driver runs, or 0 */
};

struct links {
	struct link *list; /* by ifindex */
	size_t n_list;
};

int links_read(struct conn *conn, struct links *ret_links, struct err *err);
void links_clear(struct links *links);

/* NULL where there is none. */
const struct link *links_by_name(const struct links *links, const char *name);
const struct link *links_by_index(const struct links *links, uint32_t ifindex);

/* One link, without the others.  -ENODEV: "device 'eth7': no such device". */
int link_find(struct conn *conn, const char *name, struct link *ret_link,
	      struct err *err);
int link_find_index(struct conn *conn, uint32_t ifindex, struct link *ret_link,
		    struct err *err);

/*
 * An ifb with the name, group and tx_queues (0: one) of want, up.  One that
 * is there already with that group is brought up; any other link of the name
 * is -EEXIST.  The group marks it as ours from its first moment.
 */
int link_ensure_ifb(struct conn *conn, const struct link *want,
		    struct link *ret_link, struct err *err);

/* Removes a link; one that has gone already is fine. */
int link_remove(struct conn *conn, const struct link *link, struct err *err);

/*
 * The number that conn's namespace knows another one by, or LINK_NO_NSID:
 * what peer_nsid of its links is compared with.
 */
int link_nsid(struct conn *conn, int netns_fd, int32_t *ret_nsid,
	      struct err *err);

#endif
