/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule sets for benches and tests, by a seed, the same on every machine.
 * Exact ones have a source address and a port each.  The others are of five
 * fields, with shapes mixed as those who study packet classifiers found them
 * in access lists (acl), firewalls (fw) and chains of Linux (ipc): how long
 * prefixes are, how they nest, what ports are.  IPv4; addresses and ports are
 * in host order, ranges inclusive, and no rule occurs twice in a set.
 */
#ifndef WEIR_TESTS_BENCH_RULES_RULESET_H
#define WEIR_TESTS_BENCH_RULES_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

enum ruleset_kind {
	RULESET_EXACT, /* udp from a /32 to a port */
	RULESET_TCP,   /* the same for tcp */
	RULESET_ACL,
	RULESET_FW,
	RULESET_IPC,
};

#define RULESET_EXACT_MAX  (1 << 24) /* rules of the exact kinds */
#define RULESET_PORTS	   16	     /* of exact kinds: so many, … */
#define RULESET_PORT_FIRST 4000	     /* … from this one on */

struct ruleset_rule {
	uint32_t src_first, src_last; /* a prefix, as is dst */
	uint32_t dst_first, dst_last;
	uint16_t sport_first, sport_last; /* 0 to 65535: any */
	uint16_t dport_first, dport_last;
	uint8_t protocol; /* 0: any; ports are then any, too */
	bool allow;
};

struct ruleset {
	enum ruleset_kind kind;
	struct ruleset_rule *rules; /* the first that fits decides */
	size_t n_rules;
};

/* All rules of the exact kinds allow.  NULL where there is no memory. */
struct ruleset *ruleset_make(enum ruleset_kind kind, size_t n, uint64_t seed);
void ruleset_free(struct ruleset *set);
DEFINE_CLEANUP(struct ruleset *, ruleset_free);

/* From now on all rules allow, and their order is of no matter. */
void ruleset_allow(struct ruleset *set);

/* By its name: exact tcp acl fw ipc.  -1 if there is none. */
int ruleset_kind(const char *name);

struct ruleset_packet {
	uint32_t src, dst;
	uint16_t sport, dport;
	uint8_t protocol;
};

/* A sequence of packets; random is a seed and not 0. */
struct ruleset_trace {
	uint64_t random;
	uint32_t repeats; /* how often one comes on average; 0 and 1: once */
	uint32_t left;
	struct ruleset_packet last;
};

/*
 * The next packet: a corner of a rule that is chosen at random, so that this
 * one fits, or one before it.
 */
void ruleset_packet(const struct ruleset *set, struct ruleset_trace *trace,
		    struct ruleset_packet *ret_packet);

bool ruleset_fits(const struct ruleset_rule *rule,
		  const struct ruleset_packet *packet);

/* From 0 on, below n. */
uint32_t ruleset_below(uint64_t *random, uint32_t n);

/* The bits of a prefix that begins and ends so. */
unsigned int ruleset_prefix(uint32_t first, uint32_t last);

/*
 * Network i of a list of up to 1,000,000 that do not overlap: blocks of 256,
 * 16 or 1, as lists of those who are not wanted have them.
 */
void ruleset_network(uint32_t i, uint32_t *ret_first, uint32_t *ret_last);

/* ----------------------------------------------- texts: ruleset_text.c */

/* The lines of a chain's section, numbered from 1 on. */
void ruleset_write_weir(const struct ruleset *set, FILE *out);

/* What a table of nft is to have beside its rules. */
struct ruleset_nft {
	const char *hook;  /* such as "input" */
	const char *first; /* a rule before the others, or "" */
	const char *guard; /* what each rule begins with, or "" */
};

/* A whole table inet weir_bench that drops what no rule allows. */
void ruleset_write_nft(const struct ruleset *set, const struct ruleset_nft *nft,
		       FILE *out);

/*
 * The same with sets in the place of rules; of rules that all allow.  One set
 * for each shape, so that no two elements of a set overlap.  Exact kinds:
 * flags is "" or "flags interval;".  Returns how many sets there are.
 */
size_t ruleset_write_nft_sets(const struct ruleset *set,
			      const struct ruleset_nft *nft, const char *flags,
			      FILE *out);

#define RULESET_LAYERS_MAX 128

/*
 * Which rules may be in one set of nft's intervals, as no two overlap: a layer
 * for each, from 0 on.  Rules are tried in the order given.  Returns how many
 * layers there are, 0 if they would be too many.
 */
size_t ruleset_layers(const struct ruleset *set, const uint32_t *order,
		      uint8_t *ret_layers);

/* The same of five fields with as few sets of intervals as it takes. */
size_t ruleset_write_nft_layers(const struct ruleset *set,
				const struct ruleset_nft *nft, FILE *out);

/* For iptables-restore; chain: INPUT or OUTPUT, whose policy becomes DROP. */
void ruleset_write_iptables(const struct ruleset *set, const char *chain,
			    FILE *out);

/* For ipset restore: the set weir_bench, of exact kinds alone. */
void ruleset_write_ipset(const struct ruleset *set, FILE *out);

#endif
