/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy: everything the INI files say, as plain structs.  Text becomes a
 * policy here (policy_read), a policy becomes an image in rules/compile.h.
 * Strings and arrays belong to the struct they hang from; policy_free frees
 * everything.  Numbers are in host byte order unless their type says else.
 */
#ifndef WEIR_RULES_POLICY_H
#define WEIR_RULES_POLICY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rules/calendar_abi.h"
#include "rules/element.h"
#include "rules/flow_abi.h"
#include "rules/problem.h"

/* Where something was written.  file belongs to the policy. */
struct where {
	const char *file;
	int line;
};

enum verdict {
	VERDICT_DENY,
	VERDICT_ALLOW,
	VERDICT_REJECT,
	VERDICT_JUMP,	    /* of a rule: the rules of its chain are next */
	VERDICT_RETURN,	    /* of a rule: those behind the jump are next */
	VERDICT_NONE = 255, /* of a chain: it has no policy */
};

enum share {
	SHARE_EACH, /* each matched cgroup has a limit of its own */
	SHARE_ALL,  /* all matched cgroups have one limit together */
};

enum shaper {
	SHAPER_AUTO,
	SHAPER_PACE,
	SHAPER_EDT,
	SHAPER_HTB,
	SHAPER_POLICE,
};

/* Who is first to have what others leave of a device's total. */
enum priority {
	PRIORITY_NORMAL,
	PRIORITY_HIGH,
	PRIORITY_LOW,
};

/* A rate limit in one direction.  No limit: rate_bps is 0. */
struct limit {
	uint64_t rate_bps;    /* bits per second, on the wire */
	uint64_t burst_bytes; /* how far above the rate; 0: the default */
};

/* What a quota counts: bits. */
enum {
	QUOTA_OUT = 1 << 0,
	QUOTA_IN = 1 << 1,
};

/* How much may pass in each period, and what holds from then on. */
struct quota {
	uint64_t bytes; /* on the wire; 0: no quota */
	enum quota_period period;
	unsigned int counts; /* QUOTA_*; 0: both */
	uint64_t after_bps;  /* 0: nothing passes */
};

/* Whether a device's first rules are asked before the kernel sees a packet. */
enum xdp {
	XDP_AUTO, /* where that makes no other packet slower */
	XDP_YES,  /* wherever the driver can */
	XDP_NO,
};

/* What is asked of a table of flows; 0: the default. */
struct flows_asked {
	uint64_t room;		      /* flows */
	uint32_t seconds[FLOW_TIMES]; /* by enum flow_time */
};

struct device {
	char *name;
	struct where where;
	char *netns; /* name below /run/netns, or NULL for our own */
	enum shaper shaper;
	enum xdp xdp;
	bool takeover; /* may replace a qdisc that is not ours */
	bool tcp_windows;
	struct limit in, out;
	char *filter_in, *filter_out;
	struct flows_asked flows;
};

enum family {
	FAMILY_ANY,
	FAMILY_IP4,
	FAMILY_IP6,
};

/*
 * An inclusive range of addresses of one family.  IPv4 addresses are kept
 * as ::ffff:a.b.c.d, so that one comparison serves both.
 */
struct network {
	enum family family;
	struct in6_addr first, last;
};

struct port_range {
	uint16_t first, last;
};

/* One side of a rule.  Empty lists match anything. */
struct endpoint {
	bool negated; /* the address lists match where they do not hold */
	struct network *networks;
	size_t n_networks;
	char **sets; /* names of sets of networks */
	size_t n_sets;
	struct port_range *ports;
	size_t n_ports;
	char **port_sets; /* names of sets of ports */
	size_t n_port_sets;
};

/* The interfaces of a rule.  Empty lists: any but lo. */
struct ifaces {
	struct element_list names; /* as rules/iface.h has them */
	char **sets;		   /* names of sets of interfaces */
	size_t n_sets;
};

/* What some addresses have in place of a limit.  rate_bps 0: none. */
struct peer_limit {
	struct endpoint peers; /* networks and sets, as written */
	struct limit limit;
	char *text; /* the addresses: what stats shows */
};

/* The first that has an address decides; at most PEERS_MAX. */
struct peer_limits {
	struct where where;
	struct peer_limit *list;
	size_t n_list;
};

struct group {
	char *name;
	struct where where;
	char **matches; /* absolute paths below the cgroup2 mount, globs */
	size_t n_matches;
	enum share share;
	enum shaper shaper;
	struct limit in, out;
	struct peer_limits in_from, out_to;
	struct quota quota;
	char *filter_in, *filter_out; /* names of chains, or NULL */
	struct flows_asked flows;
	/* Of what a device's total has for all: see rules/share.h. */
	uint64_t out_min_bps; /* for sure; 0: not asked for */
	uint64_t weight;      /* 0: not asked for */
	enum priority priority;
};

/* Bits of rule.states. */
enum {
	STATE_NEW = 1 << 0,
	STATE_ESTABLISHED = 1 << 1,
	STATE_RELATED = 1 << 2,
	STATE_INVALID = 1 << 3,
};

#define PROTOCOL_ANY (-1)
#define DSCP_ANY     (-1)

struct rule {
	uint32_t number;
	struct where where;
	enum verdict verdict;
	char *chain;	       /* of a jump, else NULL */
	enum family family;    /* also set by icmp (ip4) and icmp6 (ip6) */
	int protocol;	       /* IP protocol, or PROTOCOL_ANY */
	bool has_protocols;    /* one of several; protocol is PROTOCOL_ANY */
	uint64_t protocols[4]; /* a bit for each */
	struct endpoint from, to;
	unsigned int states;	/* STATE_*, 0: any */
	bool has_icmp_types;	/* protocol is then icmp or icmp6 */
	uint64_t icmp_types[4]; /* a bit per type, type t in [t / 64] */
	uint8_t flags_mask;	/* TCP flags looked at; 0: none */
	uint8_t flags_value;
	bool has_mark;
	uint32_t mark, mark_mask;
	int dscp; /* 0..63, or DSCP_ANY */
	struct ifaces ifaces;
	bool has_uid;
	uint32_t uid;
	bool has_length;
	uint16_t length_first, length_last; /* bytes, IP header included */
	bool log;
	char *log_prefix;
	/* At most so many events in so many seconds; 0: the default. */
	uint32_t log_count;
	uint32_t log_seconds;
	uint32_t log_burst;   /* events; 0 where log_count is */
	uint32_t limit_count; /* 0: no limit */
	uint32_t limit_seconds;
	uint32_t limit_burst;  /* packets, at least 1 where there is a limit */
	bool limit_per_source; /* each address has its own, IPv6 by /64 */
	char *comment;
	char *text; /* the rule in canonical form: what stats shows */
};

/* A chain may jump to one that jumps, and so on. */
#define JUMPS_MAX 8

struct chain {
	char *name;
	struct where where;
	enum verdict policy; /* VERDICT_NONE: it is only jumped to */
	bool strict;
	struct rule *rules; /* by number */
	size_t n_rules;
};

/* What a rule can name a set for. */
enum stands_for {
	STANDS_FOR_ADDRESSES,
	STANDS_FOR_PORTS,
	STANDS_FOR_INTERFACES,
};

/* A set holds one kind of elements. */
struct set {
	char *name;
	struct where where;
	struct elements elements; /* sorted; seconds: timeouts */
	bool is_given;		  /* the files say what is in it */
	bool holds;		  /* … and what kind of elements */
	/* How rules name it, a bit per STANDS_FOR_*; empty, it may be all. */
	unsigned int stands_for;
};

/* Whether it is known to hold elements of a kind, SET_OF_*. */
static inline bool set_is_of(const struct set *set, unsigned int kind)
{
	return (set->holds || elements_count(&set->elements)) &&
	       set->elements.kind == kind;
}

struct policy {
	struct group *groups;
	size_t n_groups;
	struct device *devices;
	size_t n_devices;
	struct chain *chains; /* by name */
	size_t n_chains;
	struct set *sets; /* by name */
	size_t n_sets;
	char **files; /* what struct where points into */
	size_t n_files;
};

/*
 * Reads files (a path, or "-" for standard input) into one policy.  What is
 * wrong with them, all of it, goes to problems.  Returns -EINVAL where there
 * is at least one error, -ENOMEM, or 0 with *ret_policy to be freed.  What it
 * gives has no more patterns than fit.
 */
int policy_read(char *const *files, size_t n_files, struct problems *problems,
		struct policy **ret_policy);

void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free);

const struct chain *policy_chain(const struct policy *policy, const char *name);
const struct set *policy_set(const struct policy *policy, const char *name);

#endif
