/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/peer_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/address.h"
#include "rules/endpoint.h"
#include "rules/image_abi.h"
#include "rules/suggest.h"
#include "rules/unit.h"
#include "rules/words.h"

#define NO_LIMIT "none"

void peer_limits_clear(struct peer_limits *limits)
{
	size_t i;

	for (i = 0; i < limits->n_list; i++) {
		endpoint_clear(&limits->list[i].peers);
		free(limits->list[i].text);
	}
	free(limits->list);
	*limits = (struct peer_limits){ 0 };
}

/* -------------------------------------------------- what never decides */

static bool network_has(const struct network *a, const struct network *b)
{
	return a->family == b->family &&
	       memcmp(&a->first, &b->first, sizeof(a->first)) <= 0 &&
	       memcmp(&b->last, &a->last, sizeof(a->last)) <= 0;
}

static int refuse_covered(const struct network *first,
			  const struct network *network, struct err *why)
{
	char before[NETWORK_TEXT_MAX], text[NETWORK_TEXT_MAX];

	network_format(first, before);
	network_format(network, text);
	return err_say(why, -EINVAL,
		       "'%s' never decides behind '%s', which has all of it "
		       "(the first that fits decides: put it before that)",
		       text, before);
}

/* Whether one of the first n of a list has the network. */
static int check_network(const struct endpoint *list, size_t n,
			 const struct network *network, struct err *why)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (network_has(&list->networks[i], network))
			return refuse_covered(&list->networks[i], network, why);
	return 0;
}

static int check_set(const struct endpoint *list, size_t n, const char *set,
		     struct err *why)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list->sets[i], set) == 0)
			return err_say(why, -EINVAL, "'@%s' is given twice",
				       set);
	return 0;
}

/* A list, by the one itself and by one before it. */
static int check_lists(const struct endpoint *list,
		       const struct endpoint *before, struct err *why)
{
	bool same = list == before;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < list->n_networks; i++)
		r = check_network(before, same ? i : before->n_networks,
				  &list->networks[i], why);
	for (i = 0; r == 0 && i < list->n_sets; i++)
		r = check_set(before, same ? i : before->n_sets, list->sets[i],
			      why);
	return r;
}

static int check_order(const struct peer_limits *limits, struct err *why)
{
	size_t i, j;
	int r = 0;

	for (i = 0; r == 0 && i < limits->n_list; i++)
		for (j = 0; r == 0 && j <= i; j++)
			r = check_lists(&limits->list[i].peers,
					&limits->list[j].peers, why);
	return r;
}

/* ------------------------------------------------------------- reading */

/* Whether text is meant as an address, good or bad. */
static bool is_address(const char *text)
{
	struct network network;
	struct err ignored;

	if (*text == '@' || network_parse(text, &network, &ignored) == 0)
		return true;
	return !text[strspn(text, "0123456789abcdefABCDEF.:/-")] &&
	       strpbrk(text, ".:/");
}

static int refuse_word(const char *text, struct err *why)
{
	struct suggestion best;

	if (strcmp(text, "any") == 0)
		return err_say(why, -EINVAL,
			       "'any' is what the limit beside it is for "
			       "(leave it out)");
	if (strcmp(text, "not") == 0)
		return err_say(
			why, -EINVAL,
			"there is no 'not' (the first that fits decides: "
			"put those before it, with a rate or none)");
	suggestion_begin(&best, text);
	suggestion_try(&best, NO_LIMIT);
	if (best.word)
		return err_say(why, -EINVAL,
			       "'%.80s' is neither an address nor a rate (try "
			       "%s)",
			       text, best.word);
	return err_say(why, -EINVAL,
		       "'%.80s' is neither an address nor a rate (try "
		       "10.0.0.0/8 for a network, @%.80s for a set)",
		       text, text);
}

static int read_rate(const char *text, struct limit *limit, struct err *why)
{
	if (strcmp(text, NO_LIMIT) == 0)
		return 0;
	if (*text >= '0' && *text <= '9')
		return rate_parse(text, &limit->rate_bps, why);
	return refuse_word(text, why);
}

/* The text of the addresses before the limit, which ends the entry. */
static int end_entry(struct peer_limit *entry, struct err *why)
{
	struct text text;

	text_begin(&text);
	endpoint_put_addresses(&entry->peers, &text);
	return text_take(&text, &entry->text) == 0
		       ? 0
		       : err_set(why, -ENOMEM, "parse");
}

static int check_room(const struct peer_limits *limits, struct err *why)
{
	if (limits->n_list < PEERS_MAX)
		return 0;
	return err_say(why, -EINVAL,
		       "there are more than %d limits (several addresses may "
		       "stand before one, or in a set)",
		       PEERS_MAX);
}

/* entry: the one that has begun, or NULL; likewise afterwards. */
static int read_word(struct peer_limits *limits, const char *text,
		     struct peer_limit **entry, struct err *why)
{
	int r;

	if (is_address(text)) {
		r = *entry ? 0 : check_room(limits, why);
		if (r < 0)
			return r;
		if (!*entry)
			*entry = ARRAY_ADD(limits, list);
		if (!*entry)
			return err_set(why, -ENOMEM, "parse");
		return endpoint_add_address(&(*entry)->peers, text, why);
	}
	if (!*entry) {
		struct limit ignored;

		r = read_rate(text, &ignored, why);
		if (r < 0)
			return r;
		return err_say(why, -EINVAL,
			       "there is no address before '%.80s' (try "
			       "10.0.0.0/8 %.80s)",
			       text, text);
	}
	r = read_rate(text, &(*entry)->limit, why);
	if (r == 0)
		r = end_entry(*entry, why);
	*entry = NULL;
	return r;
}

static int read_words(struct peer_limits *limits, const struct words *words,
		      struct err *why)
{
	struct peer_limit *entry = NULL;
	const char *last = NULL;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < words->n_list; i++) {
		last = words->list[i].text;
		if (words->list[i].quoted)
			return err_say(why, -EINVAL,
				       "\"%.80s\" is in quotes, which are not "
				       "needed",
				       last);
		r = read_word(limits, last, &entry, why);
	}
	if (r == 0 && entry)
		return err_say(why, -EINVAL,
			       "there is no limit behind '%.80s' (a rate such "
			       "as 10mbit, or none)",
			       last);
	return r == 0 ? check_order(limits, why) : r;
}

int peer_limits_parse(const char *value, struct peer_limits *limits,
		      struct err *why)
{
	CLEANUP(words_clear) struct words words = { 0 };
	int r = words_split(value, &words, why);

	if (r == 0)
		r = read_words(limits, &words, why);
	if (r < 0)
		peer_limits_clear(limits);
	return r;
}
