/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a packet must have besides its addresses and ports. */
#include "rules/rule_parser.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "rules/iface.h"
#include "rules/terms.h"

static int no_memory(struct rule_parser *parser)
{
	return err_set(parser->why, -ENOMEM, "parse");
}

static int given_twice(struct rule_parser *parser, const char *text)
{
	return err_say(parser->why, -EINVAL, "'%.80s' is given twice", text);
}

static int add_state(struct rule_parser *parser, const struct term *term)
{
	if (parser->rule->states & term->value)
		return given_twice(parser, term->name);
	parser->rule->states |= term->value;
	return 0;
}

int rule_parse_states(struct rule_parser *parser, const char *first)
{
	int r = add_state(parser, term_find(state_terms, first));

	while (r == 0 && words_comma(&parser->words)) {
		const struct word *word = words_peek(&parser->words);
		const struct term *term = term_find(state_terms, word->text);

		if (!term || word->quoted)
			return err_say(parser->why, -EINVAL,
				       "'%.80s' is not a state (try new, "
				       "established, related or invalid)",
				       word->text);
		parser->words.next++;
		r = add_state(parser, term);
	}
	return r;
}

static int misplaced_type(struct rule_parser *parser, const char *text)
{
	if (*text >= '0' && *text <= '9')
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is out of place (ports are written to "
			       "port %.80s; ICMP types need icmp or icmp6)",
			       text, text);
	return err_say(parser->why, -EINVAL,
		       "'%s' needs icmp or icmp6 right after the verdict",
		       text);
}

static int add_icmp_type(struct rule_parser *parser, const struct term *terms,
			 const struct term *others, const char *text)
{
	const struct term *term = term_find(terms, text);
	struct suggestion best;
	uint64_t type;

	if (term) {
		type = term->value;
	} else if (term_find(others, text)) {
		return err_say(parser->why, -EINVAL,
			       "'%s' is a type of %s, not of %s", text,
			       others == icmp_terms ? "icmp" : "icmp6",
			       others == icmp_terms ? "icmp6" : "icmp");
	} else if (number_parse(text, 255, &type) < 0) {
		suggestion_begin(&best, text);
		terms_suggest(terms, &best);
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not an ICMP type (try %s)", text,
			       best.word ? best.word : "a name or 0 to 255");
	}
	if (parser->rule->icmp_types[type / 64] & 1ULL << type % 64)
		return given_twice(parser, text);
	parser->rule->has_icmp_types = true;
	parser->rule->icmp_types[type / 64] |= 1ULL << type % 64;
	return 0;
}

int rule_parse_icmp_types(struct rule_parser *parser, const char *first)
{
	bool v6 = parser->rule->protocol == IPPROTO_ICMPV6;
	const struct term *terms = v6 ? icmp6_terms : icmp_terms;
	const struct term *others = v6 ? icmp_terms : icmp6_terms;
	int r;

	if (!v6 && parser->rule->protocol != IPPROTO_ICMP)
		return misplaced_type(parser, first);
	r = add_icmp_type(parser, terms, others, first);
	while (r == 0 && words_comma(&parser->words)) {
		const struct word *word = words_peek(&parser->words);

		if (word->quoted)
			return rule_refuse_word(parser, word);
		parser->words.next++;
		r = add_icmp_type(parser, terms, others, word->text);
	}
	return r;
}

/* FLAG,FLAG/FLAG,FLAG: those that are set, of those that are looked at. */
struct flags {
	unsigned int bits[2];
	int side; /* 0 before the slash, 1 behind it */
};

static int add_flag(struct rule_parser *parser, const char *text, size_t n,
		    struct flags *flags)
{
	const struct term *term;
	struct suggestion best;
	char name[8];

	if (n > 0 && n < sizeof(name)) {
		memcpy(name, text, n);
		name[n] = '\0';
		term = term_find(flag_terms, name);
		if (term)
			flags->bits[flags->side] |= term->value;
		if (term || (flags->side == 0 && strcmp(name, "NONE") == 0))
			return 0;
		if (flags->side == 1 && strcmp(name, "ALL") == 0) {
			flags->bits[1] = 0xff;
			return 0;
		}
		suggestion_begin(&best, name);
		terms_suggest(flag_terms, &best);
		if (best.word)
			return err_say(parser->why, -EINVAL,
				       "'%s' is not a TCP flag (try %s)", name,
				       best.word);
	}
	if (n == 0)
		return err_say(parser->why, -EINVAL,
			       "there is no flag beside the '/' (try flags "
			       "SYN/SYN,ACK)");
	return err_say(parser->why, -EINVAL,
		       "'%.80s' is not a TCP flag (FIN SYN RST PSH ACK URG ECE "
		       "CWR, as in flags SYN/SYN,ACK)",
		       text);
}

static int add_flags(struct rule_parser *parser, const char *text,
		     struct flags *flags)
{
	size_t n;
	int r;

	for (;; text += n + 1) {
		n = strcspn(text, "/");
		r = add_flag(parser, text, n, flags);
		if (r < 0 || !text[n])
			return r;
		if (flags->side++ == 1)
			return err_say(parser->why, -EINVAL,
				       "flags have one '/' (try flags "
				       "SYN/SYN,ACK)");
	}
}

int rule_parse_flags(struct rule_parser *parser, const char *name)
{
	struct flags flags = { 0 };
	const char *text;
	int r;

	text = rule_argument(parser, name, "SYN/SYN,ACK");
	if (!text)
		return -EINVAL;
	r = add_flags(parser, text, &flags);
	while (r == 0 && words_comma(&parser->words)) {
		text = words_peek(&parser->words)->text;
		parser->words.next++;
		r = add_flags(parser, text, &flags);
	}
	if (r < 0)
		return r;
	if (flags.side == 0)
		return err_say(parser->why, -EINVAL,
			       "flags say which are set of which (try flags "
			       "SYN/SYN,ACK)");
	if (flags.bits[0] & ~flags.bits[1])
		return err_say(parser->why, -EINVAL,
			       "the flags before the '/' must be among those "
			       "behind it (try flags SYN/SYN,ACK)");
	parser->rule->flags_value = flags.bits[0];
	parser->rule->flags_mask = flags.bits[1];
	return 0;
}

int rule_parse_mark(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "0x10");
	AUTO_FREE char *value = NULL;
	uint64_t mark, mask = UINT32_MAX;
	char *slash;

	if (!text)
		return -EINVAL;
	value = strdup(text);
	if (!value)
		return no_memory(parser);
	slash = strchr(value, '/');
	if (slash)
		*slash = '\0';
	if (number_parse_any(value, UINT32_MAX, &mark) < 0 ||
	    (slash && number_parse_any(slash + 1, UINT32_MAX, &mask) < 0))
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a mark (try 1, 0x10 or "
			       "0x10/0xff)",
			       text);
	if (mask == 0)
		return err_say(parser->why, -EINVAL,
			       "mark %.80s has an empty mask (leave it out)",
			       text);
	if (mark & ~mask)
		return err_say(parser->why, -EINVAL,
			       "mark %.80s can never be: it has bits outside "
			       "its mask (try 0x%llx/0x%llx)",
			       text, (unsigned long long)mark,
			       (unsigned long long)(mark | mask));
	parser->rule->has_mark = true;
	parser->rule->mark = mark;
	parser->rule->mark_mask = mask;
	return 0;
}

int rule_parse_dscp(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "ef");
	const struct term *term;
	struct suggestion best;
	uint64_t dscp;

	if (!text)
		return -EINVAL;
	term = term_find(dscp_terms, text);
	if (term) {
		dscp = term->value;
	} else if (number_parse_any(text, 63, &dscp) < 0) {
		suggestion_begin(&best, text);
		terms_suggest(dscp_terms, &best);
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a DSCP (try %s)", text,
			       best.word ? best.word
					 : "ef, af11, cs1 or 0 to 63");
	}
	parser->rule->dscp = dscp;
	return 0;
}

int rule_parse_iface(struct rule_parser *parser, const char *name)
{
	struct ifaces *ifaces = &parser->rule->ifaces;
	const char *text = rule_argument(parser, name, "eth0");
	int r;

	if (!text)
		return -EINVAL;
	r = ifaces_add(ifaces, text, parser->why);
	/* Commas alone part them, as any word can be a name. */
	while (r == 0 && words_comma(&parser->words)) {
		const struct word *word = words_peek(&parser->words);

		if (word->quoted)
			return rule_refuse_word(parser, word);
		parser->words.next++;
		r = ifaces_add(ifaces, word->text, parser->why);
	}
	if (r < 0)
		return r;
	r = ifaces_sort(ifaces);
	return r < 0 ? no_memory(parser) : 0;
}

int rule_parse_uid(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "1000");
	uint64_t uid;

	if (!text)
		return -EINVAL;
	if (number_parse(text, UINT32_MAX - 1, &uid) < 0)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is not a user's number (id -u NAME "
			       "tells it)",
			       text);
	parser->rule->has_uid = true;
	parser->rule->uid = uid;
	return 0;
}

int rule_parse_length(struct rule_parser *parser, const char *name)
{
	const char *text = rule_argument(parser, name, "0-128");
	const char *p = text;
	uint64_t first, last;

	if (!text)
		return -EINVAL;
	if (number_scan(&p, UINT16_MAX, &first) < 0)
		p = "?";
	last = first;
	if (*p == '-') {
		p++;
		if (number_scan(&p, UINT16_MAX, &last) < 0)
			p = "?";
	}
	if (*p)
		return err_say(
			parser->why, -EINVAL,
			"'%.80s' is not a length (0 to 65535 bytes, or a "
			"range such as 0-128)",
			text);
	if (first > last)
		return err_say(parser->why, -EINVAL,
			       "'%s' runs backwards (try %u-%u)", text,
			       (unsigned int)last, (unsigned int)first);
	parser->rule->has_length = true;
	parser->rule->length_first = first;
	parser->rule->length_last = last;
	return 0;
}
