/* SPDX-License-Identifier: GPL-2.0-or-later */
/* from and to: addresses, networks, sets, ports. */
#include "rules/rule_parser.h"

#include <string.h>

#include "base/array.h"
#include "rules/endpoint.h"
#include "rules/port.h"

static int add_address(struct rule_parser *parser, struct endpoint *endpoint,
		       const char *text)
{
	return endpoint_add_address(endpoint, text, parser->why);
}

static int add_port(struct rule_parser *parser, struct endpoint *endpoint,
		    const char *text)
{
	struct port_range range, *added;
	int r;

	if (*text == '@')
		return endpoint_add_set(text, &endpoint->port_sets,
					&endpoint->n_port_sets, parser->why);
	r = port_parse(text, &range, parser->why);
	if (r < 0)
		return r;
	added = ARRAY_ADD(endpoint, ports);
	if (!added)
		return err_set(parser->why, -ENOMEM, "parse");
	*added = range;
	return 0;
}

/* What the elements of a list are, and how one is added. */
struct element_kind {
	const char *name, *example;
	int (*add)(struct rule_parser *parser, struct endpoint *endpoint,
		   const char *text);
};

static const struct element_kind addresses = { "an address", "192.0.2.1",
					       add_address };
static const struct element_kind ports = { "a port", "80", add_port };

/* Adds one; a word that is none may be one of the rule's, misspelt. */
static int add_element(struct rule_parser *parser, struct endpoint *endpoint,
		       const struct element_kind *kind, const char *text)
{
	int r = kind->add(parser, endpoint, text);
	const char *best = NULL;

	if (r == -EINVAL && !rule_is_word(text) && !port_of_service(text) &&
	    !text[strspn(text, "abcdefghijklmnopqrstuvwxyz-")])
		best = rule_nearest_word(text);
	if (best)
		return err_say(parser->why, -EINVAL,
			       "'%.80s' is neither %s nor a word of a rule "
			       "(try %s)",
			       text, kind->name, best);
	return r;
}

static int parse_list(struct rule_parser *parser, struct endpoint *endpoint,
		      const char *before, const struct element_kind *kind)
{
	const char *text = rule_argument(parser, before, kind->example);
	const struct word *word;
	int r;

	if (!text)
		return -EINVAL;
	r = add_element(parser, endpoint, kind, text);
	while (r == 0 && rule_list_goes_on(parser)) {
		word = words_peek(&parser->words);
		if (word->quoted)
			return rule_refuse_word(parser, word);
		if (strcmp(word->text, "any") == 0)
			return err_say(parser->why, -EINVAL,
				       "'any' stands alone, not in a list");
		if (rule_is_word(word->text))
			return err_say(parser->why, -EINVAL,
				       "'%s' stands behind a comma, as if it "
				       "were %s",
				       word->text, kind->name);
		parser->words.next++;
		r = add_element(parser, endpoint, kind, word->text);
	}
	return r;
}

static int parse_addresses(struct rule_parser *parser,
			   struct endpoint *endpoint, const char *name)
{
	endpoint->negated = rule_take(parser, "not");
	if (!rule_take(parser, "any"))
		return parse_list(parser, endpoint,
				  endpoint->negated ? "not" : name, &addresses);
	if (endpoint->negated)
		return err_say(parser->why, -EINVAL,
			       "'not any' matches nothing");
	if (rule_list_goes_on(parser))
		return err_say(parser->why, -EINVAL,
			       "'any' stands alone, not in a list");
	return 0;
}

static int parse_ports(struct rule_parser *parser, struct endpoint *endpoint)
{
	if (rule_take(parser, "not"))
		return err_say(parser->why, -EINVAL,
			       "ports have no 'not' (list the ranges beside "
			       "them: port 0-79,81-65535)");
	if (rule_take(parser, "any"))
		return err_say(parser->why, -EINVAL,
			       "'port any' says nothing (leave it out)");
	return parse_list(parser, endpoint, "port", &ports);
}

static int parse(struct rule_parser *parser, struct endpoint *endpoint,
		 const char *name)
{
	int r = 0;

	if (rule_take(parser, "port"))
		return parse_ports(parser, endpoint);
	r = parse_addresses(parser, endpoint, name);
	if (r == 0 && rule_take(parser, "port"))
		r = parse_ports(parser, endpoint);
	return r;
}

static int parse_endpoint(struct rule_parser *parser, struct endpoint *endpoint,
			  const char *name)
{
	int r = parse(parser, endpoint, name);

	if (r < 0)
		return r;
	endpoint_sort(endpoint);
	return 0;
}

int rule_parse_from(struct rule_parser *parser, const char *name)
{
	return parse_endpoint(parser, &parser->rule->from, name);
}

int rule_parse_to(struct rule_parser *parser, const char *name)
{
	return parse_endpoint(parser, &parser->rule->to, name);
}
