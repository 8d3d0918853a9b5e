/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-tool DEVICE
 *	sends by a device, bare, the frames that standard input describes, one
 *	a line (tests/bpf/frame.h)
 * frame-tool pieces DEVICE
 *	the same, and of each no more than the Ethernet header lies in one piece
 *	for who receives it, as some drivers do it.  For that it is padded to
 *	more than a page: the device's MTU must allow it.
 * frame-tool talk NETNS DEVICE NETNS DEVICE
 *	sends such frames through a router that stands between two devices:
 *	"> FRAME" from the first, "< FRAME" from the second.  Each has come out
 *	at the other before the next is sent.  An ICMP error quotes what stands
 *	behind " | ".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "tests/bpf/frame.h"

/* As a test names the device that is to take frames in. */
static const uint8_t router[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

#define ARRIVES_MS 2000

static int fail(const char *what, const char *text)
{
	fprintf(stderr, "frame-tool: %s: %s: %s\n", what, text,
		strerror(errno));
	return -1;
}

static void sum_header(uint8_t *ip)
{
	unsigned int length = (ip[0] & 15) * 4, i;
	uint32_t sum = 0;

	for (i = 0; i < length; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	ip[10] = ~sum >> 8;
	ip[11] = ~sum;
}

/* A frame of a line; returns its length. */
static size_t read_frame(const char *text, uint8_t bytes[FRAME_MAX])
{
	char outer[256], *bar;
	struct frame_spec spec, quoted;
	unsigned int ip;
	size_t length;

	snprintf(outer, sizeof(outer), "%s", text);
	bar = strstr(outer, " | ");
	if (bar)
		*bar = '\0';
	frame_parse(outer, &spec);
	if (bar) {
		frame_parse(bar + 3, &quoted);
		spec.quoted = &quoted;
	}
	length = frame_build(&spec, bytes, &ip);
	if (spec.family == 4 && length == ip + ETH_HLEN)
		sum_header(bytes + ETH_HLEN);
	return length;
}

/* What is longer is cut to pieces, if one wants that: see packet(7). */
#define PIECES_MIN 4200

static int send_frame(int fd, const char *device, bool in_pieces,
		      const char *text)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(device) };
	static struct {
		struct virtio_net_hdr header;
		uint8_t frame[PIECES_MIN];
	} sent;
	uint8_t *bytes = sent.frame;
	size_t length;

	memset(&sent, 0, sizeof(sent));
	length = read_frame(text, bytes);
	memcpy(bytes, router, sizeof(router));
	if (in_pieces) {
		sent.header.hdr_len = ETH_HLEN;
		bytes = (uint8_t *)&sent;
		length = sizeof(sent);
	}
	if (sendto(fd, bytes, length, 0, (struct sockaddr *)&name,
		   sizeof(name)) < 0)
		return fail(device, text);
	return 0;
}

static int send_all(const char *device, bool in_pieces)
{
	AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int with_header = in_pieces;
	char line[256];

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &with_header,
				 sizeof(with_header)) < 0) {
		fail("open", device);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (send_frame(fd, device, in_pieces, line) < 0)
			return 1;
	}
	return 0;
}

/* A socket at a device of another network namespace. */
static int open_there(const char *netns, const char *device)
{
	char path[256];
	AUTO_CLOSE int ns = -1, fd = -1;
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_IP) };

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return fail("enter", netns);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));
	name.sll_ifindex = if_nametoindex(device);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return fail("open", device);
	return TAKE_FD(fd);
}

/* Waits for the frame: by all that a router leaves of the IP header. */
static int await(int fd, const uint8_t *sent, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint8_t bytes[FRAME_MAX];

	while (poll(&poll_fd, 1, ARRIVES_MS) == 1) {
		if (recv(fd, bytes, sizeof(bytes), 0) < ETH_HLEN + 20)
			continue;
		if (memcmp(bytes + 14, sent + 14, 8) == 0 &&
		    memcmp(bytes + 26, sent + 26, 8) == 0)
			return 0;
	}
	errno = ETIMEDOUT;
	return fail("await", text);
}

static int talk(char **args)
{
	AUTO_CLOSE int left = open_there(args[0], args[1]);
	AUTO_CLOSE int right = open_there(args[2], args[3]);
	uint8_t bytes[FRAME_MAX];
	char line[256];
	size_t length;

	if (left < 0 || right < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		bool from_left = line[0] == '>';

		line[strcspn(line, "\n")] = '\0';
		length = read_frame(line + 2, bytes);
		memcpy(bytes, router, sizeof(router));
		if (send(from_left ? left : right, bytes, length, 0) < 0) {
			fail("send", line);
			return 1;
		}
		if (await(from_left ? right : left, bytes, line) < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "talk") == 0)
		return talk(argv + 2);
	if (argc == 3 && strcmp(argv[1], "pieces") == 0)
		return send_all(argv[2], true);
	if (argc == 2)
		return send_all(argv[1], false);
	fprintf(stderr, "usage: frame-tool [pieces] DEVICE, as root\n");
	return 2;
}
