/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench-rules/ruleset.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define NONE UINT32_MAX

/* xorshift64* */
uint32_t ruleset_below(uint64_t *random, uint32_t n)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (*random * 0x2545f4914f6cdd1dULL >> 32) % n;
}

/* Small ones are more often. */
static uint32_t skewed_below(uint64_t *random, uint32_t n)
{
	return (uint64_t)ruleset_below(random, n) * ruleset_below(random, n) /
	       n;
}

/* ------------------------------------------------------------- shapes */

/* Choices with how many of a hundred take them, as far as they go. */
struct lengths {
	unsigned int percent;
	uint8_t src_least, src_most, dst_least, dst_most;
};

enum {
	PORT_ANY,
	PORT_HIGH, /* 1024 to 65535 */
	PORT_LOW,  /* 0 to 1023 */
	PORT_RANGE,
	PORT_ONE,
	N_PORT_SHAPES
};

static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
				     0 };

/*
 * Access lists are about destinations: services at hosts, for networks.  In
 * firewalls one side is often anybody, and source ports count.  Chains are
 * between the two, and pairs of hosts are many.
 */
static const struct shape {
	unsigned int protocols[ARRAY_SIZE(protocols)];
	unsigned int sport[N_PORT_SHAPES], dport[N_PORT_SHAPES];
	struct lengths lengths[6];
} shapes[] = {
	[RULESET_ACL] = { { 72, 18, 4, 6 },
			  { 98, 1, 0, 0, 1 },
			  { 22, 8, 1, 14, 55 },
			  { { 14, 0, 0, 28, 32 },
			    { 24, 16, 24, 32, 32 },
			    { 36, 24, 32, 24, 32 },
			    { 18, 32, 32, 32, 32 },
			    { 7, 8, 16, 16, 28 },
			    { 1, 0, 0, 8, 16 } } },
	[RULESET_FW] = { { 58, 28, 4, 10 },
			 { 70, 14, 1, 3, 12 },
			 { 30, 12, 2, 16, 40 },
			 { { 28, 0, 0, 30, 32 },
			   { 16, 0, 0, 16, 28 },
			   { 10, 32, 32, 0, 0 },
			   { 10, 16, 28, 0, 0 },
			   { 26, 21, 32, 21, 32 },
			   { 10, 32, 32, 32, 32 } } },
	[RULESET_IPC] = { { 52, 30, 6, 12 },
			  { 76, 8, 1, 2, 13 },
			  { 44, 9, 1, 8, 38 },
			  { { 42, 32, 32, 32, 32 },
			    { 12, 0, 0, 24, 32 },
			    { 10, 24, 32, 0, 8 },
			    { 18, 16, 31, 16, 31 },
			    { 12, 32, 32, 16, 24 },
			    { 6, 8, 16, 8, 24 } } },
};

static size_t choose(uint64_t *random, const unsigned int *percents, size_t n)
{
	uint32_t left = ruleset_below(random, 100);
	size_t i;

	for (i = 0; i + 1 < n && left >= percents[i]; i++)
		left -= percents[i];
	return i;
}

static const struct lengths *choose_lengths(uint64_t *random,
					    const struct shape *shape)
{
	unsigned int percents[ARRAY_SIZE(shape->lengths)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(percents); i++)
		percents[i] = shape->lengths[i].percent;
	return &shape->lengths[choose(random, percents, i)];
}

/* ---------------------------------------------------------- addresses */

/* Of a tree with few branches at the top, so that prefixes nest. */
static uint32_t address_make(uint64_t *random)
{
	static const uint8_t tops[] = {
		12, 17,	 24,  31,  38,	45,  52,  61,  66,  74,	 81,  88,
		93, 109, 131, 139, 146, 155, 163, 176, 185, 193, 204, 212
	};
	uint32_t top = tops[skewed_below(random, sizeof(tops))];
	uint32_t second = (top * 29 + skewed_below(random, 48)) & 255;
	uint32_t third = (second * 53 + skewed_below(random, 200)) & 255;

	return top << 24 | second << 16 | third << 8 |
	       ruleset_below(random, 256);
}

static void prefix_make(uint64_t *random, unsigned int least, unsigned int most,
			uint32_t *ret_first, uint32_t *ret_last)
{
	unsigned int length = least + ruleset_below(random, most - least + 1);
	uint32_t host = length == 0 ? UINT32_MAX : (1ULL << (32 - length)) - 1;

	*ret_first = address_make(random) & ~host;
	*ret_last = *ret_first | host;
}

unsigned int ruleset_prefix(uint32_t first, uint32_t last)
{
	return first == last ? 32 : __builtin_clz(first ^ last);
}

void ruleset_network(uint32_t i, uint32_t *ret_first, uint32_t *ret_last)
{
	/* Odd factors permute; the top byte is 16 to 79. */
	uint32_t block = (i * 0x9e3779b1U & 0x3fffff) + (16 << 16);
	uint32_t host = i % 4 == 0 ? 0 : i % 4 == 1 ? 15 : 255;

	*ret_first = (block << 8 | (i * 0x6d2bU & 255)) & ~host;
	*ret_last = *ret_first | host;
}

/* -------------------------------------------------------------- ports */

static const uint16_t services[] = { 80,  443,	22,   53,   25,	  8080,
				     123, 3306, 5432, 389,  1433, 993,
				     110, 143,	21,   8443, 3389, 5060,
				     179, 161,	162,  514,  636,  6379 };
/* What people write as a range, and some that nobody would. */
static const uint16_t ranges[][2] = {
	{ 6881, 6889 },	 { 137, 139 },	 { 20, 21 },	 { 33434, 33523 },
	{ 5060, 5061 },	 { 8000, 8079 }, { 1024, 4999 }, { 16384, 32767 },
	{ 6000, 6063 },	 { 67, 68 },	 { 161, 162 },	 { 32768, 60999 },
	{ 2300, 2400 },	 { 7000, 7001 }, { 5900, 5999 }, { 27000, 27050 },
	{ 9090, 10011 }, { 80, 88 },	 { 1, 511 },	 { 443, 8443 },
};

static void ports_make(uint64_t *random, const unsigned int *percents,
		       uint16_t *ret_first, uint16_t *ret_last)
{
	size_t i;

	*ret_first = 0;
	*ret_last = 65535;
	switch (choose(random, percents, N_PORT_SHAPES)) {
	case PORT_HIGH:
		*ret_first = 1024;
		return;
	case PORT_LOW:
		*ret_last = 1023;
		return;
	case PORT_RANGE:
		i = ruleset_below(random, ARRAY_SIZE(ranges));
		*ret_first = ranges[i][0];
		*ret_last = ranges[i][1];
		return;
	case PORT_ONE:
		i = skewed_below(random, ARRAY_SIZE(services));
		*ret_first = ruleset_below(random, 4)
				     ? services[i]
				     : 1 + ruleset_below(random, 65535);
		*ret_last = *ret_first;
		return;
	}
}

/* -------------------------------------------------------------- rules */

static void rule_make(uint64_t *random, const struct shape *shape,
		      struct ruleset_rule *rule)
{
	const struct lengths *lengths = choose_lengths(random, shape);

	*rule = (struct ruleset_rule){ .sport_last = 65535,
				       .dport_last = 65535 };
	rule->protocol = protocols[choose(random, shape->protocols,
					  ARRAY_SIZE(shape->protocols))];
	prefix_make(random, lengths->src_least, lengths->src_most,
		    &rule->src_first, &rule->src_last);
	prefix_make(random, lengths->dst_least, lengths->dst_most,
		    &rule->dst_first, &rule->dst_last);
	if (rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP) {
		ports_make(random, shape->sport, &rule->sport_first,
			   &rule->sport_last);
		ports_make(random, shape->dport, &rule->dport_first,
			   &rule->dport_last);
	}
	rule->allow = ruleset_below(random, 3) != 0;
}

static void rule_make_exact(uint64_t *random, enum ruleset_kind kind,
			    uint32_t offset, struct ruleset_rule *rule)
{
	*rule = (struct ruleset_rule){ .sport_last = 65535,
				       .dst_last = UINT32_MAX,
				       .allow = true };
	rule->protocol = kind == RULESET_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	rule->src_first = rule->src_last = 10U << 24 |
					   (offset & (RULESET_EXACT_MAX - 1));
	rule->dport_first = rule->dport_last =
		RULESET_PORT_FIRST + ruleset_below(random, RULESET_PORTS);
}

static bool same_match(const struct ruleset_rule *a,
		       const struct ruleset_rule *b)
{
	return a->src_first == b->src_first && a->src_last == b->src_last &&
	       a->dst_first == b->dst_first && a->dst_last == b->dst_last &&
	       a->sport_first == b->sport_first &&
	       a->sport_last == b->sport_last &&
	       a->dport_first == b->dport_first &&
	       a->dport_last == b->dport_last && a->protocol == b->protocol;
}

static uint32_t rule_hash(const struct ruleset_rule *rule)
{
	uint64_t hash = rule->protocol;

	hash = (hash ^ rule->src_first) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ rule->src_last) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ rule->dst_first) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ rule->dst_last) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ ((uint32_t)rule->sport_first << 16 | rule->sport_last)) *
	       0x9e3779b97f4a7c15ULL;
	hash = (hash ^ ((uint32_t)rule->dport_first << 16 | rule->dport_last)) *
	       0x9e3779b97f4a7c15ULL;
	return hash >> 32;
}

/* Open addressing: indexes of rules, NONE for a free place. */
struct seen {
	uint32_t *places;
	uint32_t mask;
};

/* Whether it is new; it is the n-th then. */
static bool seen_add(struct seen *seen, const struct ruleset *set, size_t n)
{
	uint32_t place = rule_hash(&set->rules[n]);

	for (;; place++) {
		uint32_t *found = &seen->places[place & seen->mask];

		if (*found == NONE) {
			*found = n;
			return true;
		}
		if (same_match(&set->rules[*found], &set->rules[n]))
			return false;
	}
}

/* ---------------------------------------------------------------- sets */

/* Roughly how many headers a rule fits, in bits. */
static unsigned int width(const struct ruleset_rule *rule)
{
	unsigned int sport = rule->sport_last - rule->sport_first + 1;
	unsigned int dport = rule->dport_last - rule->dport_first + 1;

	return 64 - ruleset_prefix(rule->src_first, rule->src_last) -
	       ruleset_prefix(rule->dst_first, rule->dst_last) +
	       (31 - __builtin_clz(sport)) + (31 - __builtin_clz(dport)) +
	       (rule->protocol ? 0 : 8);
}

struct place {
	struct ruleset_rule rule;
	uint32_t rank, index;
};

static int place_compare(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->rank != other->rank)
		return one->rank < other->rank ? -1 : 1;
	return one->index < other->index ? -1 : 1;
}

/* The narrow before the wide, as people write them, but for some. */
static int set_order(struct ruleset *set, uint64_t *random)
{
	AUTO_FREE struct place *places = calloc(set->n_rules, sizeof(*places));
	size_t i;

	if (!places)
		return -1;
	for (i = 0; i < set->n_rules; i++)
		places[i] = (struct place){
			.rule = set->rules[i],
			.rank = width(&set->rules[i]) +
				ruleset_below(random, 24),
			.index = i,
		};
	qsort(places, set->n_rules, sizeof(*places), place_compare);
	for (i = 0; i < set->n_rules; i++)
		set->rules[i] = places[i].rule;
	return 0;
}

static int set_fill(struct ruleset *set, size_t n, uint64_t *random)
{
	AUTO_FREE uint32_t *places = NULL;
	struct seen seen = { .mask = 1023 };

	while (seen.mask < 2 * n)
		seen.mask = seen.mask * 2 + 1;
	seen.places = places = malloc((seen.mask + 1ULL) * sizeof(*places));
	if (!places)
		return -1;
	memset(places, 0xff, (seen.mask + 1ULL) * sizeof(*places));
	while (set->n_rules < n) {
		rule_make(random, &shapes[set->kind],
			  &set->rules[set->n_rules]);
		set->n_rules += seen_add(&seen, set, set->n_rules);
	}
	return set_order(set, random);
}

struct ruleset *ruleset_make(enum ruleset_kind kind, size_t n, uint64_t seed)
{
	CLEANUP(ruleset_freep) struct ruleset *set = calloc(1, sizeof(*set));
	uint64_t random = seed * 2 + 1;
	uint32_t start = ruleset_below(&random, RULESET_EXACT_MAX);

	if (!set)
		return NULL;
	set->kind = kind;
	set->rules = calloc(n + 1, sizeof(*set->rules));
	if (!set->rules)
		return NULL;
	if (kind != RULESET_EXACT && kind != RULESET_TCP) {
		if (set_fill(set, n, &random) < 0)
			return NULL;
		return TAKE_PTR(set);
	}
	for (; set->n_rules < n; set->n_rules++)
		rule_make_exact(&random, kind,
				start + set->n_rules * 0x9e3779b1U,
				&set->rules[set->n_rules]);
	return TAKE_PTR(set);
}

void ruleset_free(struct ruleset *set)
{
	if (!set)
		return;
	free(set->rules);
	free(set);
}

void ruleset_allow(struct ruleset *set)
{
	size_t i;

	for (i = 0; i < set->n_rules; i++)
		set->rules[i].allow = true;
}

int ruleset_kind(const char *name)
{
	static const char *const names[] = { "exact", "tcp", "acl", "fw",
					     "ipc" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* ------------------------------------------------------------- packets */

/* Where almost anybody fits: somebody who could be there. */
static uint32_t address_in(uint64_t *random, uint32_t first, uint32_t last)
{
	if (ruleset_prefix(first, last) >= 8)
		return ruleset_below(random, 2) ? first : last;
	return first | (address_make(random) & (last - first));
}

static uint16_t port_in(uint64_t *random, uint16_t first, uint16_t last)
{
	if (first == 0 && last == 65535)
		return 1024 + ruleset_below(random, 64512);
	return ruleset_below(random, 2) ? first : last;
}

static void packet_make(const struct ruleset *set, uint64_t *random,
			struct ruleset_packet *packet)
{
	const struct ruleset_rule *rule =
		&set->rules[ruleset_below(random, set->n_rules)];

	packet->src = address_in(random, rule->src_first, rule->src_last);
	packet->dst = address_in(random, rule->dst_first, rule->dst_last);
	packet->protocol = rule->protocol;
	if (!packet->protocol)
		packet->protocol = ruleset_below(random, 2) ? IPPROTO_TCP
							    : IPPROTO_UDP;
	packet->sport = packet->dport = 0;
	if (packet->protocol == IPPROTO_ICMP)
		return;
	packet->sport = port_in(random, rule->sport_first, rule->sport_last);
	packet->dport = port_in(random, rule->dport_first, rule->dport_last);
}

void ruleset_packet(const struct ruleset *set, struct ruleset_trace *trace,
		    struct ruleset_packet *ret_packet)
{
	if (trace->left == 0) {
		packet_make(set, &trace->random, &trace->last);
		if (trace->repeats > 1)
			trace->left = ruleset_below(&trace->random,
						    2 * trace->repeats - 1);
	} else {
		trace->left--;
	}
	*ret_packet = trace->last;
}

bool ruleset_fits(const struct ruleset_rule *rule,
		  const struct ruleset_packet *packet)
{
	return packet->src >= rule->src_first &&
	       packet->src <= rule->src_last &&
	       packet->dst >= rule->dst_first &&
	       packet->dst <= rule->dst_last &&
	       packet->sport >= rule->sport_first &&
	       packet->sport <= rule->sport_last &&
	       packet->dport >= rule->dport_first &&
	       packet->dport <= rule->dport_last &&
	       (!rule->protocol || rule->protocol == packet->protocol);
}
