/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/watch.h"

#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

/* Messages that are read away at once; more of them wake the poll again. */
#define DRAIN_MAX 1000

struct watch {
	struct nl_sock *socket;
};

void watch_close(struct watch *watch)
{
	nl_socket_free(watch->socket);
	free(watch);
}

int watch_open(struct watch **ret_watch, struct err *err)
{
	CLEANUP(watch_closep) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return err_set(err, -ENOMEM, "watch links");
	watch->socket = nl_socket_alloc();
	if (!watch->socket)
		return err_set(err, -ENOMEM, "watch links");
	r = nl_connect(watch->socket, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_add_memberships(watch->socket, RTNLGRP_LINK, 0);
	if (r < 0)
		return err_say(err, -EIO, "watch links: %s", nl_geterror(r));
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

int watch_fd(const struct watch *watch)
{
	return nl_socket_get_fd(watch->socket);
}

void watch_drain(struct watch *watch)
{
	char buffer[16384];
	int i;

	for (i = 0; i < DRAIN_MAX; i++)
		if (recv(watch_fd(watch), buffer, sizeof(buffer),
			 MSG_DONTWAIT) <= 0)
			return;
}
