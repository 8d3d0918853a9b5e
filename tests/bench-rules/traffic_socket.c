/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench-rules/traffic.h"

#define PAYLOAD (PACKET - sizeof(struct iphdr) - sizeof(struct udphdr))

void die(const char *form, ...)
{
	int error = errno;
	va_list args;

	va_start(args, form);
	fprintf(stderr, "traffic: ");
	vfprintf(stderr, form, args);
	fprintf(stderr, "%s%s\n", error ? ": " : "",
		error ? strerror(error) : "");
	va_end(args);
	exit(1);
}

static void enter_netns(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("%s", path);
}

static void enter_cgroup(const char *folder)
{
	char path[512];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) < 0)
		die("%s", path);
}

int socket_in(const struct options *options, const char *netns,
	      const char *cgroup, int type, int protocol)
{
	int fd, size = 1 << 22;

	enter_netns(netns);
	enter_cgroup(cgroup);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		die("socket");
	enter_cgroup(options->home);
	if (type == SOCK_STREAM)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(address),
				     .sin_port = htons(port) };
}

void socket_bind(int fd, uint32_t address, uint16_t port)
{
	struct sockaddr_in name = name_of(address, port);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!port)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			   sizeof(one));
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		die("bind");
}

void socket_connect(int fd, uint32_t address, uint16_t port)
{
	struct sockaddr_in name = name_of(address, port);

	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		die("connect");
}

/* ------------------------------------------------------------- sending */

/* What any protocol's first bytes are good for: ports, or a type. */
static void fill(uint8_t *bytes, const struct ruleset_packet *packet)
{
	struct iphdr *ip = (struct iphdr *)bytes;
	uint8_t *behind = bytes + sizeof(*ip);

	memset(bytes, 0, PACKET);
	*ip = (struct iphdr){ .version = 4,
			      .ihl = 5,
			      .ttl = 64,
			      .tot_len = htons(PACKET),
			      .protocol = packet->protocol,
			      .saddr = htonl(packet->src),
			      .daddr = htonl(packet->dst) };
	if (packet->protocol == IPPROTO_ICMP) {
		behind[0] = 8;
		return;
	}
	behind[0] = packet->sport >> 8;
	behind[1] = packet->sport;
	behind[2] = packet->dport >> 8;
	behind[3] = packet->dport;
	if (packet->protocol == IPPROTO_UDP)
		behind[5] = PACKET - sizeof(*ip);
	if (packet->protocol == IPPROTO_TCP)
		behind[12] = 5 << 4, behind[13] = 2;
}

/* A refused packet ends a call, and is no reason not to send the others. */
static size_t send_all(int fd, struct mmsghdr *messages, size_t n)
{
	size_t at = 0, taken = 0;
	int r;

	while (at < n) {
		r = sendmmsg(fd, messages + at, n - at, 0);
		if (r <= 0) {
			at++;
			continue;
		}
		at += r;
		taken += r;
	}
	return taken;
}

size_t raw_send(int fd, const struct ruleset_packet *packets, size_t n)
{
	static uint8_t bytes[BATCH][PACKET];
	static struct sockaddr_in names[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	size_t i;

	for (i = 0; i < n; i++) {
		fill(bytes[i], &packets[i]);
		names[i] = name_of(packets[i].dst, 0);
		parts[i] = (struct iovec){ bytes[i], PACKET };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &names[i],
			.msg_namelen = sizeof(names[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
		};
	}
	return send_all(fd, messages, n);
}

size_t batch_send(int fd, size_t n)
{
	static char payload[PAYLOAD];
	static struct iovec part = { payload, PAYLOAD };
	static struct mmsghdr messages[BATCH];
	size_t i;

	for (i = 0; i < n && !messages[i].msg_hdr.msg_iov; i++)
		messages[i].msg_hdr =
			(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	return send_all(fd, messages, n);
}

void socket_send(int fd, uint32_t address, uint16_t port)
{
	struct sockaddr_in name = name_of(address, port);

	sendto(fd, "", 1, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof(name));
}

size_t drain(int fd)
{
	static char bytes[BATCH][PACKET];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	size_t count = 0, i;
	int r;

	for (i = 0; i < BATCH && !parts[i].iov_base; i++) {
		parts[i] = (struct iovec){ bytes[i], PACKET };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
						       .msg_iovlen = 1 };
	}
	do {
		r = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
		count += r > 0 ? r : 0;
	} while (r == BATCH);
	return count;
}
