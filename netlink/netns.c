/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/netns.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define OWN_NETNS "/proc/thread-self/ns/net"

static int open_path(const char *path, const char *what, int *ret_fd,
		     struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, neg_errno(), "%s: open '%s'", what, path);
	*ret_fd = fd;
	return 0;
}

int netns_open(const char *name, int *ret_fd, struct err *err)
{
	char path[PATH_MAX];

	if (!name)
		return open_path(OWN_NETNS, "our network namespace", ret_fd,
				 err);
	if (!*name || name[0] == '.' || strchr(name, '/') ||
	    strlen(name) > NAME_MAX)
		return err_say(err, -EINVAL,
			       "'%s' is not a name of a network namespace",
			       name);
	snprintf(path, sizeof(path), NETNS_FOLDER "/%s", name);
	return open_path(path, "network namespace", ret_fd, err);
}

int netns_open_pid(pid_t pid, int *ret_fd, struct err *err)
{
	char path[64], what[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	snprintf(what, sizeof(what), "network namespace of process %d", pid);
	r = open_path(path, what, ret_fd, err);
	return r == -ENOENT ? -ESRCH : r;
}

int netns_inode(int fd, uint64_t *ret_inode, struct err *err)
{
	struct stat st;

	if ((fd < 0 ? stat(OWN_NETNS, &st) : fstat(fd, &st)) < 0)
		return err_set(err, neg_errno(), "read a network namespace");
	*ret_inode = st.st_ino;
	return 0;
}

int netns_inode_pid(pid_t pid, uint64_t *ret_inode, struct err *err)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ESRCH)
			return -ESRCH;
		return err_set(err, neg_errno(), "read '%s'", path);
	}
	*ret_inode = st.st_ino;
	return 0;
}

int netns_call(int netns, int (*call)(void *arg), void *arg, struct err *err)
{
	AUTO_CLOSE int own = -1;
	int r;

	if (netns < 0)
		return call(arg);
	r = netns_open(NULL, &own, err);
	if (r < 0)
		return r;
	if (setns(netns, CLONE_NEWNET) < 0)
		return err_set(err, neg_errno(), "enter a network namespace");
	r = call(arg);
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return r;
}

struct socket_call {
	int domain, type, protocol;
	int fd;
};

static int open_socket(void *arg)
{
	struct socket_call *call = arg;

	call->fd =
		socket(call->domain, call->type | SOCK_CLOEXEC, call->protocol);
	if (call->fd < 0)
		call->fd = neg_errno();
	return 0;
}

int netns_socket(int netns, int domain, int type, int protocol, int *ret_fd,
		 struct err *err)
{
	struct socket_call call = { domain, type, protocol, -1 };
	int r = netns_call(netns, open_socket, &call, err);

	if (r < 0)
		return r;
	if (call.fd < 0)
		return err_set(err, call.fd, "open a socket");
	*ret_fd = call.fd;
	return 0;
}

int netns_id(int fd, uint64_t *ret_id, struct err *err)
{
	AUTO_CLOSE int sock = -1;
	uint64_t cookie;
	socklen_t size = sizeof(cookie);
	int r;

	r = netns_socket(fd, AF_UNIX, SOCK_DGRAM, 0, &sock, err);
	if (r < 0)
		return r;
	if (getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return netns_inode(fd, ret_id, err);
	*ret_id = cookie;
	return 0;
}
