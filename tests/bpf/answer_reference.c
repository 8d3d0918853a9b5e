/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/answer_reference.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

static unsigned int get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

void put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t sum(const uint8_t *bytes, size_t n, uint32_t start)
{
	size_t i;

	for (i = 0; i < n; i++)
		start += i % 2 ? bytes[i] : bytes[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

size_t transport_of(const uint8_t *ip, uint8_t *ret_protocol)
{
	size_t at = 40;
	uint8_t next = ip[6];

	if (ip[0] >> 4 == 4) {
		*ret_protocol = ip[9];
		return (ip[0] & 15) * 4;
	}
	while (next == 0 || next == 43 || next == 60 || next == 44) {
		size_t header = next == 44 ? 8 : ip[at + 1] * 8 + 8;

		next = ip[at];
		at += header;
	}
	*ret_protocol = next;
	return at;
}

void seal(uint8_t *ip, size_t length)
{
	static const uint8_t offsets[256] = {
		[IPPROTO_TCP] = 16,
		[IPPROTO_UDP] = 6,
		[IPPROTO_ICMP] = 2,
		[IPPROTO_ICMPV6] = 2,
	};
	bool is4 = ip[0] >> 4 == 4;
	uint8_t protocol, *check;
	size_t at = transport_of(ip, &protocol);
	uint32_t pseudo = protocol + length - at;

	if (is4) {
		put16(ip + 10, 0);
		put16(ip + 10, ~sum(ip, (ip[0] & 15) * 4, 0));
	}
	pseudo = is4 ? sum(ip + 12, 8, pseudo) : sum(ip + 8, 32, pseudo);
	if (protocol == IPPROTO_UDP)
		put16(ip + at + 4, length - at);
	if (!offsets[protocol])
		return;
	check = ip + at + offsets[protocol];
	put16(check, 0);
	put16(check, ~sum(ip + at, length - at,
			  protocol == IPPROTO_ICMP ? 0 : pseudo));
}

static size_t reset_for(const uint8_t *tcp, size_t length, uint8_t *to)
{
	uint32_t bytes = length - (tcp[12] >> 4) * 4;

	memset(to, 0, 20);
	memcpy(to, tcp + 2, 2);
	memcpy(to + 2, tcp, 2);
	to[12] = 5 << 4;
	to[13] = 4; /* RST */
	if (tcp[13] & 16) {
		memcpy(to + 4, tcp + 8, 4);
		return 20;
	}
	bytes += (tcp[13] & 1) + (tcp[13] >> 1 & 1);
	put32(to + 8, get32(tcp + 4) + bytes);
	to[13] |= 16;
	return 20;
}

static size_t unreachable_for(const uint8_t *ip, size_t length, uint8_t *to)
{
	bool is4 = ip[0] >> 4 == 4;
	size_t most = is4 ? 548 : 1232;

	length = length < most ? length : most;
	memset(to, 0, 8);
	to[0] = is4 ? 3 : 1;
	to[1] = is4 ? 3 : 4;
	memcpy(to + 8, ip, length);
	return 8 + length;
}

size_t answer_for(const uint8_t *in, uint8_t *out)
{
	const uint8_t *ip = in + LINK;
	uint8_t *to = out + LINK, protocol;
	bool is4 = ip[0] >> 4 == 4;
	size_t header = is4 ? 20 : 40, at = transport_of(ip, &protocol);
	size_t length, n;

	length = is4 ? get16(ip + 2) : 40 + get16(ip + 4);
	memcpy(out, in + 6, 6);
	memcpy(out + 6, in, 6);
	memcpy(out + 12, in + 12, 2);
	memset(to, 0, header);
	n = protocol == IPPROTO_TCP
		    ? reset_for(ip + at, length - at, to + header)
		    : unreachable_for(ip, length, to + header);
	to[0] = is4 ? 0x45 : 0x60;
	if (is4) {
		to[1] = protocol == IPPROTO_TCP ? 0 : 0xc0 | (ip[1] & 0x1c);
		put16(to + 2, header + n);
		put16(to + 6, protocol == IPPROTO_TCP ? 0x4000 : 0);
		to[8] = 64;
		to[9] = protocol == IPPROTO_TCP ? 6 : 1;
		memcpy(to + 12, ip + 16, 4);
		memcpy(to + 16, ip + 12, 4);
	} else {
		put16(to + 4, n);
		to[6] = protocol == IPPROTO_TCP ? 6 : 58;
		to[7] = 64;
		memcpy(to + 8, ip + 24, 16);
		memcpy(to + 24, ip + 8, 16);
	}
	seal(to, header + n);
	return LINK + header + n;
}
