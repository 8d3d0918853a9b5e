/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets for tests: as a description that a reference can look at, and as
 * the bytes of an Ethernet frame.  Ports and numbers are in host order.
 */
#ifndef WEIR_TESTS_BPF_FRAME_H
#define WEIR_TESTS_BPF_FRAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX      2048
#define EXTENSIONS_MAX 16
#define WHOLE	       (-1)

struct frame_spec {
	int family; /* 4 or 6; 0: ARP */
	uint8_t protocol;
	struct in6_addr src, dst; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t sport, dport;
	uint8_t type, code; /* of ICMP */
	uint16_t id;	    /* of ICMP echo */
	uint8_t flags;	    /* of TCP, with its numbers */
	uint32_t sequence, acked;
	uint16_t window;
	int scale; /* of the window, an option; less than 0: none */
	uint8_t dscp, ttl;
	unsigned int payload; /* bytes behind the transport header */
	unsigned int offset;  /* of a fragment, in units of 8 bytes */
	int more;	      /* fragments follow */
	uint32_t fragment;    /* id; a fragment if offset or more */
	unsigned int options; /* of IPv4, in units of 4 bytes */
	unsigned int vlans;   /* tags */
	uint8_t extensions[EXTENSIONS_MAX]; /* of IPv6: protocols */
	unsigned int n_extensions;
	int cut;    /* bytes of the IP packet that are there, or WHOLE */
	int claims; /* length that the IP header claims, or WHOLE */
	uint32_t mark, ifindex;		 /* of the context; 0: t0's */
	const struct frame_spec *quoted; /* by an ICMP error; may be NULL */
};

/*
 * Reads "udp 10.0.0.1:53 > 10.0.0.2:1000 word…", addresses of IPv6 in
 * brackets; asserts that it can.  Words: flags=SA seq=7 ack=9 win=1000 scale=7
 * type=8 code=0 id=1 dscp=46 ttl=1 len=100 frag=0+ frag=185 fragid=1 options=2
 * vlan vlan ext=0,43 cut=30 claims=100 mark=5 lo.
 */
void frame_parse(const char *text, struct frame_spec *spec);

/* Returns the length of the frame; *ret_ip its part that is IP. */
size_t frame_build(const struct frame_spec *spec, uint8_t *bytes,
		   unsigned int *ret_ip);

#endif
