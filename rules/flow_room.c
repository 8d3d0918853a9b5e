/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/flow_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/suggest.h"
#include "rules/words.h"

_Static_assert(DEVICES_MAX <= FLOW_SHARE_GROUPS, "a share each");

const struct term flow_time_terms[] = {
	{ "tcp-opening", FLOW_TCP_OPENING },
	{ "tcp-established", FLOW_TCP_ESTABLISHED },
	{ "tcp-closing", FLOW_TCP_CLOSING },
	{ "tcp-reset", FLOW_TCP_RESET },
	{ "udp", FLOW_UDP },
	{ "udp-established", FLOW_UDP_REPLIED },
	{ "icmp", FLOW_ICMP },
	{ NULL, 0 },
};

/* 7440: what RFC 5382 wants of whoever forgets connections. */
static const uint32_t usual[FLOW_TIMES] = {
	[FLOW_TCP_OPENING] = 120, [FLOW_TCP_ESTABLISHED] = 7440,
	[FLOW_TCP_CLOSING] = 120, [FLOW_TCP_RESET] = 10,
	[FLOW_UDP] = 30,	  [FLOW_UDP_REPLIED] = 180,
	[FLOW_ICMP] = 30,
};

static int refuse_name(const char *text, struct err *why)
{
	struct suggestion best;

	suggestion_begin(&best, text);
	terms_suggest(flow_time_terms, &best);
	return err_say(why, -EINVAL,
		       "'%.80s' is not what flows have a time for (try %s)",
		       text,
		       best.word ? best.word
				 : "tcp-established, tcp-opening, tcp-closing, "
				   "tcp-reset, udp, udp-established or icmp");
}

static int read_time(const char *name, const char *text, uint32_t *seconds,
		     struct err *why)
{
	uint32_t value;
	int r;

	if (!text)
		return err_say(why, -EINVAL,
			       "there is no time behind '%s' (try %s 30s)",
			       name, name);
	if (*seconds)
		return err_say(why, -EINVAL, "'%s' is given twice", name);
	r = timeout_parse(text, &value, why);
	if (r < 0)
		return r;
	if (value < FLOW_SECONDS_MIN || value > FLOW_SECONDS_MAX)
		return err_say(why, -EINVAL,
			       "'%.80s' is out of range (5s to 30d)", text);
	*seconds = value;
	return 0;
}

static int read_times(const struct words *words, uint32_t *seconds,
		      struct err *why)
{
	const struct term *term;
	const char *text;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < words->n_list; i += 2) {
		term = term_find(flow_time_terms, words->list[i].text);
		if (!term)
			return refuse_name(words->list[i].text, why);
		text = i + 1 < words->n_list ? words->list[i + 1].text : NULL;
		r = read_time(term->name, text, &seconds[term->value], why);
	}
	return r;
}

int flow_times_parse(const char *value, uint32_t seconds[static FLOW_TIMES],
		     struct err *why)
{
	CLEANUP(words_clear) struct words words = { 0 };
	int r = words_split(value, &words, why);

	return r < 0 ? r : read_times(&words, seconds, why);
}

struct flow_room flow_room_make(const struct flows_asked *asked)
{
	struct flow_room room = { .flows = asked->room };
	size_t i;

	for (i = 0; i < FLOW_TIMES; i++)
		room.seconds[i] = asked->seconds[i];
	return room;
}

uint32_t flow_room_seconds(const struct flow_room *room, enum flow_time time)
{
	return room->seconds[time] ? room->seconds[time] : usual[time];
}

static void note_used(const struct image *image, struct flow_shares *shares)
{
	size_t i;

	for (i = 0; image && i < image->n_groups; i++)
		if (image->groups[i].flow_share < FLOW_SHARES)
			shares->used[image->groups[i].flow_share] = 1;
}

void flow_shares_begin(const struct image *live, struct flow_shares *shares)
{
	memset(shares, 0, sizeof(*shares));
	note_used(live, shares);
}

uint32_t flow_shares_take(struct flow_shares *shares)
{
	uint32_t i = shares->next ? shares->next : FLOW_SHARE_GROUPS;

	while (i < FLOW_SHARES && shares->used[i])
		i++;
	shares->next = i;
	if (i == FLOW_SHARES)
		return 0;
	shares->used[i] = 1;
	return i;
}

int flow_share_ensure(const struct image *image, const struct image *live,
		      struct group_row *row, struct err *err)
{
	AUTO_FREE struct flow_shares *shares = NULL;

	if (!(row->flags & KEEP_STATES) || row->flow_share)
		return 0;
	shares = malloc(sizeof(*shares));
	if (!shares)
		return err_set(err, -ENOMEM, "find room for flows");
	flow_shares_begin(live, shares);
	note_used(image, shares);
	row->flow_share = flow_shares_take(shares);
	if (!row->flow_share)
		return err_say(err, -ENOSPC,
			       "there are too many groups that look at states "
			       "(at most %d)",
			       FLOW_SHARES - FLOW_SHARE_GROUPS);
	return 0;
}
