/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-tool DEVICE: sends by a device, bare, the frames that standard input
 * describes, one a line (tests/bpf/frame.h).
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "tests/bpf/frame.h"

static int send_frame(int fd, const char *device, const char *text)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(device) };
	struct frame_spec spec;
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;
	size_t length;

	frame_parse(text, &spec);
	length = frame_build(&spec, bytes, &ip);
	if (sendto(fd, bytes, length, 0, (struct sockaddr *)&name,
		   sizeof(name)) < 0) {
		fprintf(stderr, "frame-tool: %s: %s: %s\n", device, text,
			strerror(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	char line[256];

	if (argc != 2 || fd < 0) {
		fprintf(stderr, "usage: frame-tool DEVICE, as root\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (send_frame(fd, argv[1], line) < 0)
			return 1;
	}
	return 0;
}
