/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet takes from where a driver has it in a buffer to where it is
 * dropped:
 *
 *	early DEVICE SOURCE PACKETS
 *
 * Prints ns of CPU a packet.  The kernel makes the frames itself and runs the
 * device's XDP program on them as a driver does; what that passes goes up the
 * stack of the device, to tc (BPF_PROG_TEST_RUN on live frames, Linux 5.18).
 * Where there is no such program, one that passes all is there meanwhile.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"

#define BATCH 64

/* UDP of 64 bytes on the wire, from the address at 26. */
static uint8_t frame[60] = {
	[12] = 8,  [14] = 0x45, [17] = 46, [22] = 64, [23] = 17,
	[30] = 10, [33] = 1,	[35] = 9,  [37] = 9,  [39] = 26,
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static int pass_all(void)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "pass_all", "GPL", pass,
			     ARRAY_SIZE(pass), NULL);
}

/* Packets one by one cost what the system call does: so many at a time. */
static int run(int program, int ifindex, unsigned int n, double *ret_ns)
{
	struct xdp_md where = {
		.data_end = sizeof(frame),
		.ingress_ifindex = (uint32_t)ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .ctx_in = &where,
		    .ctx_size_in = sizeof(where), .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	double start = now_ns();
	int r = bpf_prog_test_run_opts(program, &opts);

	*ret_ns = (now_ns() - start) / n;
	return r;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	AUTO_CLOSE int program = -1;
	int ifindex, r;
	double ns = 0;

	if (argc != 4 || inet_pton(AF_INET, argv[2], frame + 26) != 1) {
		fprintf(stderr, "usage: early DEVICE SOURCE PACKETS\n");
		return 2;
	}
	ifindex = (int)if_nametoindex(argv[1]);
	r = bpf_xdp_query(ifindex, 0, &query);
	if (r == 0 && query.drv_prog_id) {
		program = bpf_prog_get_fd_by_id(query.drv_prog_id);
		r = run(program, ifindex, strtoul(argv[3], NULL, 0), &ns);
	} else if (r == 0) {
		program = pass_all();
		r = bpf_xdp_attach(ifindex, program, XDP_FLAGS_DRV_MODE, NULL);
		if (r == 0)
			r = run(program, ifindex, strtoul(argv[3], NULL, 0),
				&ns);
		bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	}
	if (r < 0) {
		fprintf(stderr, "early: %s\n", strerror(-r));
		return 1;
	}
	printf("%.0f\n", ns);
	return 0;
}
