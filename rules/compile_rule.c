/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/compile_set.h"
#include "rules/iface.h"
#include "rules/rule.h"

#define NSEC_PER_SEC 1000000000ULL

/* ------------------------------------------------------------ sides */

int compile_addresses(struct compiler *c, const struct where *where,
		      const struct endpoint *end, struct row_side *side)
{
	CLEANUP(spans_clear) struct spans spans = { 0 };
	int r;

	if (end->n_sets == 1 && end->n_networks == 0)
		return compile_named_set(c, where, end->sets[0], &side->set);
	if (end->n_sets == 0 && end->n_networks == 1 &&
	    network_one_prefix(&end->networks[0], side))
		return 0; /* as with most rules: without any memory */
	r = spans_add_networks(&spans, end->networks, end->n_networks);
	if (r < 0)
		return r;
	spans_join(&spans);
	if (end->n_sets == 0 && spans_one_prefix(&spans, side))
		return 0;
	return compile_list(c, where, &spans, SET_OF_NETWORKS, end->sets,
			    end->n_sets, &side->set);
}

static int compile_ports(struct compiler *c, const struct where *where,
			 const struct endpoint *end, struct row_side *side)
{
	CLEANUP(spans_clear) struct spans spans = { 0 };
	int r;

	if (end->n_port_sets == 1 && end->n_ports == 0)
		return compile_named_set(c, where, end->port_sets[0],
					 &side->port_set);
	if (end->n_port_sets == 0 && end->n_ports == 1) {
		side->port_first = end->ports[0].first;
		side->port_last = end->ports[0].last;
		return 0;
	}
	r = spans_add_ports(&spans, end->ports, end->n_ports);
	if (r < 0)
		return r;
	spans_join(&spans);
	if (end->n_port_sets == 0 && spans.n_list == 1) {
		side->port_first = spans.list[0].first;
		side->port_last = spans.list[0].last;
		return 0;
	}
	return compile_list(c, where, &spans, SET_OF_PORTS, end->port_sets,
			    end->n_port_sets, &side->port_set);
}

/* They stand in lists with their like alone. */
static bool has_services(const struct compiler *c, const struct endpoint *end)
{
	const struct set *set;

	set = end->n_sets ? policy_set(c->policy, end->sets[0]) : NULL;
	return set && set_is_of(set, SET_OF_SERVICES);
}

/* look, look_not and look_port are the LOOK_* of this side. */
static int compile_side(struct compiler *c, const struct rule *rule,
			const struct endpoint *end, struct rule_row *row,
			struct row_side *side, uint32_t look, uint32_t look_not,
			uint32_t look_port)
{
	int r;

	side->set = NONE;
	side->port_set = NONE;
	if (end->n_networks || end->n_sets) {
		row->looks |= look | (end->negated ? look_not : 0);
		r = compile_addresses(c, &rule->where, end, side);
		if (r < 0)
			return r;
	}
	if (has_services(c, end)) {
		/* Of what has no ports they say nothing. */
		row->looks |= look_port;
		side->port_last = UINT16_MAX;
	}
	if (end->n_ports || end->n_port_sets) {
		row->looks |= look_port;
		return compile_ports(c, &rule->where, end, side);
	}
	return 0;
}

/* -------------------------------------------------------- interfaces */

/* One is known by its index, several by a set of names. */
static int compile_ifaces(struct compiler *c, const struct rule *rule,
			  struct rule_row *row)
{
	CLEANUP(spans_clear) struct spans spans = { 0 };
	const struct ifaces *ifaces = &rule->ifaces;
	char name[IFACE_TEXT_MAX];
	int r;

	if (!ifaces_are_named(ifaces))
		return 0;
	if (ifaces_are_one(ifaces, name)) {
		row->looks |= LOOK_IFINDEX;
		/* The one interface whose index is the same everywhere. */
		row->ifindex = strcmp(name, "lo") == 0;
		return compiler_string(c, name, &row->iface);
	}
	row->looks |= LOOK_IFACES | LOOK_LOOPBACK;
	if (ifaces->n_sets == 1 && !ifaces->names.n_list)
		return compile_named_set(c, &rule->where, ifaces->sets[0],
					 &row->ifaces);
	r = spans_add_names(&spans, &ifaces->names);
	if (r < 0)
		return r;
	spans_join(&spans);
	return compile_list(c, &rule->where, &spans, SET_OF_INTERFACES,
			    ifaces->sets, ifaces->n_sets, &row->ifaces);
}

/* ------------------------------------------------------------ rules */

static void compile_matches(const struct rule *rule, struct rule_row *row)
{
	if (rule->family != FAMILY_ANY) {
		row->looks |= LOOK_FAMILY;
		row->family = rule->family == FAMILY_IP4 ? 4 : 6;
	}
	if (rule->protocol != PROTOCOL_ANY) {
		row->looks |= LOOK_PROTOCOL;
		row->protocol = rule->protocol;
	}
	if (rule->states) {
		row->looks |= LOOK_STATE;
		row->states = rule->states;
	}
	if (rule->has_icmp_types) {
		row->looks |= LOOK_ICMP_TYPE;
		memcpy(row->icmp_types, rule->icmp_types,
		       sizeof(row->icmp_types));
	}
	if (rule->flags_mask) {
		row->looks |= LOOK_TCP_FLAGS;
		row->tcp_mask = rule->flags_mask;
		row->tcp_value = rule->flags_value;
	}
	if (rule->has_mark) {
		row->looks |= LOOK_MARK;
		row->mark = rule->mark;
		row->mark_mask = rule->mark_mask;
	}
	if (rule->dscp != DSCP_ANY) {
		row->looks |= LOOK_DSCP;
		row->dscp = rule->dscp;
	}
	if (rule->has_uid) {
		row->looks |= LOOK_UID;
		row->uid = rule->uid;
	}
	if (rule->has_length) {
		row->looks |= LOOK_LENGTH;
		row->length_first = rule->length_first;
		row->length_last = rule->length_last;
	}
}

static uint64_t token_interval(uint32_t count, uint32_t seconds)
{
	uint64_t interval_ns = seconds * NSEC_PER_SEC / count;

	return interval_ns ? interval_ns : 1;
}

/* Within what a clock can be ahead by. */
static uint64_t token_burst(uint64_t burst, uint64_t interval_ns)
{
	if (burst == 0)
		burst = 1;
	if (burst > INT64_MAX / interval_ns)
		burst = INT64_MAX / interval_ns;
	return burst * interval_ns;
}

static void compile_limit(const struct rule *rule, struct rule_row *row)
{
	if (!rule->limit_count)
		return;
	row->looks |= LOOK_LIMIT;
	row->limit_interval_ns =
		token_interval(rule->limit_count, rule->limit_seconds);
	row->limit_burst_ns =
		token_burst(rule->limit_burst, row->limit_interval_ns);
}

static int compile_log(struct compiler *c, const struct rule *rule,
		       struct rule_row *row)
{
	uint32_t count = rule->log_count ? rule->log_count : LOG_COUNT_DEFAULT;
	uint32_t seconds = rule->log_count ? rule->log_seconds : 1;
	uint32_t burst = rule->log_count ? rule->log_burst : LOG_BURST_DEFAULT;

	if (!rule->log)
		return 0;
	row->does |= DO_LOG;
	row->log_interval_ns = token_interval(count, seconds);
	row->log_burst_ns = token_burst(burst, row->log_interval_ns);
	return compiler_string(c, rule->log_prefix, &row->log_prefix);
}

/*
 * The tokens of sources go on where the rule does not change, and no other
 * rule has them: by what tells rules apart.
 */
static uint64_t source_id(const struct chain *chain, const struct rule *rule)
{
	uint64_t id = 0xcbf29ce484222325 ^ rule->number;
	const char *p;

	for (p = chain->name; *p; p++)
		id = (id ^ (unsigned char)*p) * 0x100000001b3;
	for (p = rule->text; *p; p++)
		id = (id ^ (unsigned char)*p) * 0x100000001b3;
	return id ? id : 1;
}

int compile_rule(struct compiler *c, const struct chain *chain,
		 const struct rule *rule, struct rule_row *row)
{
	int r;

	row->verdict = rule->verdict;
	if (rule->verdict == VERDICT_JUMP)
		row->looks |= LOOK_LOOPBACK;
	row->number = rule->number;
	row->line = rule->where.line < ROW_LINE_MAX ? rule->where.line
						    : ROW_LINE_MAX;
	compile_matches(rule, row);
	compile_limit(rule, row);
	if (rule->limit_per_source)
		row->limit_source = source_id(chain, rule);
	r = compile_side(c, rule, &rule->from, row, &row->src, LOOK_SRC,
			 LOOK_SRC_NOT, LOOK_SRC_PORT);
	if (r == 0)
		r = compile_side(c, rule, &rule->to, row, &row->dst, LOOK_DST,
				 LOOK_DST_NOT, LOOK_DST_PORT);
	if (r == 0)
		r = compile_ifaces(c, rule, row);
	if (r == 0)
		r = compile_log(c, rule, row);
	if (r == 0)
		r = compiler_file(c, &rule->where, &row->file);
	if (r == 0)
		r = compiler_string(c, rule->text, &row->text);
	return r;
}
