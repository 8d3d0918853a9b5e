/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/netns_sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A thousand listeners come in a few messages. */
#define MESSAGES_MAX 4096

/* Of the line that begins with name: "TCP: inuse 5 orphan 0 ...". */
static uint64_t read_statistics(pid_t pid, const char *file, const char *name)
{
	CLEANUP(fclosep) FILE *statistics = NULL;
	char line[256];
	unsigned int n;

	snprintf(line, sizeof(line), "/proc/%d/net/%s", (int)pid, file);
	statistics = fopen(line, "re");
	if (!statistics) /* without IPv6 there is no such file */
		return errno == ENOENT ? 0 : UINT64_MAX;
	while (fgets(line, sizeof(line), statistics))
		if (strncmp(line, name, strlen(name)) == 0 &&
		    sscanf(line + strlen(name), " inuse %u", &n) == 1)
			return n;
	return UINT64_MAX;
}

uint64_t netns_sockets(pid_t pid)
{
	uint64_t four = read_statistics(pid, "sockstat", "TCP:");
	uint64_t six = read_statistics(pid, "sockstat6", "TCP6:");

	return four == UINT64_MAX || six == UINT64_MAX ? UINT64_MAX
						       : four + six;
}

static int ask_for_listeners(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1 << TCP_LISTEN },
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0
									 : -EIO;
}

/* Counts what one message has; whether there is more to come. */
static bool count(const char *bytes, ssize_t size, uint64_t *n, bool *failed)
{
	const struct nlmsghdr *header = (const void *)bytes;
	int left = (int)size;

	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_ERROR ||
		    header->nlmsg_flags & NLM_F_DUMP_INTR) {
			*failed = true;
			return false;
		}
		if (header->nlmsg_type == NLMSG_DONE)
			return false;
		*n += header->nlmsg_type == SOCK_DIAG_BY_FAMILY;
	}
	return true;
}

static uint64_t count_family(uint8_t family)
{
	AUTO_CLOSE int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	_Alignas(struct nlmsghdr) char bytes[32768];
	bool more = true, failed = false;
	uint64_t n = 0;
	int i;

	if (fd < 0 || ask_for_listeners(fd, family) < 0)
		return 0;
	for (i = 0; i < MESSAGES_MAX && more && !failed; i++) {
		ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

		failed = size <= 0;
		more = !failed && count(bytes, size, &n, &failed);
	}
	return failed || more ? 0 : n;
}

/* Where one of them cannot be told, the sum is too small: that does no harm. */
uint64_t netns_listeners(void)
{
	return count_family(AF_INET) + count_family(AF_INET6);
}
