/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* ------------------------------------------------------------- bytes */

struct writer {
	uint8_t *bytes;
	size_t length;
};

static uint8_t *add(struct writer *w, size_t n)
{
	uint8_t *place = w->bytes + w->length;

	assert(w->length + n <= FRAME_MAX);
	memset(place, 0, n);
	w->length += n;
	return place;
}

static void put16(uint8_t *place, unsigned int value)
{
	place[0] = value >> 8;
	place[1] = value;
}

static void put32(uint8_t *place, uint32_t value)
{
	put16(place, value >> 16);
	put16(place + 2, value & 0xffff);
}

static void add_ip(struct writer *w, const struct frame_spec *spec);

static void add_transport(struct writer *w, const struct frame_spec *spec)
{
	uint8_t *place;

	if (spec->offset) {
		add(w, spec->payload);
		return;
	}
	switch (spec->protocol) {
	case IPPROTO_TCP:
		place = add(w, spec->scale < 0 ? 20 : 24);
		place[12] = (spec->scale < 0 ? 5 : 6) << 4;
		if (spec->scale >= 0)
			put32(place + 20, 0x01030300 | spec->scale);
		place[13] = spec->flags;
		put32(place + 4, spec->sequence);
		put32(place + 8, spec->acked);
		put16(place + 14, spec->window);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		place = add(w, 8);
		put16(place + 4, 8 + spec->payload);
		break;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		place = add(w, 12);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		place = add(w, 8);
		place[0] = spec->type;
		place[1] = spec->code;
		put16(place + 4, spec->id);
		if (spec->quoted)
			add_ip(w, spec->quoted);
		add(w, spec->payload);
		return;
	default:
		add(w, spec->payload);
		return;
	}
	put16(place, spec->sport);
	put16(place + 2, spec->dport);
	add(w, spec->payload);
}

static void add_ip4(struct writer *w, const struct frame_spec *spec)
{
	unsigned int header = 20 + 4 * spec->options;
	uint8_t *place = add(w, header);
	size_t start = w->length - header;

	place[0] = 4 << 4 | header / 4;
	place[1] = spec->dscp << 2;
	put16(place + 4, spec->fragment);
	put16(place + 6, spec->offset | (spec->more ? 0x2000 : 0));
	place[8] = spec->ttl;
	place[9] = spec->protocol;
	memcpy(place + 12, &spec->src.s6_addr[12], 4);
	memcpy(place + 16, &spec->dst.s6_addr[12], 4);
	add_transport(w, spec);
	put16(place + 2,
	      spec->claims == WHOLE ? w->length - start : (size_t)spec->claims);
}

/* Returns where the protocol of what follows is said. */
static uint8_t *add_extension(struct writer *w, const struct frame_spec *spec,
			      uint8_t *next, uint8_t protocol)
{
	uint8_t *place = add(w, 8);

	*next = protocol;
	if (protocol == IPPROTO_FRAGMENT) {
		put16(place + 2, spec->offset << 3 | (spec->more ? 1 : 0));
		put32(place + 4, spec->fragment);
	}
	return place;
}

static void add_ip6(struct writer *w, const struct frame_spec *spec)
{
	uint8_t *place = add(w, 40), *next = place + 6;
	size_t start = w->length;
	unsigned int i;

	place[0] = 6 << 4 | spec->dscp >> 2;
	place[1] = (spec->dscp & 3) << 6;
	place[7] = spec->ttl;
	memcpy(place + 8, &spec->src, 16);
	memcpy(place + 24, &spec->dst, 16);
	for (i = 0; i < spec->n_extensions; i++)
		next = add_extension(w, spec, next, spec->extensions[i]);
	if (spec->offset || spec->more)
		next = add_extension(w, spec, next, IPPROTO_FRAGMENT);
	*next = spec->protocol;
	add_transport(w, spec);
	put16(place + 4, spec->claims == WHOLE ? w->length - start
					       : (size_t)spec->claims - 40);
}

static void add_ip(struct writer *w, const struct frame_spec *spec)
{
	if (spec->family == 4)
		add_ip4(w, spec);
	if (spec->family == 6)
		add_ip6(w, spec);
	if (spec->family == 0)
		add(w, 28);
}

size_t frame_build(const struct frame_spec *spec, uint8_t *bytes,
		   unsigned int *ret_ip)
{
	struct writer w = { .bytes = bytes };
	uint8_t *next = add(&w, 14) + 12;
	size_t start;
	unsigned int i;

	for (i = 0; i < spec->vlans; i++) {
		put16(next, i + 1 < spec->vlans ? 0x88a8 : 0x8100);
		next = add(&w, 4) + 2;
	}
	put16(next, spec->family == 4 ? 0x0800 : spec->family ? 0x86dd : 0x806);
	start = w.length;
	add_ip(&w, spec);
	if (spec->cut != WHOLE && start + spec->cut < w.length)
		w.length = start + spec->cut;
	*ret_ip = w.length - start;
	return w.length;
}

/* -------------------------------------------------------------- text */

static const struct {
	const char *name;
	int protocol;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },	  { "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP }, { "icmp6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP }, { "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },	  { "ah", IPPROTO_AH },
};

static uint8_t parse_protocol(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocols[i].name, text) == 0)
			return protocols[i].protocol;
	assert(text[0] >= '0' && text[0] <= '9');
	return atoi(text);
}

/* "a.b.c.d:port" or "[::1]:port", the port optional; sets the family. */
static void parse_end(char *text, struct frame_spec *spec,
		      struct in6_addr *address, uint16_t *port)
{
	uint8_t mapped[16] = { [10] = 0xff, 0xff };
	char *colon;

	if (text[0] == '[') {
		char *end = strchr(text, ']');

		assert(end);
		*end = '\0';
		spec->family = 6;
		assert(inet_pton(AF_INET6, text + 1, address) == 1);
		if (end[1] == ':')
			*port = atoi(end + 2);
		return;
	}
	colon = strchr(text, ':');
	if (colon) {
		*colon = '\0';
		*port = atoi(colon + 1);
	}
	spec->family = 4;
	assert(inet_pton(AF_INET, text, mapped + 12) == 1);
	memcpy(address, mapped, 16);
}

static uint8_t parse_flags(const char *text)
{
	static const char names[] = "FSRPAUEC";
	uint8_t flags = 0;

	for (; *text && *text != '-'; text++) {
		assert(strchr(names, *text));
		flags |= 1 << (strchr(names, *text) - names);
	}
	return flags;
}

static void parse_extensions(const char *text, struct frame_spec *spec)
{
	char *end;

	while (*text) {
		assert(spec->n_extensions < EXTENSIONS_MAX);
		spec->extensions[spec->n_extensions++] =
			strtoul(text, &end, 10);
		text = *end ? end + 1 : end;
	}
}

static void parse_word(const char *word, struct frame_spec *spec)
{
	const char *value = strchr(word, '=');
	unsigned long n = value ? strtoul(value + 1, NULL, 0) : 0;

	if (strcmp(word, "lo") == 0)
		spec->ifindex = 1;
	else if (strcmp(word, "vlan") == 0)
		spec->vlans++;
	else if (strncmp(word, "flags=", 6) == 0)
		spec->flags = parse_flags(value + 1);
	else if (strncmp(word, "seq=", 4) == 0)
		spec->sequence = n;
	else if (strncmp(word, "ack=", 4) == 0)
		spec->acked = n;
	else if (strncmp(word, "win=", 4) == 0)
		spec->window = n;
	else if (strncmp(word, "scale=", 6) == 0)
		spec->scale = n;
	else if (strncmp(word, "type=", 5) == 0)
		spec->type = n;
	else if (strncmp(word, "code=", 5) == 0)
		spec->code = n;
	else if (strncmp(word, "id=", 3) == 0)
		spec->id = n;
	else if (strncmp(word, "dscp=", 5) == 0)
		spec->dscp = n;
	else if (strncmp(word, "ttl=", 4) == 0)
		spec->ttl = n;
	else if (strncmp(word, "len=", 4) == 0)
		spec->payload = n;
	else if (strncmp(word, "frag=", 5) == 0)
		spec->offset = n, spec->more = strchr(value, '+') != NULL;
	else if (strncmp(word, "fragid=", 7) == 0)
		spec->fragment = n;
	else if (strncmp(word, "options=", 8) == 0)
		spec->options = n;
	else if (strncmp(word, "ext=", 4) == 0)
		parse_extensions(value + 1, spec);
	else if (strncmp(word, "cut=", 4) == 0)
		spec->cut = n;
	else if (strncmp(word, "claims=", 7) == 0)
		spec->claims = n;
	else if (strncmp(word, "mark=", 5) == 0)
		spec->mark = n;
	else
		assert(!"a word of a frame");
}

void frame_parse(const char *text, struct frame_spec *spec)
{
	char copy[256], *save, *word;

	assert(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	*spec = (struct frame_spec){ .ttl = 64,
				     .flags = 0x10,
				     .window = 0xffff,
				     .scale = -1,
				     .payload = 10,
				     .cut = WHOLE,
				     .claims = WHOLE };
	word = strtok_r(copy, " ", &save);
	if (strcmp(word, "arp") != 0) {
		spec->protocol = parse_protocol(word);
		parse_end(strtok_r(NULL, " ", &save), spec, &spec->src,
			  &spec->sport);
		assert(strcmp(strtok_r(NULL, " ", &save), ">") == 0);
		parse_end(strtok_r(NULL, " ", &save), spec, &spec->dst,
			  &spec->dport);
	}
	while ((word = strtok_r(NULL, " ", &save)))
		parse_word(word, spec);
}
