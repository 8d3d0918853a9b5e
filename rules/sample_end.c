/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a packet in words comes from, and where it goes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "rules/port.h"
#include "rules/sample_own.h"

static int read_port(struct reading *reading, const char *text,
		     struct sample_end *end)
{
	uint64_t port = port_of_service(text);

	if (!port && number_parse(text, UINT16_MAX, &port) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a port (0 to 65535)", text);
	if (!reading->sample->has_ports)
		return err_say(reading->why, -EINVAL,
			       "the protocol has no ports, but '%.80s' is one",
			       text);
	end->has_port = true;
	end->port = port;
	return 0;
}

static int read_address(struct reading *reading, const char *text,
			struct sample_end *end)
{
	struct sample *sample = reading->sample;
	uint8_t mapped[16] = { [10] = 0xff, 0xff };
	enum family family = FAMILY_IP4;

	if (inet_pton(AF_INET, text, mapped + 12) == 1)
		memcpy(&end->address, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, text, &end->address) == 1 &&
		 !IN6_IS_ADDR_V4MAPPED(&end->address))
		family = FAMILY_IP6;
	else
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is neither an address nor a port (try "
			       "203.0.113.9:5555 or [2001:db8::1]:5555)",
			       text);
	if (sample->family != FAMILY_ANY && sample->family != family)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is IPv%d, but the packet is IPv%d",
			       text, family == FAMILY_IP4 ? 4 : 6,
			       family == FAMILY_IP4 ? 6 : 4);
	sample->family = family;
	end->has_address = true;
	return 0;
}

/* Splits "1.2.3.4:5", "[::1]:5", "::1", ":5" or "5". */
static int read_end(struct reading *reading, struct sample_end *end)
{
	char copy[SAMPLE_END_MAX], *colon, *bracket;
	const char *text = reading_peek(reading);
	int r = 0;

	reading->next++;
	if (strlen(text) >= sizeof(copy))
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is too long for an address", text);
	strcpy(copy, text);
	if (copy[0] == '[') {
		bracket = strchr(copy, ']');
		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return err_say(reading->why, -EINVAL,
				       "'%s' has brackets that do not fit (try "
				       "[2001:db8::1]:5555)",
				       text);
		colon = bracket[1] ? bracket + 1 : NULL;
		*bracket = '\0';
		r = read_address(reading, copy + 1, end);
	} else {
		colon = strchr(copy, ':');
		if (colon && strchr(colon + 1, ':')) /* IPv6 */
			return read_address(reading, copy, end);
		if (!colon && !strpbrk(copy, "."))
			return read_port(reading, copy, end);
		if (colon)
			*colon = '\0';
		if (copy[0])
			r = read_address(reading, copy, end);
	}
	return r == 0 && colon ? read_port(reading, colon + 1, end) : r;
}

static bool is_end(const char *text)
{
	return text && (strpbrk(text, ".:") || port_of_service(text) ||
			(*text >= '0' && *text <= '9'));
}

int sample_read_ends(struct reading *reading, bool is_out)
{
	struct sample *sample = reading->sample;
	struct sample_end first = { 0 };
	bool is_from, is_to;
	int r;

	is_from = reading_take(reading, "from");
	is_to = !is_from && reading_take(reading, "to");
	if (!is_end(reading_peek(reading)))
		return err_say(reading->why, -EINVAL,
			       "there is no address or port where '%.80s' "
			       "stands (try 203.0.113.9:5555)",
			       reading_peek(reading) ? reading_peek(reading)
						     : "the end");
	r = read_end(reading, is_to ? &sample->dst : &first);
	if (r < 0 || is_to)
		return r;
	is_to = reading_take(reading, "to");
	if (is_end(reading_peek(reading))) {
		sample->src = first;
		return read_end(reading, &sample->dst);
	}
	if (is_to)
		return err_say(reading->why, -EINVAL,
			       "there is nothing behind 'to'");
	/* A port alone is the one that somebody wants to reach. */
	if (!is_from && (is_out || !first.has_address))
		sample->dst = first;
	else
		sample->src = first;
	return 0;
}

static void settle_end(enum family family, struct sample_end *end)
{
	static const struct in6_addr any4 = { .s6_addr = { [10] = 0xff,
							   0xff } };

	if (!end->has_address)
		end->address = family == FAMILY_IP4 ? any4 : in6addr_any;
}

void sample_ends_settle(struct sample *sample)
{
	settle_end(sample->family, &sample->src);
	settle_end(sample->family, &sample->dst);
}

void sample_end_format(const struct sample *sample,
		       const struct sample_end *end,
		       char ret_text[static SAMPLE_END_MAX])
{
	bool is_ip6 = sample->family == FAMILY_IP6;
	char address[INET6_ADDRSTRLEN] = "?";

	if (is_ip6)
		inet_ntop(AF_INET6, &end->address, address, sizeof(address));
	else
		inet_ntop(AF_INET, &end->address.s6_addr[12], address,
			  sizeof(address));
	if (!sample->has_ports)
		snprintf(ret_text, SAMPLE_END_MAX, "%s", address);
	else
		snprintf(ret_text, SAMPLE_END_MAX, is_ip6 ? "[%s]:%u" : "%s:%u",
			 address, end->port);
}
