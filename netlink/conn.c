/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/conn.h"

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netlink/netns.h"

#define DUMP_TRIES 20

struct conn {
	struct nl_sock *sock;
	/* Of the request under way: */
	struct err *err;
	const struct conn_list *list;
	int code; /* the kernel's errno, negative */
	bool interrupted, done;
};

/* The attributes behind an error begin after the request that it repeats. */
static const char *kernel_sentence(const struct nlmsgerr *answer)
{
	const struct nlmsghdr *header =
		(const void *)((const char *)answer - NLMSG_HDRLEN);
	size_t skip = sizeof(*answer);
	struct nlattr *attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += answer->msg.nlmsg_len - NLMSG_HDRLEN;
	if (NLMSG_HDRLEN + skip > header->nlmsg_len)
		return NULL;
	attr = nla_find((const struct nlattr *)((const char *)answer + skip),
			(int)(header->nlmsg_len - NLMSG_HDRLEN - skip),
			NLMSGERR_ATTR_MSG);
	if (!attr || nla_len(attr) < 1)
		return NULL;
	((char *)nla_data(attr))[nla_len(attr) - 1] = '\0';
	return nla_data(attr);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *answer,
		    void *arg)
{
	struct conn *conn = arg;
	const char *text = kernel_sentence(answer);

	(void)from;
	conn->done = true;
	conn->code = answer->error < 0 ? answer->error : -EPROTO;
	if (text && *text)
		err_say(conn->err, conn->code, "%s", text);
	else
		err_say(conn->err, conn->code, "%s",
			strerrordesc_np(-conn->code)
				? strerrordesc_np(-conn->code)
				: "unknown error");
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct conn *conn = arg;

	(void)msg;
	conn->done = true;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct conn *conn = arg;
	int r;

	if (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP_INTR)
		conn->interrupted = true;
	if (!conn->list || conn->code < 0)
		return NL_OK;
	r = conn->list->each(nlmsg_hdr(msg), conn->list->arg);
	if (r < 0) {
		/* The rest still has to be read off the socket. */
		conn->code = r;
		err_say(conn->err, r, "%s", strerrordesc_np(-r));
	}
	return NL_OK;
}

/* The end of a list carries the kernel's error, if there was one. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct conn *conn = arg;
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	int code = 0;

	conn->done = true;
	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		conn->interrupted = true;
	if (nlmsg_datalen(header) >= (int)sizeof(code))
		memcpy(&code, nlmsg_data(header), sizeof(code));
	if (code < 0 && conn->code == 0) {
		conn->code = code;
		err_say(conn->err, code, "%s", strerrordesc_np(-code));
	}
	return NL_STOP;
}

/* Else libnl takes the flag for the failure of the whole list. */
static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct conn *conn = arg;

	(void)msg;
	conn->interrupted = true;
	return NL_OK;
}

static int set_callbacks(struct conn *conn)
{
	struct nl_cb *cb = nl_socket_get_cb(conn->sock);
	int r;

	r = nl_cb_err(cb, NL_CB_CUSTOM, on_error, conn);
	r = r ?: nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, conn);
	r = r ?: nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, conn);
	r = r ?: nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, conn);
	r = r
		    ?: nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM,
				 on_interrupted, conn);
	nl_cb_put(cb);
	return r;
}

void conn_close(struct conn *conn)
{
	if (!conn)
		return;
	nl_socket_free(conn->sock);
	free(conn);
}

int conn_open(int netns_fd, struct conn **ret_conn, struct err *err)
{
	CLEANUP(conn_closep) struct conn *conn = NULL;
	AUTO_CLOSE int fd = -1;
	const int on = 1;
	int r;

	conn = calloc(1, sizeof(*conn));
	if (conn)
		conn->sock = nl_socket_alloc();
	if (!conn || !conn->sock || set_callbacks(conn) < 0)
		return err_set(err, -ENOMEM, "open a route socket");
	r = netns_socket(netns_fd, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &fd,
			 err);
	if (r < 0)
		return r;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return err_set(err, neg_errno(), "set up a route socket");
	if (nl_socket_set_fd(conn->sock, NETLINK_ROUTE, fd) < 0)
		return err_set(err, -EIO, "set up a route socket");
	TAKE_FD(fd);
	/* Lists of a thousand links come in large pieces. */
	nl_socket_set_buffer_size(conn->sock, 1 << 20, 0);
	*ret_conn = TAKE_PTR(conn);
	return 0;
}

int conn_open_name(const char *netns, struct conn **ret_conn, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (netns) {
		r = netns_open(netns, &fd, err);
		if (r < 0)
			return r;
	}
	return conn_open(fd, ret_conn, err);
}

int conn_open_pid(pid_t pid, struct conn **ret_conn, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	r = netns_open_pid(pid, &fd, err);
	if (r < 0)
		return r;
	return conn_open(fd, ret_conn, err);
}

int conn_call(struct conn *conn, int (*call)(void *arg), void *arg,
	      struct err *err)
{
	AUTO_CLOSE int fd = ioctl(nl_socket_get_fd(conn->sock), SIOCGSKNS);

	if (fd < 0)
		return err_set(err, neg_errno(),
			       "open a socket's network namespace");
	return netns_call(fd, call, arg, err);
}

/*
 * Without an error of the kernel, libnl's own is one of the socket: out of
 * memory, or an answer that makes no sense.
 */
static int exchange(struct conn *conn, struct nl_msg *msg,
		    const struct conn_list *list, struct err *err)
{
	int r;

	conn->err = err;
	conn->list = list;
	conn->code = 0;
	conn->interrupted = conn->done = false;
	nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
	r = nl_send_auto(conn->sock, msg);
	if (r < 0)
		return err_say(err, -EIO, "route socket: %s", nl_geterror(r));
	do
		r = nl_recvmsgs_default(conn->sock);
	while (r >= 0 && !conn->done);
	conn->err = NULL;
	conn->list = NULL;
	if (conn->code < 0)
		return conn->code;
	if (r < 0)
		return err_say(err, r == -NLE_NOMEM ? -ENOMEM : -EIO,
			       "route socket: %s", nl_geterror(r));
	return 0;
}

int conn_ask(struct conn *conn, struct nl_msg *msg, struct err *err)
{
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	return exchange(conn, msg, NULL, err);
}

int conn_do(struct conn *conn, struct nl_msg *msg, struct err *err,
	    const char *fmt, ...)
{
	char what[256];
	va_list args;
	int r;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (!msg)
		return err_set(err, -ENOMEM, "%s", what);
	r = conn_ask(conn, msg, err);
	return r < 0 ? err_wrap(err, r, "%s", what) : 0;
}

int conn_get(struct conn *conn, struct nl_msg *msg,
	     const struct conn_list *list, struct err *err)
{
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	return exchange(conn, msg, list, err);
}

int conn_dump(struct conn *conn, struct nl_msg *msg,
	      const struct conn_list *list, struct err *err)
{
	int tries, r;

	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
	for (tries = 0; tries < DUMP_TRIES; tries++) {
		list->restart(list->arg);
		r = exchange(conn, msg, list, err);
		if (r < 0)
			return r;
		if (!conn->interrupted)
			return 0;
	}
	return err_say(err, -EAGAIN, "the list changed each time it was read");
}
