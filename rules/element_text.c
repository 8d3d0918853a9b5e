/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements of sets and their timeouts, as text and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "rules/address.h"
#include "rules/element.h"
#include "rules/iface.h"
#include "rules/port.h"

/* What holds addresses has a letter, a '.' or a ':' in it. */
static bool is_port(const char *text)
{
	return *text && text[strspn(text, "0123456789-")] == '\0';
}

/* Up to 255, without a zero before it; NULL where there is none. */
static const char *scan_byte(const char *p, uint32_t *value)
{
	uint32_t n = (unsigned char)*p - '0', digit;

	if (n > 9)
		return NULL;
	for (p++; n && (digit = (unsigned char)*p - '0') <= 9; p++) {
		n = n * 10 + digit;
		if (n > 255)
			return NULL;
	}
	*value = *value << 8 | n;
	return p;
}

bool element_scan_ip4(const char *text, struct element *element)
{
	uint32_t address = 0, length = 0, hosts;
	const char *p = text;
	int i;

	for (i = 0; i < 4; i++) {
		if (i > 0 && *p++ != '.')
			return false;
		p = scan_byte(p, &address);
		if (!p)
			return false;
	}
	element->first = element->last = address;
	element->seconds = element->ports = 0;
	if (*p == '\0')
		return true;
	if (*p != '/')
		return false;
	p = scan_byte(p + 1, &length);
	if (!p || *p || length > 32)
		return false;
	hosts = length ? ~0U >> (length - 1) >> 1 : ~0U;
	element->last |= hosts;
	return !(address & hosts);
}

static span_end end_of(const struct in6_addr *addr, unsigned int family)
{
	span_end end = 0;
	size_t i;

	for (i = family == SET_IP4 ? 12 : 0; i < 16; i++)
		end = end << 8 | addr->s6_addr[i];
	return end;
}

static void address_of(span_end end, unsigned int family, struct in6_addr *addr)
{
	size_t i, begin = family == SET_IP4 ? 12 : 0;

	memset(addr, 0, sizeof(*addr));
	if (family == SET_IP4)
		memset(&addr->s6_addr[10], 0xff, 2);
	for (i = 16; i-- > begin; end >>= 8)
		addr->s6_addr[i] = end & 0xff;
}

static int parse_port(const char *text, struct element *ret_element,
		      struct err *why)
{
	struct port_range range;
	int r;

	r = port_parse(text, &range, why);
	if (r == 0)
		*ret_element = (struct element){ .first = range.first,
						 .last = range.last };
	return r;
}

static int parse_network(const char *text, struct element *ret_element,
			 unsigned int *ret_family, struct err *why)
{
	struct network network;
	unsigned int family;
	int r;

	r = network_parse(text, &network, why);
	if (r < 0)
		return r;
	family = network.family == FAMILY_IP4 ? SET_IP4 : SET_IP6;
	*ret_element = (struct element){
		.first = end_of(&network.first, family),
		.last = end_of(&network.last, family),
	};
	*ret_family = family;
	return 0;
}

/*
 * Where the addresses of a service end: at the ']' or ':' behind them, or NULL
 * where text is none.  IPv6 addresses have more than one ':', and what may be
 * one of IPv4 a '.' before it.
 */
static const char *service_end(const char *text)
{
	const char *colon = strchr(text, ':');

	if (*text == '[')
		return strchr(text, ']');
	if (!colon || strchr(colon + 1, ':') ||
	    !memchr(text, '.', colon - text))
		return NULL;
	return colon;
}

static int parse_service(const char *text, const char *end,
			 struct element *ret_element, unsigned int *ret_family,
			 struct err *why)
{
	bool in_brackets = *text == '[';
	const char *port = end + in_brackets;
	AUTO_FREE char *addresses =
		strndup(text + in_brackets, end - text - in_brackets);
	struct port_range range;
	struct element element;
	unsigned int family;
	int r;

	if (!addresses)
		return err_set(why, -ENOMEM, "parse");
	r = parse_network(addresses, &element, &family, why);
	if (r < 0)
		return r;
	if (in_brackets != (family == SET_IP6))
		return err_say(why, -EINVAL,
			       "'%.80s': IPv6 addresses have brackets, others "
			       "none (try 192.0.2.1:443 or [2001:db8::1]:443)",
			       text);
	if (*port != ':')
		return err_say(why, -EINVAL,
			       "'%.80s' has no port (try [%.60s]:443, or leave "
			       "the brackets out)",
			       text, addresses);
	r = port_parse(port + 1, &range, why);
	if (r < 0)
		return err_wrap(why, r, "'%.80s'", text);
	element.ports = (uint32_t)range.first << 16 | range.last;
	*ret_element = element;
	*ret_family = family;
	return 0;
}

int element_parse(const char *text, struct element *ret_element,
		  unsigned int *ret_family, unsigned int *ret_kind,
		  struct err *why)
{
	const char *end;
	int r = 0;

	if (element_scan_ip4(text, ret_element)) {
		*ret_family = SET_IP4;
		*ret_kind = SET_OF_NETWORKS;
		return 0;
	}
	if (*text == '@')
		return err_say(why, -EINVAL,
			       "'%.80s': a set has no sets in it (a rule can "
			       "name several)",
			       text);
	end = service_end(text);
	if (end) {
		*ret_kind = SET_OF_SERVICES;
		return parse_service(text, end, ret_element, ret_family, why);
	}
	if (!is_port(text)) {
		*ret_kind = SET_OF_NETWORKS;
		return parse_network(text, ret_element, ret_family, why);
	}
	r = parse_port(text, ret_element, why);
	if (r == 0) {
		*ret_family = SET_IP4;
		*ret_kind = SET_OF_PORTS;
	}
	return r;
}

static void format_network(const struct element *element, unsigned int family,
			   char ret_text[static NETWORK_TEXT_MAX])
{
	struct network network = { .family = family == SET_IP4 ? FAMILY_IP4
							       : FAMILY_IP6 };

	address_of(element->first, family, &network.first);
	address_of(element->last, family, &network.last);
	network_format(&network, ret_text);
}

void element_format(const struct element *element, unsigned int family,
		    unsigned int kind, char ret_text[static ELEMENT_TEXT_MAX])
{
	struct port_range range = { element->first, element->last };
	char network[NETWORK_TEXT_MAX], port[PORT_TEXT_MAX];

	_Static_assert(ELEMENT_TEXT_MAX >= IFACE_TEXT_MAX, "holds all");
	_Static_assert(ELEMENT_TEXT_MAX >= NETWORK_TEXT_MAX + PORT_TEXT_MAX + 3,
		       "holds all");
	if (kind == SET_OF_PORTS) {
		port_format(&range, ret_text);
		return;
	}
	if (kind == SET_OF_INTERFACES) {
		iface_format(element, ret_text);
		return;
	}
	format_network(element, family, network);
	if (kind == SET_OF_NETWORKS) {
		strcpy(ret_text, network);
		return;
	}
	range.first = ELEMENT_PORT_FIRST(element);
	range.last = ELEMENT_PORT_LAST(element);
	port_format(&range, port);
	snprintf(ret_text, ELEMENT_TEXT_MAX,
		 family == SET_IP4 ? "%s:%s" : "[%s]:%s", network, port);
}

int timeout_parse(const char *text, uint32_t *ret_seconds, struct err *why)
{
	static const char units[] = "smhd";
	static const uint32_t factors[] = { 1, 60, 3600, 86400 };
	const char *p = text, *unit = units;
	uint64_t n = 0;

	if (number_scan(&p, TIMEOUT_MAX, &n) < 0 ||
	    (*p && (!(unit = strchr(units, *p)) || p[1])))
		return err_say(why, -EINVAL,
			       "'%.80s' is not a timeout (try 90s, 10m, 1h or "
			       "2d)",
			       text);
	n *= factors[unit - units];
	if (n == 0 || n > TIMEOUT_MAX)
		return err_say(why, -EINVAL, "'%.80s': a timeout is 1s to %dd",
			       text, TIMEOUT_MAX / 86400);
	*ret_seconds = n;
	return 0;
}
