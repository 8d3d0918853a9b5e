/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes a device although the chain's policy says no, so that nobody
 * cuts off the host by forgetting it: neighbour discovery, multicast listener
 * reports, without which switches do not forward it, DHCP of a client, and
 * packet-too-big messages.  A rule may still deny them; `strict = yes` gives
 * them to the policy.  (ARP and what else is not IP passes any chain that is
 * not strict.)
 */
#ifndef WEIR_RULES_SAFETY_BPF_H
#define WEIR_RULES_SAFETY_BPF_H

#include "rules/packet.bpf.h"

static __always_inline int is_link_local(const union address *address)
{
	return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

static __always_inline int safety_icmp6(const struct packet *p)
{
	__u8 type = p->icmp_type;

	if (type == ICMP6_TOO_BIG)
		return 1;
	/* Routers do not forward it with this hop limit. */
	if (type >= ICMP6_ND_FIRST && type <= ICMP6_ND_LAST)
		return p->hop_limit == 255;
	if ((type >= ICMP6_MLD_QUERY && type <= ICMP6_MLD_DONE) ||
	    type == ICMP6_MLD2_REPORT)
		return p->hop_limit == 1;
	return 0;
}

static __always_inline int safety_dhcp(const struct packet *p, __u32 out)
{
	__u16 client = out ? p->src_port : p->dst_port;
	__u16 server = out ? p->dst_port : p->src_port;

	if (p->family == 4)
		return client == 68 && server == 67;
	return client == 546 && server == 547 &&
	       is_link_local(out ? &p->src : &p->dst);
}

static __always_inline int safety_passes(const struct packet *p, __u32 out)
{
	if (p->flags & (IS_MALFORMED | IS_LATER_FRAGMENT))
		return 0;
	if (p->protocol == IPPROTO_UDP)
		return safety_dhcp(p, out);
	if (p->family == 4)
		return p->protocol == IPPROTO_ICMP &&
		       p->icmp_type == ICMP4_UNREACHABLE &&
		       p->icmp_code == ICMP4_CODE_TOO_BIG;
	return p->protocol == IPPROTO_ICMPV6 && safety_icmp6(p);
}

#endif
