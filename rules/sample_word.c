/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a packet in words has besides its addresses and ports. */
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rules/label.h"
#include "rules/sample_own.h"
#include "rules/terms.h"

static int no_value(struct reading *reading, const char *word)
{
	return err_say(reading->why, -EINVAL, "'%s' needs something behind it",
		       word);
}

static int read_state(struct reading *reading, const char *text)
{
	const struct term *term = term_find(state_terms, text);

	if (!term)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a state (try new, established, "
			       "related or invalid)",
			       text);
	reading->has_state = true;
	reading->sample->states = term->value;
	return 0;
}

/* "SYN,ACK" or NONE: those that are set. */
static int read_flags(struct reading *reading, const char *text)
{
	size_t n = 0;
	char name[8];

	if (reading->sample->protocol != IPPROTO_TCP)
		return err_say(reading->why, -EINVAL, "flags are those of tcp");
	reading->has_flags = true;
	for (; strcmp(text, "NONE") != 0; text += n + 1) {
		const struct term *term = NULL;

		n = strcspn(text, ",");
		if (n < sizeof(name)) {
			memcpy(name, text, n);
			name[n] = '\0';
			term = term_find(flag_terms, name);
		}
		if (!term)
			return err_say(reading->why, -EINVAL,
				       "'%.80s' is not a TCP flag (try "
				       "SYN,ACK)",
				       text);
		reading->sample->flags |= term->value;
		if (!text[n])
			break;
	}
	return 0;
}

static int read_dscp(struct reading *reading, const char *text)
{
	const struct term *term = term_find(dscp_terms, text);
	uint64_t dscp;

	if (term)
		dscp = term->value;
	else if (number_parse_any(text, 63, &dscp) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a DSCP (try ef, af11 or 0 to "
			       "63)",
			       text);
	reading->sample->dscp = dscp;
	return 0;
}

static int read_mark(struct reading *reading, const char *text)
{
	uint64_t mark;

	if (number_parse_any(text, UINT32_MAX, &mark) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a mark (try 1 or 0x10)", text);
	reading->sample->mark = mark;
	return 0;
}

static int read_uid(struct reading *reading, const char *text)
{
	uint64_t uid;

	if (number_parse(text, UINT32_MAX - 1, &uid) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a user's number (id -u NAME "
			       "tells it)",
			       text);
	reading->sample->has_uid = true;
	reading->sample->uid = uid;
	return 0;
}

static int read_length(struct reading *reading, const char *text)
{
	uint64_t length;

	if (number_parse(text, SAMPLE_LENGTH_MAX, &length) < 0)
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a length that can be tried (%d "
			       "bytes at most)",
			       text, SAMPLE_LENGTH_MAX);
	reading->has_length = true;
	reading->sample->length = length;
	return 0;
}

static int read_iface(struct reading *reading, const char *text)
{
	int r = interface_check(text, reading->why);

	if (r < 0)
		return r;
	strncpy(reading->sample->iface, text, IFNAMSIZ - 1);
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reading *reading, const char *text);
} words[] = {
	{ "state", read_state },   { "flags", read_flags },
	{ "mark", read_mark },	   { "dscp", read_dscp },
	{ "iface", read_iface },   { "uid", read_uid },
	{ "length", read_length },
};

int sample_read_word(struct reading *reading)
{
	const char *word = reading_peek(reading), *value;
	size_t i;

	reading->next++;
	if (term_find(state_terms, word))
		return read_state(reading, word);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, word) == 0)
			break;
	if (i == ARRAY_SIZE(words))
		return err_say(reading->why, -EINVAL,
			       "'%.80s' is not a word of a packet (state, "
			       "flags, mark, dscp, iface, uid, length)",
			       word);
	value = reading_peek(reading);
	if (!value)
		return no_value(reading, word);
	reading->next++;
	return words[i].read(reading, value);
}
