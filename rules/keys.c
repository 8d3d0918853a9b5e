/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rules/flow_room.h"
#include "rules/label.h"
#include "rules/pattern.h"
#include "rules/peer_limit.h"
#include "rules/policy_reader.h"
#include "rules/quota.h"
#include "rules/share.h"
#include "rules/suggest.h"
#include "rules/terms.h"
#include "rules/unit.h"
#include "rules/words.h"

/* What a key wants. */
#define A_RATE		"a rate such as 10mbit"
#define A_SIZE		"a size such as 256kb"
#define PEER_RATES	"addresses with a rate or none: 10.0.0.0/8 none"
#define A_WEIGHT	"a number from 1 to 100"
#define A_PRIORITY	"high, normal or low"
#define A_CHAIN		"the name of a chain"
#define A_QUOTA		"a quota such as 100gb/month"
#define AN_AFTER	"a rate such as 1mbit, or deny"
#define A_COUNT		"both, out or in"
#define A_ROOM		"a number of flows such as 10000"
#define TIMES		"what flows there are, with a time: udp 30s"
#define A_SHAPER	"auto, pace, edt, htb or police"
#define A_DEVICE_SHAPER "auto, edt or htb"
#define AN_XDP		"auto, yes or no"

/* Passes on why a value is refused, unless memory is what was missing. */
static int refuse(struct reader *reader, int r, const struct err *why)
{
	return r == -ENOMEM ? r : reader_error(reader, "%s", why->msg);
}

static int parse_rate(struct reader *reader, const char *value, void *field)
{
	uint64_t *rate_bps = field;
	struct err why;
	int r = rate_parse(value, rate_bps, &why);

	return r < 0 ? refuse(reader, r, &why) : 0;
}

static int parse_size(struct reader *reader, const char *value, void *field)
{
	uint64_t *bytes = field;
	struct err why;
	int r = size_parse(value, bytes, &why);

	return r < 0 ? refuse(reader, r, &why) : 0;
}

static int parse_peers(struct reader *reader, const char *value, void *field)
{
	struct peer_limits *limits = field;
	struct err why;
	int r;

	r = peer_limits_parse(value, limits, &why);
	limits->where = reader->where;
	return r < 0 ? refuse(reader, r, &why) : 0;
}

/* One of the words, or an error that lists them. */
static int parse_word(struct reader *reader, const char *value,
		      const struct term *terms, const char *all,
		      unsigned int *ret_value)
{
	const struct term *term = term_find(terms, value);
	struct suggestion best;

	if (term) {
		*ret_value = term->value;
		return 0;
	}
	suggestion_begin(&best, value);
	terms_suggest(terms, &best);
	return reader_error(reader, "'%s' is not known (try %s)", value,
			    best.word ? best.word : all);
}

static const struct term share_terms[] = {
	{ "each", SHARE_EACH },
	{ "all", SHARE_ALL },
	{ NULL, 0 },
};

static const struct term shaper_terms[] = {
	{ "auto", SHAPER_AUTO },     { "pace", SHAPER_PACE },
	{ "edt", SHAPER_EDT },	     { "htb", SHAPER_HTB },
	{ "police", SHAPER_POLICE }, { NULL, 0 },
};

static const struct term priority_terms[] = {
	{ "high", PRIORITY_HIGH },
	{ "normal", PRIORITY_NORMAL },
	{ "low", PRIORITY_LOW },
	{ NULL, 0 },
};

static const struct term xdp_terms[] = {
	{ "auto", XDP_AUTO },
	{ "yes", XDP_YES },
	{ "no", XDP_NO },
	{ NULL, 0 },
};

static const struct term yes_no_terms[] = {
	{ "yes", true },
	{ "no", false },
	{ NULL, 0 },
};

static int parse_share(struct reader *reader, const char *value, void *field)
{
	enum share *share = field;
	unsigned int word = 0;
	int r = parse_word(reader, value, share_terms, "each or all", &word);

	if (r == 0)
		*share = word;
	return r;
}

static int parse_priority(struct reader *reader, const char *value, void *field)
{
	enum priority *priority = field;
	unsigned int word = 0;
	int r = parse_word(reader, value, priority_terms, A_PRIORITY, &word);

	if (r == 0)
		*priority = word;
	return r;
}

static int parse_weight(struct reader *reader, const char *value, void *field)
{
	uint64_t *weight = field;

	if (number_parse(value, SHARE_WEIGHT_MAX, weight) < 0 || !*weight)
		return reader_error(reader,
				    "'%s' is not a weight (try " A_WEIGHT ")",
				    value);
	return 0;
}

static int parse_room(struct reader *reader, const char *value, void *field)
{
	uint64_t *room = field;

	if (number_parse(value, FLOW_ROOM_MAX, room) < 0 ||
	    *room < FLOW_ROOM_MIN)
		return reader_error(reader,
				    "'%s' is not a number of flows (%d to %d)",
				    value, FLOW_ROOM_MIN, FLOW_ROOM_MAX);
	return 0;
}

static int parse_times(struct reader *reader, const char *value, void *field)
{
	struct err why;
	int r = flow_times_parse(value, field, &why);

	return r < 0 ? refuse(reader, r, &why) : 0;
}

static int read_shaper(struct reader *reader, const char *value,
		       const char *all, enum shaper *ret_shaper)
{
	unsigned int word = 0;
	int r = parse_word(reader, value, shaper_terms, all, &word);

	if (r == 0)
		*ret_shaper = word;
	return r;
}

/* Whether it can do what the group asks for: section_check(). */
static int parse_shaper(struct reader *reader, const char *value, void *field)
{
	return read_shaper(reader, value, A_SHAPER, field);
}

static int parse_device_shaper(struct reader *reader, const char *value,
			       void *field)
{
	if (strcmp(value, "pace") == 0 || strcmp(value, "police") == 0)
		return reader_error(reader,
				    "'%s' is for groups: a device has a queue "
				    "(try auto)",
				    value);
	return read_shaper(reader, value, A_DEVICE_SHAPER, field);
}

static int parse_xdp(struct reader *reader, const char *value, void *field)
{
	enum xdp *xdp = field;
	unsigned int word = 0;
	int r = parse_word(reader, value, xdp_terms, AN_XDP, &word);

	if (r == 0)
		*xdp = word;
	return r;
}

static const struct term counts_terms[] = {
	{ "both", QUOTA_OUT | QUOTA_IN },
	{ "out", QUOTA_OUT },
	{ "in", QUOTA_IN },
	{ NULL, 0 },
};

static int parse_quota(struct reader *reader, const char *value, void *field)
{
	struct quota *quota = field;
	struct err why;
	int r = quota_parse(value, &quota->bytes, &quota->period, &why);

	return r < 0 ? refuse(reader, r, &why) : 0;
}

static int parse_counts(struct reader *reader, const char *value, void *field)
{
	return parse_word(reader, value, counts_terms, A_COUNT, field);
}

/* No rate is 0, so that stands for deny. */
static int parse_after(struct reader *reader, const char *value, void *field)
{
	uint64_t *after_bps = field;

	if (*value >= '0' && *value <= '9')
		return parse_rate(reader, value, field);
	if (strcmp(value, "deny") != 0)
		return reader_error(
			reader, "'%s' is neither a rate nor deny (try deny)",
			value);
	*after_bps = 0;
	return 0;
}

static int parse_yes_no(struct reader *reader, const char *value, void *field)
{
	bool *yes = field;
	unsigned int word = 0;
	int r = parse_word(reader, value, yes_no_terms, "yes or no", &word);

	if (r == 0)
		*yes = word;
	return r;
}

static int parse_verdict(struct reader *reader, const char *value, void *field)
{
	enum verdict *verdict = field;
	unsigned int word = 0;
	int r = parse_word(reader, value, verdict_terms,
			   "allow, deny or reject", &word);

	if (r == 0)
		*verdict = word;
	return r;
}

static int copy(const char *value, void *field)
{
	char **text = field;

	*text = strdup(value);
	return *text ? 0 : -ENOMEM;
}

static int parse_netns(struct reader *reader, const char *value, void *field)
{
	struct err why;
	int r = netns_check(value, &why);

	return r < 0 ? refuse(reader, r, &why) : copy(value, field);
}

/* The chain may stand further down, or in another file. */
static int parse_chain(struct reader *reader, const char *value, void *field)
{
	char **name = field;
	struct reference *reference;
	struct err why;
	int r = label_check(value, &why);

	if (r < 0)
		return refuse(reader, r, &why);
	r = copy(value, field);
	if (r < 0)
		return r;
	reference = ARRAY_ADD(reader, references);
	if (!reference)
		return -ENOMEM;
	reference->where = reader->where;
	reference->key = strcmp(reader->key, "filter-in") == 0 ? "filter-in"
							       : "filter-out";
	reference->chain = *name;
	return 0;
}

static int add_match(struct reader *reader, struct group *group,
		     const char *pattern)
{
	struct matched *matched;
	struct err why;
	char **match;
	int r;

	r = pattern_check(pattern, &why);
	if (r < 0)
		return refuse(reader, r, &why);
	match = ARRAY_ADD(group, matches);
	if (!match)
		return -ENOMEM;
	r = copy(pattern, match);
	if (r < 0)
		return r;
	matched = ARRAY_ADD(reader, matches);
	if (!matched)
		return -ENOMEM;
	matched->where = reader->where;
	matched->group = group - reader->policy->groups;
	matched->pattern = *match;
	return 0;
}

static int add_match_word(struct reader *reader, void *object, const char *text)
{
	return add_match(reader, object, text);
}

/* Calls add for each word of a list; goes on behind a bad one. */
static int for_each_word(struct reader *reader, const char *value, void *object,
			 int (*add)(struct reader *reader, void *object,
				    const char *text))
{
	CLEANUP(words_clear) struct words words = { 0 };
	struct err why;
	int r, result = 0;
	size_t i;

	r = words_split(value, &words, &why);
	if (r < 0)
		return refuse(reader, r, &why);
	for (i = 0; i < words.n_list; i++) {
		if (words.list[i].quoted)
			return reader_error(
				reader,
				"\"%s\" is in quotes, which are not "
				"needed%s",
				words.list[i].text,
				add == add_match_word ? " (? matches a blank)"
						      : "");
		r = add(reader, object, words.list[i].text);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			result = r;
	}
	return result;
}

static int add_element_word(struct reader *reader, void *object,
			    const char *text)
{
	return set_add(reader, object, &reader->where, reader->key, text);
}

static int parse_matches(struct reader *reader, const char *value, void *field)
{
	return for_each_word(reader, value, field, add_match_word);
}

static int parse_elements(struct reader *reader, const char *value, void *field)
{
	((struct set *)field)->is_given = true;
	return for_each_word(reader, value, field, add_element_word);
}

#define SET_HOLDS "networks, ports, services or interfaces"

/* The path that begins here, without blanks around it; its length. */
static size_t path_length(const char **text)
{
	size_t n;

	*text += strspn(*text, " \t");
	n = strcspn(*text, ",");
	while (n && strchr(" \t", (*text)[n - 1]))
		n--;
	return n;
}

/* Commas alone part them: a path may have blanks.  Goes on behind a bad one. */
static int parse_holds(struct reader *reader, const char *value, void *field)
{
	struct set *set = field;
	unsigned int kind;

	for (kind = 0; kind < SET_KINDS; kind++)
		if (strcmp(value, set_kind_name(kind)) == 0)
			break;
	if (kind == SET_KINDS)
		return reader_error(reader, "'%.80s' is not " SET_HOLDS, value);
	if (elements_count(&set->elements) && set->elements.kind != kind)
		return reader_error(reader, "set '%s' has %s in it already",
				    set->name,
				    set_kind_name(set->elements.kind));
	set->holds = true;
	set->elements.kind = kind;
	return 0;
}

static int parse_files(struct reader *reader, const char *value, void *field)
{
	const char *text = value;
	int r, result = 0;

	for (;; text++) {
		size_t n = path_length(&text);
		AUTO_FREE char *path = strndup(text, n);

		if (!path)
			return -ENOMEM;
		if (!n)
			return reader_error(reader,
					    "there is no path %s a comma",
					    text[0] ? "before" : "behind");
		r = set_add_file(reader, field, path);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			result = r;
		text += strcspn(text, ",");
		if (!*text)
			return result;
	}
}

static const struct key group_keys[] = {
	{ "match", "paths of cgroups", 0, parse_matches },
	{ "out", A_RATE, offsetof(struct group, out.rate_bps), parse_rate },
	{ "in", A_RATE, offsetof(struct group, in.rate_bps), parse_rate },
	{ "out-burst", A_SIZE, offsetof(struct group, out.burst_bytes),
	  parse_size },
	{ "in-burst", A_SIZE, offsetof(struct group, in.burst_bytes),
	  parse_size },
	{ "out-to", PEER_RATES, offsetof(struct group, out_to), parse_peers },
	{ "in-from", PEER_RATES, offsetof(struct group, in_from), parse_peers },
	{ "filter-in", A_CHAIN, offsetof(struct group, filter_in),
	  parse_chain },
	{ "filter-out", A_CHAIN, offsetof(struct group, filter_out),
	  parse_chain },
	{ "flows", A_ROOM, offsetof(struct group, flows.room), parse_room },
	{ "timeouts", TIMES, offsetof(struct group, flows.seconds),
	  parse_times },
	{ "out-min", A_RATE, offsetof(struct group, out_min_bps), parse_rate },
	{ "weight", A_WEIGHT, offsetof(struct group, weight), parse_weight },
	{ "priority", A_PRIORITY, offsetof(struct group, priority),
	  parse_priority },
	{ "share", "each or all", offsetof(struct group, share), parse_share },
	{ "shaper", A_SHAPER, offsetof(struct group, shaper), parse_shaper },
	{ "quota", A_QUOTA, offsetof(struct group, quota), parse_quota },
	{ "quota-counts", A_COUNT, offsetof(struct group, quota.counts),
	  parse_counts },
	{ "after", AN_AFTER, offsetof(struct group, quota.after_bps),
	  parse_after },
	{ NULL, NULL, 0, NULL },
};

static const struct key device_keys[] = {
	{ "out", A_RATE, offsetof(struct device, out.rate_bps), parse_rate },
	{ "in", A_RATE, offsetof(struct device, in.rate_bps), parse_rate },
	{ "out-burst", A_SIZE, offsetof(struct device, out.burst_bytes),
	  parse_size },
	{ "in-burst", A_SIZE, offsetof(struct device, in.burst_bytes),
	  parse_size },
	{ "filter-in", A_CHAIN, offsetof(struct device, filter_in),
	  parse_chain },
	{ "filter-out", A_CHAIN, offsetof(struct device, filter_out),
	  parse_chain },
	{ "flows", A_ROOM, offsetof(struct device, flows.room), parse_room },
	{ "timeouts", TIMES, offsetof(struct device, flows.seconds),
	  parse_times },
	{ "tcp-windows", "yes or no", offsetof(struct device, tcp_windows),
	  parse_yes_no },
	{ "shaper", A_DEVICE_SHAPER, offsetof(struct device, shaper),
	  parse_device_shaper },
	{ "netns", "a name below /run/netns", offsetof(struct device, netns),
	  parse_netns },
	{ "takeover", "yes or no", offsetof(struct device, takeover),
	  parse_yes_no },
	{ "xdp", AN_XDP, offsetof(struct device, xdp), parse_xdp },
	{ NULL, NULL, 0, NULL },
};

static const struct key chain_keys[] = {
	{ "policy", "allow, deny or reject", offsetof(struct chain, policy),
	  parse_verdict },
	{ "strict", "yes or no", offsetof(struct chain, strict), parse_yes_no },
	{ NULL, NULL, 0, NULL },
};

static const struct key set_keys[] = {
	{ "holds", SET_HOLDS, 0, parse_holds },
	{ "elements", SET_HOLDS, 0, parse_elements },
	{ "file", "files with one element a line", 0, parse_files },
	{ NULL, NULL, 0, NULL },
};

const struct section sections[N_SECTIONS] = {
	[SECTION_GROUP] = { "group", group_keys, false },
	[SECTION_DEVICE] = { "device", device_keys, false },
	[SECTION_CHAIN] = { "chain", chain_keys, true },
	[SECTION_SET] = { "set", set_keys, false },
};

const struct key *key_find(enum section_kind kind, const char *name)
{
	const struct key *key;

	for (key = sections[kind].keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}
