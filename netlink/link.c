/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/link.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);
DEFINE_CLEANUP(struct rtnl_link *, rtnl_link_put);

/* Packets that the ifb's own queue holds before HTB has classes for them. */
#define IFB_QUEUE_LEN 1000

static void copy_text(struct nlattr *attr, char *to, size_t size)
{
	if (attr)
		nla_strlcpy(to, attr, size);
}

static uint32_t get_u32(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

static int parse_xdp(struct nlattr *nested, struct link *link)
{
	struct nlattr *attrs[IFLA_XDP_MAX + 1];

	if (!nested)
		return 0;
	if (nla_parse_nested(attrs, IFLA_XDP_MAX, nested, NULL) < 0)
		return -EBADMSG;
	link->has_xdp = attrs[IFLA_XDP_ATTACHED] &&
			nla_get_u8(attrs[IFLA_XDP_ATTACHED]) !=
				XDP_ATTACHED_NONE;
	link->xdp_program = get_u32(attrs[IFLA_XDP_DRV_PROG_ID]);
	return 0;
}

static int parse_link(const struct nlmsghdr *message, struct link *ret_link)
{
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1] = { 0 };
	struct nlmsghdr *header = (struct nlmsghdr *)message;
	const struct ifinfomsg *body;
	struct link link = { .peer_nsid = LINK_NO_NSID };

	if (nlmsg_parse(header, sizeof(*body), attrs, IFLA_MAX, NULL) < 0)
		return -EBADMSG;
	if (attrs[IFLA_LINKINFO] &&
	    nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) <
		    0)
		return -EBADMSG;
	body = nlmsg_data(header);
	link.ifindex = (uint32_t)body->ifi_index;
	link.flags = body->ifi_flags;
	link.type = body->ifi_type;
	copy_text(attrs[IFLA_IFNAME], link.name, sizeof(link.name));
	copy_text(info[IFLA_INFO_KIND], link.kind, sizeof(link.kind));
	link.peer = get_u32(attrs[IFLA_LINK]);
	if (attrs[IFLA_LINK_NETNSID])
		link.peer_nsid = (int32_t)get_u32(attrs[IFLA_LINK_NETNSID]);
	link.master = get_u32(attrs[IFLA_MASTER]);
	link.group = get_u32(attrs[IFLA_GROUP]);
	link.mtu = get_u32(attrs[IFLA_MTU]);
	link.tx_queues = get_u32(attrs[IFLA_NUM_TX_QUEUES]);
	link.tx_queue_len = get_u32(attrs[IFLA_TXQLEN]);
	if (attrs[IFLA_OPERSTATE])
		link.operstate = nla_get_u8(attrs[IFLA_OPERSTATE]);
	if (parse_xdp(attrs[IFLA_XDP], &link) < 0)
		return -EBADMSG;
	*ret_link = link;
	return 0;
}

static struct nl_msg *get_message(uint32_t ifindex, const char *name)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct ifinfomsg body = { .ifi_index = (int)ifindex };

	msg = nlmsg_alloc_simple(RTM_GETLINK, 0);
	if (!msg || nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO) < 0 ||
	    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
	    (name && nla_put_string(msg, IFLA_IFNAME, name) < 0))
		return NULL;
	return TAKE_PTR(msg);
}

static int add_link(const struct nlmsghdr *message, void *arg)
{
	struct links *links = arg;
	struct link *link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	link = ARRAY_ADD(links, list);
	return link ? parse_link(message, link) : -ENOMEM;
}

void links_clear(struct links *links)
{
	free(links->list);
	*links = (struct links){ 0 };
}

static void restart(void *arg)
{
	links_clear(arg);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int links_read(struct conn *conn, struct links *ret_links, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = get_message(0, NULL);
	CLEANUP(links_clear) struct links links = { 0 };
	struct conn_list list = { add_link, restart, &links };
	int r;

	if (!msg)
		return err_set(err, -ENOMEM, "list devices");
	r = conn_dump(conn, msg, &list, err);
	if (r < 0)
		return err_wrap(err, r, "list devices");
	if (links.list)
		qsort(links.list, links.n_list, sizeof(*links.list),
		      by_ifindex);
	*ret_links = links;
	links = (struct links){ 0 };
	return 0;
}

const struct link *links_by_name(const struct links *links, const char *name)
{
	size_t i;

	for (i = 0; i < links->n_list; i++)
		if (strcmp(links->list[i].name, name) == 0)
			return &links->list[i];
	return NULL;
}

const struct link *links_by_index(const struct links *links, uint32_t ifindex)
{
	struct link key = { .ifindex = ifindex };

	if (!links->list)
		return NULL;
	return bsearch(&key, links->list, links->n_list, sizeof(key),
		       by_ifindex);
}

static int keep_link(const struct nlmsghdr *message, void *arg)
{
	return message->nlmsg_type == RTM_NEWLINK ? parse_link(message, arg)
						  : 0;
}

static int find(struct conn *conn, struct nl_msg *msg, const char *what,
		struct link *ret_link, struct err *err)
{
	struct link link = { 0 };
	struct conn_list list = { keep_link, NULL, &link };
	int r;

	if (!msg)
		return err_set(err, -ENOMEM, "device '%s'", what);
	r = conn_get(conn, msg, &list, err);
	if (r == 0 && link.ifindex == 0)
		r = -ENODEV;
	if (r == -ENODEV)
		return err_say(err, r, "device '%s': no such device", what);
	if (r < 0)
		return err_wrap(err, r, "device '%s'", what);
	*ret_link = link;
	return 0;
}

int link_find(struct conn *conn, const char *name, struct link *ret_link,
	      struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;

	/* The kernel would call it a broken request. */
	if (!*name || strlen(name) >= IFNAMSIZ)
		return err_say(err, -ENODEV, "device '%s': no such device",
			       name);
	msg = get_message(0, name);
	return find(conn, msg, name, ret_link, err);
}

int link_find_index(struct conn *conn, uint32_t ifindex, struct link *ret_link,
		    struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = get_message(ifindex, NULL);
	char what[16];

	snprintf(what, sizeof(what), "%u", ifindex);
	return find(conn, msg, what, ret_link, err);
}

static int ask_ifb(struct conn *conn, const struct link *want, int flags,
		   struct err *err)
{
	CLEANUP(rtnl_link_putp) struct rtnl_link *link = rtnl_link_alloc();
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	int r;

	if (!link || rtnl_link_set_type(link, "ifb") < 0)
		return err_set(err, -ENOMEM, "add ifb '%s'", want->name);
	rtnl_link_set_name(link, want->name);
	rtnl_link_set_group(link, want->group);
	rtnl_link_set_flags(link, IFF_UP);
	rtnl_link_set_txqlen(link, IFB_QUEUE_LEN);
	if (want->tx_queues)
		rtnl_link_set_num_tx_queues(link, want->tx_queues);
	rtnl_link_build_add_request(link, flags, &msg); /* or it stays NULL */
	r = conn_do(conn, msg, err, "add ifb '%s'", want->name);
	if (r == -EOPNOTSUPP)
		return err_say(err, r,
			       "add ifb '%s': the kernel has no such devices: "
			       "it needs the module ifb",
			       want->name);
	return r;
}

int link_ensure_ifb(struct conn *conn, const struct link *want,
		    struct link *ret_link, struct err *err)
{
	struct link link;
	int r;

	r = ask_ifb(conn, want, NLM_F_CREATE | NLM_F_EXCL, err);
	if (r < 0 && r != -EEXIST)
		return r;
	r = link_find(conn, want->name, &link, err);
	if (r < 0)
		return r;
	if (strcmp(link.kind, "ifb") != 0 || link.group != want->group)
		return err_say(
			err, -EEXIST,
			"add ifb '%s': somebody else's device has that name",
			want->name);
	if (!(link.flags & IFF_UP)) {
		r = ask_ifb(conn, want, 0, err);
		if (r < 0)
			return r;
	}
	*ret_link = link;
	return 0;
}

int link_remove(struct conn *conn, const struct link *link, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct ifinfomsg body = { .ifi_index = (int)link->ifindex };
	bool whole;
	int r;

	msg = nlmsg_alloc_simple(RTM_DELLINK, 0);
	whole = msg &&
		nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO) == 0;
	r = conn_do(conn, whole ? msg : NULL, err, "remove device '%s'",
		    link->name);
	return r == -ENODEV ? 0 : r;
}

static int keep_nsid(const struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[NETNSA_MAX + 1];
	struct nlmsghdr *header = (struct nlmsghdr *)message;

	if (message->nlmsg_type != RTM_NEWNSID)
		return 0;
	if (nlmsg_parse(header, sizeof(struct rtgenmsg), attrs, NETNSA_MAX,
			NULL) < 0 ||
	    !attrs[NETNSA_NSID])
		return -EBADMSG;
	*(int32_t *)arg = (int32_t)nla_get_u32(attrs[NETNSA_NSID]);
	return 0;
}

int link_nsid(struct conn *conn, int netns_fd, int32_t *ret_nsid,
	      struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct rtgenmsg body = { .rtgen_family = AF_UNSPEC };
	int32_t nsid = LINK_NO_NSID;
	struct conn_list list = { keep_nsid, NULL, &nsid };
	int r;

	msg = nlmsg_alloc_simple(RTM_GETNSID, 0);
	if (!msg || nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO) < 0 ||
	    nla_put_u32(msg, NETNSA_FD, (uint32_t)netns_fd) < 0)
		return err_set(err, -ENOMEM, "compare network namespaces");
	r = conn_get(conn, msg, &list, err);
	if (r < 0)
		return err_wrap(err, r, "compare network namespaces");
	*ret_nsid = nsid;
	return 0;
}
