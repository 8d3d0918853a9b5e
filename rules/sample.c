/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/sample.h"

#include <string.h>

#include "base/number.h"
#include "rules/sample_own.h"
#include "rules/terms.h"

const char *reading_peek(const struct reading *reading)
{
	return reading->next < reading->n ? reading->words[reading->next]
					  : NULL;
}

bool reading_take(struct reading *reading, const char *word)
{
	const char *text = reading_peek(reading);

	if (!text || strcmp(text, word) != 0)
		return false;
	reading->next++;
	return true;
}

static bool is_icmp(const struct sample *sample)
{
	return sample->protocol == IPPROTO_ICMP ||
	       sample->protocol == IPPROTO_ICMPV6;
}

static int read_type(struct reading *reading)
{
	struct sample *sample = reading->sample;
	const struct term *terms =
		sample->protocol == IPPROTO_ICMP ? icmp_terms : icmp6_terms;
	const char *text = reading_peek(reading);
	const struct term *term = text ? term_find(terms, text) : NULL;
	uint64_t type;

	if (term)
		type = term->value;
	else if (!text || number_parse(text, 255, &type) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not an ICMP type (try "
			       "echo-request)",
			       text ? text : "");
	sample->icmp_type = type;
	reading->next++;
	return 0;
}

static int read_protocol(struct reading *reading)
{
	struct sample *sample = reading->sample;
	const char *text = reading_peek(reading);
	const struct term *term;
	enum family family;
	uint64_t number;

	if (!text)
		return err_say(reading->why, -EINVAL,
			       "there is no packet (try tcp 203.0.113.9:5555 "
			       "443)");
	term = term_find(protocol_terms, text);
	if (term)
		number = term->value;
	else if (number_parse(text, 255, &number) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a protocol (try tcp, udp, icmp, "
			       "icmp6 or a number)",
			       text);
	reading->next++;
	sample->protocol = number;
	sample->has_ports = number == IPPROTO_TCP || number == IPPROTO_UDP ||
			    number == IPPROTO_SCTP;
	if (!is_icmp(sample))
		return 0;
	family = number == IPPROTO_ICMP ? FAMILY_IP4 : FAMILY_IP6;
	if (sample->family != FAMILY_ANY && sample->family != family)
		return err_say(reading->why, -EINVAL, "%s is IPv%d only", text,
			       family == FAMILY_IP4 ? 4 : 6);
	sample->family = family;
	return read_type(reading);
}

/* What the words left open, and whether they fit together. */
static int settle(struct reading *reading)
{
	struct sample *sample = reading->sample;
	unsigned int header;

	if (sample->family == FAMILY_ANY)
		sample->family = FAMILY_IP4;
	if (sample->has_ports && !sample->dst.has_port)
		return err_say(reading->why, -EINVAL,
			       "there is no port that it goes to (try %s)",
			       sample->src.has_address ? "a second word, 443"
						       : "203.0.113.9:443");
	if (sample->has_ports && !sample->src.has_port)
		sample->src.port = SAMPLE_PORT;
	if (!reading->has_state)
		sample->states = STATE_NEW;
	if (sample->protocol == IPPROTO_TCP && !reading->has_flags)
		sample->flags = sample->states == STATE_NEW ? 0x02 : 0x10;
	header = sample_header(sample);
	if (!reading->has_length)
		sample->length = header;
	if (sample->length < header)
		return err_say(reading->why, -EINVAL,
			       "its headers alone are %u bytes long", header);
	return 0;
}

int sample_parse(char *const *text, size_t n_words, bool is_out,
		 struct sample *ret_sample, struct err *why)
{
	struct sample sample = { 0 };
	struct reading reading = {
		.words = text,
		.n = n_words,
		.sample = &sample,
		.why = why,
	};
	int r;

	if (reading_take(&reading, "ip4"))
		sample.family = FAMILY_IP4;
	else if (reading_take(&reading, "ip6"))
		sample.family = FAMILY_IP6;
	r = read_protocol(&reading);
	if (r == 0)
		r = sample_read_ends(&reading, is_out);
	while (r == 0 && reading_peek(&reading))
		r = sample_read_word(&reading);
	if (r == 0)
		r = settle(&reading);
	if (r < 0)
		return r;
	sample_ends_settle(&sample);
	*ret_sample = sample;
	return 0;
}
