/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/route.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);

static struct nl_msg *question(const struct in6_addr *dst)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	bool is_ip4 = IN6_IS_ADDR_V4MAPPED(dst);
	struct rtmsg body = {
		.rtm_family = is_ip4 ? AF_INET : AF_INET6,
		.rtm_dst_len = is_ip4 ? 32 : 128,
	};

	msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	if (!msg || nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, RTA_DST, is_ip4 ? 4 : 16,
		    is_ip4 ? &dst->s6_addr[12] : dst->s6_addr) < 0)
		return NULL;
	return TAKE_PTR(msg);
}

static void copy_address(struct nlattr *attr, struct route *route)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	if (nla_len(attr) == 16) {
		memcpy(&route->src, nla_data(attr), 16);
	} else if (nla_len(attr) == 4) {
		memcpy(route->src.s6_addr, mapped, sizeof(mapped));
		memcpy(route->src.s6_addr + 12, nla_data(attr), 4);
	} else {
		return;
	}
	route->has_src = true;
}

static int take_answer(const struct nlmsghdr *message, void *arg)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message;
	struct nlattr *attrs[RTA_MAX + 1];
	struct route *route = arg;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse(header, sizeof(struct rtmsg), attrs, RTA_MAX, NULL) < 0)
		return -EBADMSG;
	if (attrs[RTA_OIF] && nla_len(attrs[RTA_OIF]) >= 4)
		route->ifindex = nla_get_u32(attrs[RTA_OIF]);
	if (attrs[RTA_PREFSRC])
		copy_address(attrs[RTA_PREFSRC], route);
	return 0;
}

int route_find(struct conn *conn, const struct in6_addr *dst,
	       struct route *ret_route, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = question(dst);
	struct route route = { 0 };
	struct conn_list list = { take_answer, NULL, &route };
	int r;

	if (!msg)
		return err_set(err, -ENOMEM, "look for a route");
	r = conn_get(conn, msg, &list, err);
	if (r < 0)
		return err_wrap(err, r, "look for a route");
	*ret_route = route;
	return 0;
}
