/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says of a qdisc, a class or a filter, made into the request
 * for another one like it.  For netlink/ only.
 */
#ifndef WEIR_NETLINK_REQUEST_H
#define WEIR_NETLINK_REQUEST_H

#include "netlink/tcmsg.h"

/*
 * *ret_request: to be freed; NULL where nothing needs to be asked for, since
 * it comes by itself.  -EOPNOTSUPP where a part cannot be asked for.
 */
int request_from(const struct nlmsghdr *message, struct nl_msg **ret_request);

#endif
