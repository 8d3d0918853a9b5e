/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* The first 12 bytes of an IPv4 address as we keep it. */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

#define MAPPED_BITS 96

static unsigned int bits_of(enum family family)
{
	return family == FAMILY_IP4 ? 32 : 128;
}

/* Where the family's own bits begin. */
static unsigned int first_bit(enum family family)
{
	return family == FAMILY_IP4 ? MAPPED_BITS : 0;
}

/* The n characters at text are one address of either family. */
static int address_scan(const char *text, size_t n, enum family *ret_family,
			struct in6_addr *ret_addr)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (n >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, n);
	buf[n] = '\0';
	if (memchr(buf, ':', n)) {
		if (inet_pton(AF_INET6, buf, &addr) != 1)
			return -EINVAL;
		*ret_family = FAMILY_IP6;
	} else {
		memcpy(&addr, mapped, sizeof(mapped));
		if (inet_pton(AF_INET, buf, &addr.s6_addr[12]) != 1)
			return -EINVAL;
		*ret_family = FAMILY_IP4;
	}
	*ret_addr = addr;
	return 0;
}

static void set_bits_from(struct in6_addr *addr, unsigned int bit, int ones)
{
	unsigned int i;

	for (i = bit / 8; i < 16; i++) {
		uint8_t mask = i == bit / 8 ? 0xff >> bit % 8 : 0xff;

		if (ones)
			addr->s6_addr[i] |= mask;
		else
			addr->s6_addr[i] &= ~mask;
	}
}

static int address_compare(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int not_an_address(const char *text, struct err *why)
{
	if (strchr(text, '%'))
		return err_say(why, -EINVAL,
			       "'%.80s' is not an address: leave out the zone "
			       "behind '%%' (a rule has iface NAME for it)",
			       text);
	if (strchr(text, '*'))
		return err_say(why, -EINVAL,
			       "'%.80s' is not an address (networks are "
			       "written 192.0.2.0/24)",
			       text);
	return err_say(why, -EINVAL,
		       "'%.80s' is not an address (try 192.0.2.1, "
		       "192.0.2.0/24 or 2001:db8::/32)",
		       text);
}

static int parse_prefix(const char *text, const char *length,
			struct network *network, struct err *why)
{
	struct network whole;
	uint64_t n;

	if (number_parse(length, bits_of(network->family), &n) < 0)
		return err_say(why, -EINVAL,
			       "'%.80s': the prefix length is 0 to %u", text,
			       bits_of(network->family));
	n += first_bit(network->family);
	network->last = network->first;
	if (n == 128)
		return 0;
	whole = *network;
	set_bits_from(&whole.first, n, 0);
	set_bits_from(&whole.last, n, 1);
	if (address_compare(&whole.first, &network->first) != 0) {
		char suggested[NETWORK_TEXT_MAX];

		network_format(&whole, suggested);
		return err_say(why, -EINVAL,
			       "'%.80s' has host bits beyond the prefix (try "
			       "%s)",
			       text, suggested);
	}
	*network = whole;
	return 0;
}

static int parse_range(const char *text, const char *end,
		       struct network *network, struct err *why)
{
	enum family family;

	if (address_scan(end, strlen(end), &family, &network->last) < 0)
		return not_an_address(text, why);
	if (family != network->family)
		return err_say(why, -EINVAL,
			       "'%.80s' goes from one family to the other",
			       text);
	if (address_compare(&network->first, &network->last) > 0)
		return err_say(why, -EINVAL,
			       "'%.80s' runs backwards (try %s-%.*s)", text,
			       end, (int)(end - 1 - text), text);
	return 0;
}

/* IPv4 addresses are kept in this form, so the two would be one. */
static int refuse_mapped(const char *text, const struct network *network,
			 struct err *why)
{
	char suggested[INET_ADDRSTRLEN];

	if (network->family != FAMILY_IP6 ||
	    memcmp(&network->first, mapped, sizeof(mapped)) != 0)
		return 0;
	inet_ntop(AF_INET, &network->first.s6_addr[12], suggested,
		  sizeof(suggested));
	return err_say(why, -EINVAL,
		       "'%.80s' is an IPv4 address in IPv6 form (try %s)", text,
		       suggested);
}

int network_parse(const char *text, struct network *ret_network,
		  struct err *why)
{
	struct network network = { 0 };
	size_t n = strcspn(text, "/-");
	int r = 0;

	if (address_scan(text, n, &network.family, &network.first) < 0)
		return not_an_address(text, why);
	network.last = network.first;
	if (text[n] == '/')
		r = parse_prefix(text, text + n + 1, &network, why);
	else if (text[n] == '-')
		r = parse_range(text, text + n + 1, &network, why);
	if (r == 0)
		r = refuse_mapped(text, &network, why);
	if (r == 0)
		*ret_network = network;
	return r;
}

static void address_format(const struct in6_addr *addr, enum family family,
			   char text[static INET6_ADDRSTRLEN])
{
	size_t i;

	if (family != FAMILY_IP4) {
		inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
		return;
	}
	for (i = 12; i < 16; i++) {
		text = number_format(addr->s6_addr[i], text);
		*text++ = '.';
	}
	text[-1] = '\0';
}

/* The prefix length of exactly this range, counted in 128 bits, or -1. */
static int prefix_of(const struct network *network)
{
	struct in6_addr end = network->first;
	unsigned int n = 0;

	if (address_compare(&network->first, &network->last) == 0)
		return 128; /* as most are */
	while (network->first.s6_addr[n / 8] == network->last.s6_addr[n / 8])
		n += 8;
	n += __builtin_clz(network->first.s6_addr[n / 8] ^
			   network->last.s6_addr[n / 8]) -
	     24;
	set_bits_from(&end, n, 0);
	if (address_compare(&end, &network->first) != 0)
		return -1;
	set_bits_from(&end, n, 1);
	return address_compare(&end, &network->last) == 0 ? (int)n : -1;
}

void network_format(const struct network *network,
		    char ret_text[static NETWORK_TEXT_MAX])
{
	int prefix = prefix_of(network);
	size_t n;

	address_format(&network->first, network->family, ret_text);
	if (prefix == 128)
		return;
	n = strlen(ret_text);
	if (prefix < 0) {
		ret_text[n++] = '-';
		address_format(&network->last, network->family, ret_text + n);
		return;
	}
	prefix -= first_bit(network->family);
	ret_text[n++] = '/';
	if (prefix >= 100)
		ret_text[n++] = '0' + prefix / 100;
	if (prefix >= 10)
		ret_text[n++] = '0' + prefix / 10 % 10;
	ret_text[n++] = '0' + prefix % 10;
	ret_text[n] = '\0';
}
