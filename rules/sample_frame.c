/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet as bytes, and as words again. */
#include <stdio.h>
#include <string.h>

#include "rules/sample_own.h"
#include "rules/terms.h"

static unsigned int transport_header(const struct sample *sample)
{
	switch (sample->protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	case IPPROTO_SCTP:
		return 12;
	default:
		return 0;
	}
}

unsigned int sample_header(const struct sample *sample)
{
	return (sample->family == FAMILY_IP4 ? 20 : 40) +
	       transport_header(sample);
}

static void put16(uint8_t *place, unsigned int value)
{
	place[0] = value >> 8;
	place[1] = value;
}

/* As who sends such messages sets it: others are not taken. */
static unsigned int hops_left(const struct sample *sample)
{
	uint8_t type = sample->icmp_type;

	if (sample->protocol != IPPROTO_ICMPV6)
		return 64;
	if (type >= 133 && type <= 137) /* neighbour discovery */
		return 255;
	return (type >= 130 && type <= 132) || type == 143 ? 1 : 64;
}

/* Returns the length of the header. */
static size_t put_ip4(const struct sample *sample, uint8_t *place)
{
	place[0] = 4 << 4 | 5;
	place[1] = sample->dscp << 2;
	put16(place + 2, sample->length);
	place[8] = hops_left(sample);
	place[9] = sample->protocol;
	memcpy(place + 12, &sample->src.address.s6_addr[12], 4);
	memcpy(place + 16, &sample->dst.address.s6_addr[12], 4);
	return 20;
}

static size_t put_ip6(const struct sample *sample, uint8_t *place)
{
	place[0] = 6 << 4 | sample->dscp >> 2;
	place[1] = (sample->dscp & 3) << 6;
	put16(place + 4, sample->length - 40);
	place[6] = sample->protocol;
	place[7] = hops_left(sample);
	memcpy(place + 8, &sample->src.address, 16);
	memcpy(place + 24, &sample->dst.address, 16);
	return 40;
}

/* Checksums are nothing that rules look at. */
size_t sample_build(const struct sample *sample,
		    uint8_t ret_frame[static SAMPLE_FRAME_MAX])
{
	uint8_t *ip = ret_frame + 14, *transport;

	memset(ret_frame, 0, SAMPLE_FRAME_MAX);
	if (sample->family == FAMILY_IP4) {
		put16(ret_frame + 12, 0x0800);
		transport = ip + put_ip4(sample, ip);
	} else {
		put16(ret_frame + 12, 0x86dd);
		transport = ip + put_ip6(sample, ip);
	}
	if (sample->has_ports) {
		put16(transport, sample->src.port);
		put16(transport + 2, sample->dst.port);
	}
	if (sample->protocol == IPPROTO_TCP) {
		transport[12] = 5 << 4;
		transport[13] = sample->flags;
	}
	if (sample->protocol == IPPROTO_ICMP ||
	    sample->protocol == IPPROTO_ICMPV6)
		transport[0] = sample->icmp_type;
	return 14 + (size_t)sample->length;
}

/* --------------------------------------------------------------- text */

void sample_flags_format(uint8_t flags, char ret_text[static SAMPLE_FLAGS_MAX])
{
	const struct term *term;
	size_t n = 0;

	ret_text[0] = '\0';
	for (term = flag_terms; term->name; term++)
		if (flags & term->value)
			n += snprintf(ret_text + n, SAMPLE_FLAGS_MAX - n,
				      "%s%s", n ? "," : "", term->name);
	if (!flags)
		strcpy(ret_text, "NONE");
}

/* "tcp", "icmp echo-request", "47" */
static void format_protocol(const struct sample *sample, char text[static 64])
{
	const char *name = term_name(protocol_terms, sample->protocol), *type;
	bool is_icmp = sample->protocol == IPPROTO_ICMP;

	if (!is_icmp && sample->protocol != IPPROTO_ICMPV6) {
		if (name)
			snprintf(text, 64, "%s", name);
		else
			snprintf(text, 64, "%u", sample->protocol);
		return;
	}
	type = term_name(is_icmp ? icmp_terms : icmp6_terms, sample->icmp_type);
	if (type)
		snprintf(text, 64, "%s %s", name, type);
	else
		snprintf(text, 64, "%s %u", name, sample->icmp_type);
}

void sample_format(const struct sample *sample,
		   char ret_text[static SAMPLE_TEXT_MAX])
{
	char protocol[64], src[SAMPLE_END_MAX], dst[SAMPLE_END_MAX];
	char flags[SAMPLE_FLAGS_MAX] = "";
	const char *dscp = term_name(dscp_terms, sample->dscp);
	size_t n;

	format_protocol(sample, protocol);
	sample_end_format(sample, &sample->src, src);
	sample_end_format(sample, &sample->dst, dst);
	n = snprintf(ret_text, SAMPLE_TEXT_MAX, "%s %s > %s %s, %u bytes",
		     protocol, src, dst, term_name(state_terms, sample->states),
		     sample->length);
	if (sample->protocol == IPPROTO_TCP) {
		sample_flags_format(sample->flags, flags);
		n += snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", flags %s",
			      flags);
	}
	if (sample->mark)
		n += snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", mark 0x%x",
			      sample->mark);
	if (sample->dscp && dscp)
		n += snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", dscp %s",
			      dscp);
	else if (sample->dscp)
		n += snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", dscp %u",
			      sample->dscp);
	if (sample->has_uid)
		n += snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", uid %u",
			      sample->uid);
	if (sample->iface[0])
		snprintf(ret_text + n, SAMPLE_TEXT_MAX - n, ", iface %s",
			 sample->iface);
}
