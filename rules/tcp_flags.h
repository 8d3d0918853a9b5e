/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flags of TCP (RFC 9293, 3.1), for programs as for BPF. */
#ifndef WEIR_RULES_TCP_FLAGS_H
#define WEIR_RULES_TCP_FLAGS_H

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/* 1 for a combination that means something, as the manual has it, else 0. */
static inline int tcp_flags_valid(unsigned int flags)
{
	switch (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) {
	case TCP_SYN:
	case TCP_SYN | TCP_ACK:
	case TCP_RST:
	case TCP_RST | TCP_ACK:
	case TCP_FIN | TCP_ACK:
	case TCP_ACK:
		return 1;
	default:
		return 0;
	}
}

#endif
