/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/socket_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cgroup/find.h"

/* Of the kernel's, by value: the C library has no name for it. */
#define FILEID_KERNFS 0xfe

/* ------------------------------------------------------------ the socket */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static struct question question_of(const struct socket_ends *ends)
{
	bool is_ip4 = IN6_IS_ADDR_V4MAPPED(&ends->own);
	size_t skip = is_ip4 ? 12 : 0, bytes = 16 - skip;
	struct question question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = is_ip4 ? AF_INET : AF_INET6,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = -1U },
	};
	struct inet_diag_sockid *id = &question.body.id;

	id->idiag_sport = htons(ends->own_port);
	id->idiag_dport = htons(ends->other_port);
	memcpy(id->idiag_src, ends->own.s6_addr + skip, bytes);
	memcpy(id->idiag_dst, ends->other.s6_addr + skip, bytes);
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return question;
}

/* The id of its cgroup, in what the kernel answers; port: of the other end. */
static int read_id(const struct nlmsghdr *header, uint16_t port,
		   uint64_t *ret_id)
{
	const struct inet_diag_msg *body = NLMSG_DATA(header);
	const struct rtattr *attr = (const void *)(body + 1);
	int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*body));

	/* Without a connection the kernel answers with who listens. */
	if (body->id.idiag_dport != port)
		return -ENOENT;
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type != INET_DIAG_CGROUP_ID ||
		    RTA_PAYLOAD(attr) < sizeof(*ret_id))
			continue;
		memcpy(ret_id, RTA_DATA(attr), sizeof(*ret_id));
		return 0;
	}
	return -EOPNOTSUPP;
}

static int find_id(const struct socket_ends *ends, uint64_t *ret_id)
{
	AUTO_CLOSE int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct question question = question_of(ends);
	_Alignas(struct nlmsghdr) char bytes[8192];
	const struct nlmsghdr *header = (const void *)bytes;
	ssize_t size;

	if (fd < 0 ||
	    send(fd, &question, sizeof(question), 0) != sizeof(question))
		return neg_errno();
	size = recv(fd, bytes, sizeof(bytes), 0);
	if (size < 0)
		return neg_errno();
	if (!NLMSG_OK(header, (size_t)size))
		return -EBADMSG;
	if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
		return read_id(header, htons(ends->other_port), ret_id);
	if (header->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(header);

		return error->error < 0 ? error->error : -EBADMSG;
	}
	return -EBADMSG;
}

/* ------------------------------------------------------------ its path */

static int open_by_id(const char *mount, uint64_t id)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} buffer = { .handle = { .handle_bytes = sizeof(id),
				 .handle_type = FILEID_KERNFS } };
	AUTO_CLOSE int at = find_open(mount, "");
	int fd;

	if (at < 0)
		return at;
	memcpy(buffer.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(at, &buffer.handle,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? neg_errno() : fd;
}

static int find_path(const char *mount, uint64_t id,
		     char ret_path[static PATH_MAX])
{
	AUTO_CLOSE int fd = open_by_id(mount, id);
	char link[64], path[PATH_MAX];
	size_t n = strlen(mount);
	ssize_t size;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0)
		return neg_errno();
	path[size] = '\0';
	if (strncmp(path, mount, n) != 0)
		return -ENOENT;
	snprintf(ret_path, PATH_MAX, "%s", path + n);
	return 0;
}

int socket_cgroup(const char *mount, const struct socket_ends *ends,
		  char ret_path[static PATH_MAX])
{
	uint64_t id;
	int r = find_id(ends, &id);

	return r < 0 ? r : find_path(mount, id, ret_path);
}
