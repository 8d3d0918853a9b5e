/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet in words, for `weirctl explain`: "tcp 203.0.113.9:5555 443", and as
 * the bytes of an Ethernet frame.  Numbers are in host byte order.
 */
#ifndef WEIR_RULES_SAMPLE_H
#define WEIR_RULES_SAMPLE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "rules/policy.h"

/* Where the words name no port that the packet comes from. */
#define SAMPLE_PORT 50000

struct sample_end {
	bool has_address, has_port;
	struct in6_addr
		address; /* IPv4 as ::ffff:a.b.c.d; "any" if not given */
	uint16_t port;
};

struct sample {
	enum family family; /* never FAMILY_ANY */
	uint8_t protocol;
	struct sample_end src, dst;
	bool has_ports;	   /* its protocol has */
	uint8_t icmp_type; /* of icmp and icmp6 */
	uint8_t flags;	   /* of TCP */
	uint8_t dscp;
	uint16_t length;     /* of the IP packet */
	unsigned int states; /* one of STATE_* */
	uint32_t mark;
	bool has_uid;
	uint32_t uid;
	char iface[IFNAMSIZ]; /* "": not given */
};

/* Beyond what the kernel takes; see cgroup/explain.h. */
#define SAMPLE_LENGTH_MAX 3000
#define SAMPLE_FRAME_MAX  (SAMPLE_LENGTH_MAX + 14)

/*
 * Reads the words; one address alone is the other side's, as is_out says: it
 * leaves, else it arrives.  -EINVAL, and why says what would do.
 */
int sample_parse(char *const *words, size_t n_words, bool is_out,
		 struct sample *ret_sample, struct err *why);

/* The frame; returns its length. */
size_t sample_build(const struct sample *sample,
		    uint8_t ret_frame[static SAMPLE_FRAME_MAX]);

#define SAMPLE_TEXT_MAX 256

/* "tcp 203.0.113.9:5555 > 192.0.2.1:443 new, flags SYN, 40 bytes" */
void sample_format(const struct sample *sample,
		   char ret_text[static SAMPLE_TEXT_MAX]);

/* An address, in brackets where a port stands behind it and it is IPv6. */
#define SAMPLE_END_MAX 64
void sample_end_format(const struct sample *sample,
		       const struct sample_end *end,
		       char ret_text[static SAMPLE_END_MAX]);

/* "SYN,ACK", "NONE" */
#define SAMPLE_FLAGS_MAX 40
void sample_flags_format(uint8_t flags, char ret_text[static SAMPLE_FLAGS_MAX]);

#endif
